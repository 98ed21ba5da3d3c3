import { countNow } from './countdown';
import { showTimes } from './times';

const root = document.documentElement;

export const version = (): number => Number(root.dataset.version);

/** Whether a rendering is of an older version and yet of a later change: the database was restored, and versions count anew. */
export const restored = (next: number, changedAt: number): boolean => next < version() && changedAt > Number(root.dataset.changed);

/** Puts a new rendering in place of a part, without closing what the reader opened. */
function swap(name: string, html: string): void {
  const part = document.querySelector<HTMLElement>(`[data-fragment="${name}"]`);
  if (!part) return;
  const open = [...part.querySelectorAll<HTMLDetailsElement>('details[id]')].filter(d => d.open).map(d => d.id);
  const focused = part.contains(document.activeElement) ? (document.activeElement as HTMLAnchorElement).getAttribute('href') : null;
  // Our own server's rendering, in which every text is encoded; scripts in it would not run, and the policy forbids them.
  part.innerHTML = html;
  for (const id of open) {
    const details = part.querySelector<HTMLDetailsElement>(`details[id="${CSS.escape(id)}"]`);
    if (details) details.open = true;
  }
  if (focused) part.querySelector<HTMLElement>(`a[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
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

/** The whole page again, as it was just fetched. */
export function showPage(html: string): void {
  const page = new DOMParser().parseFromString(html, 'text/html');
  const next = Number(page.documentElement.dataset.version);
  const changedAt = Number(page.documentElement.dataset.changed);
  if (restored(next, changedAt)) location.reload();
  if (!(next >= version())) return;
  const parts: Record<string, string> = { title: page.title, icon: page.querySelector('link[rel=icon]')?.getAttribute('href') ?? '', state: page.documentElement.dataset.state ?? '' };
  for (const part of page.querySelectorAll<HTMLElement>('[data-fragment]')) parts[part.dataset.fragment!] = part.innerHTML;
  show(next, changedAt, parts);
}

/** A link to one day opens that day. */
export function openTarget(): void {
  const open = () => {
    const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    if (target instanceof HTMLDetailsElement) target.open = true;
  };
  open();
  addEventListener('hashchange', open);
}
