import { countNow } from './countdown';
import { showTimes } from './times';

const root = document.documentElement;

export const version = (): number => Number(root.dataset.version);

/** The instant that the page speaks of: a version counts the seconds since the last change (PageClock). */
export const spokenOf = (): number => Number(root.dataset.changed) + version() % 100_000_000 * 1_000;

/** Whether a rendering is of an older version and yet of a later change: the database was restored, and versions count anew. */
export const restored = (next: number, changedAt: number): boolean => next < version() && changedAt > Number(root.dataset.changed);

/** How each part that folds was rendered; where it differs now the reader chose so. */
const rendered = new WeakMap<HTMLDetailsElement, boolean>();
const folding = (part: ParentNode): HTMLDetailsElement[] => [...part.querySelectorAll<HTMLDetailsElement>('details[id]')];
const remember = (part: ParentNode): void => folding(part).forEach(d => rendered.set(d, d.open));

/** Puts a new rendering in place of a part; what the reader opened or closed stays so. */
function swap(name: string, html: string): void {
  const part = document.querySelector<HTMLElement>(`[data-fragment="${name}"]`);
  if (!part) return;
  const chosen = new Map(folding(part).filter(d => d.open !== rendered.get(d)).map(d => [d.id, d.open]));
  const active = part.contains(document.activeElement) ? document.activeElement : null;
  const [link, folded] = [active?.getAttribute('href'), active?.localName === 'summary' ? active.parentElement?.id : null];
  // Our own server's rendering, in which every text is encoded; scripts in it would not run, and the policy forbids them.
  part.innerHTML = html;
  remember(part);
  for (const details of folding(part)) details.open = chosen.get(details.id) ?? details.open;
  const again = link ? `a[href="${CSS.escape(link)}"]` : folded ? `details[id="${CSS.escape(folded)}"] > summary` : '';
  if (again) part.querySelector<HTMLElement>(again)?.focus({ preventScroll: true });
  showTimes(part);
}

const sentence = (): string => document.querySelector('h1')?.textContent ?? '';

export function show(next: number, changedAt: number, fragments: Record<string, string>): void {
  const before = sentence();
  const { title, icon, state, ...parts } = fragments;
  for (const [name, html] of Object.entries(parts)) swap(name, html);
  if (title) document.title = title;
  if (icon) document.querySelector<HTMLLinkElement>('link[rel=icon]')!.href = icon;
  if (state) root.dataset.state = state;
  root.dataset.version = `${next}`;
  root.dataset.changed = `${changedAt}`;
  countNow();
  const announce = document.getElementById('announce');
  if (announce && sentence() !== before) announce.textContent = sentence();
}

/** How long a lower version is taken for that of a node that lags. */
const lagging = 30_000;
let olderSince: number | undefined;

/** The whole page again, as it was just fetched. False if it is older than this one, which stays as long as that may be another node's delay. */
export function showPage(html: string): boolean {
  const page = new DOMParser().parseFromString(html, 'text/html');
  const next = Number(page.documentElement.dataset.version);
  const changedAt = Number(page.documentElement.dataset.changed);
  if (!(next >= version())) {
    olderSince ??= Date.now();
    if (restored(next, changedAt) || Date.now() - olderSince > lagging) location.reload();
    return false;
  }
  olderSince = undefined;
  const parts: Record<string, string> = { title: page.title, icon: page.querySelector('link[rel=icon]')?.getAttribute('href') ?? '', state: page.documentElement.dataset.state ?? '' };
  for (const part of page.querySelectorAll<HTMLElement>('[data-fragment]'))
    if (!part.parentElement!.closest('[data-fragment]')) parts[part.dataset.fragment!] = part.innerHTML;
  show(next, changedAt, parts);
  return true;
}

/** A link to one day opens that day. */
export function openTarget(): void {
  remember(document);
  const open = () => {
    const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    if (target instanceof HTMLDetailsElement) target.open = true;
  };
  open();
  addEventListener('hashchange', open);
}
