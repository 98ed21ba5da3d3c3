// <time data-relative> tells its distance anew and carries the exact time in this browser's zone; <time data-exact> is written in this
// zone. The text node is changed, never replaced: the server owns it.
const zone = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', timeZoneName: 'short' });
const full = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit', timeZoneName: 'short' });
const dated = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', timeZoneName: 'short' });

export function distance(seconds: number): string {
  const ahead = seconds < 0;
  const s = Math.abs(seconds);
  const words = s < 45 ? '' : s < 3570 ? `${Math.round(s / 60)} min` : s < 84600 ? `${Math.round(s / 3600)} h` : `${Math.round(s / 86400)} d`;
  return words === '' ? (ahead ? 'in a moment' : 'just now') : ahead ? `in ${words}` : `${words} ago`;
}

function write(time: HTMLTimeElement): void {
  const at = Date.parse(time.dateTime);
  const text = time.firstChild;
  if (Number.isNaN(at) || !(text instanceof Text)) return;
  const title = full.format(at);
  if (time.title !== title) time.title = title;
  const words = 'exact' in time.dataset ? (time.dataset.exact === 'date' ? dated : zone).format(at) : distance((Date.now() - at) / 1000);
  if (text.data !== words) text.data = words;
  if ('due' in time.dataset) time.classList.toggle('overdue', at < Date.now());
}

export function keepTimes(): void {
  const all = (): void => document.querySelectorAll<HTMLTimeElement>('time[data-relative], time[data-exact]').forEach(write);
  all();
  setInterval(all, 5000);
  let asked = false;
  new MutationObserver(() => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => { asked = false; all(); });
  }).observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ['datetime'] });
  (window as unknown as { portalZone: () => string }).portalZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';
}
