// Blazor tells of a lost circuit by classes on #components-reconnect-modal. While it tries, only a strip is shown; when it has given up, or
// the server no longer knows the circuit (it was restarted), we wait for the server and load the page again. Drafts are kept (drafts.ts).
import { announceDrafts } from './drafts';

const lost = ['show', 'failed', 'rejected'].map(s => `components-reconnect-${s}`);
let waiting = false;

export function watchConnection(): void {
  const strip = document.getElementById('components-reconnect-modal');
  if (!strip) return;
  const look = (): void => {
    const state = lost.find(c => strip.classList.contains(c));
    const was = document.documentElement.dataset.connection;
    if (state) document.documentElement.dataset.connection = 'lost';
    else delete document.documentElement.dataset.connection;
    say(state ? 'Not connected' : document.getElementById('connection')?.dataset.words ?? 'Live');
    if (!state && was === 'lost') announceDrafts();
    if (state && state !== lost[0]) void reloadWhenServed();
  };
  new MutationObserver(look).observe(strip, { attributes: true, attributeFilter: ['class'] });
  strip.querySelector('button')?.addEventListener('click', () => location.reload());
}

function say(words: string): void {
  const node = document.getElementById('connection')?.firstChild;
  if (node instanceof Text && node.data !== words) node.data = words;
}

async function reloadWhenServed(): Promise<void> {
  if (waiting) return;
  waiting = true;
  for (let wait = 500; ; wait = Math.min(wait * 1.5, 5000)) {
    try {
      const answer = await fetch('/health/live', { cache: 'no-store' });
      if (answer.status < 500) break;
    } catch { /* still away */ }
    await new Promise(done => setTimeout(done, wait));
  }
  location.reload();
}
