// Times are written in the page's zone. Here they become the visitor's; pointing at one shows the page's.
// The day before the month, as the page itself writes it.
const language = document.documentElement.lang === 'en' ? 'en-GB' : document.documentElement.lang;
const clock = new Intl.DateTimeFormat(language, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZoneName: 'short' });
const full = new Intl.DateTimeFormat(language, { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZoneName: 'short' });

export const clockOf = (at: number): string => clock.format(at);

export function showTimes(root: ParentNode): void {
  for (const time of root.querySelectorAll<HTMLTimeElement>('time[data-at]')) {
    if (time.title) continue;
    const at = Date.parse(time.dateTime);
    if (isNaN(at)) continue;
    time.title = time.textContent ?? '';
    const sameDay = new Date(at).toDateString() === new Date().toDateString();
    time.textContent = (time.dataset.at === 'clock' && sameDay ? clock : full).format(at);
  }
  const zone = document.getElementById('zone');
  const own = clock.formatToParts().find(part => part.type === 'timeZoneName')?.value;
  // The page's own sentence stays where the visitor lives by the same clock.
  if (zone && own && !zone.textContent!.includes(` ${own} `)) { zone.textContent = zone.dataset.own!.replace('{0}', own); zone.className = 'own'; }
}
