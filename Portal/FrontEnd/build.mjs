// Bundles the scripts and styles under FrontEnd/ into wwwroot/assets. Run by FrontEnd.targets, or `npm run build`.
import { build } from 'esbuild';
import { cpSync, readdirSync } from 'node:fs';

const root = new URL('.', import.meta.url).pathname;
const entries = readdirSync(root).filter(f => /\.(ts|css)$/.test(f)).map(f => root + f);

if (entries.length > 0) await build({
  entryPoints: entries,
  outdir: root + '../wwwroot/assets',
  bundle: true,
  minify: true,
  format: 'esm',
  target: ['es2020', 'safari15'],
  logLevel: 'warning',
});
cpSync(root + 'icons', root + '../wwwroot/assets', { recursive: true });
