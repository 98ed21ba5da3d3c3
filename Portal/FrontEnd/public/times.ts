// Times are written in the page's zone. Here they become the visitor's; pointing at one shows the page's.
const language = document.documentElement.lang === 'en' ? 'en-GB' : document.documentElement.lang;
const clock = new Intl.DateTimeFormat(language, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZoneName: 'short' });

export const clockOf = (at: number): string => clock.format(at);

/** As the page itself writes its days: browsers have months of their own ("Sept"). */
export function dateOf(year: number, month: number, day: number): string {
  const { date, months } = document.documentElement.dataset;
  return date!.replace('{0}', `${day}`).replace('{1}', months!.split('|')[month - 1]).replace('{2}', `${year}`);
}

const momentOf = (at: Date): string => `${dateOf(at.getFullYear(), at.getMonth() + 1, at.getDate())}, ${clock.format(at)}`;

export function showTimes(root: ParentNode): void {
  for (const time of root.querySelectorAll<HTMLTimeElement>('time[data-at]')) {
    if (time.title) continue;
    const at = new Date(time.dateTime);
    if (isNaN(at.getTime())) continue;
    time.title = time.textContent ?? '';
    // The date is left out where it is today's, or that of the time before it.
    const sameDay = at.toDateString() === (time.dataset.from ? new Date(time.dataset.from) : new Date()).toDateString();
    time.textContent = time.dataset.at === 'clock' && sameDay ? clock.format(at) : momentOf(at);
  }
  const zone = document.getElementById('zone');
  const own = clock.formatToParts().find(part => part.type === 'timeZoneName')?.value;
  // The page's own sentence stays where the visitor lives by the same clock.
  if (zone && own && !zone.textContent!.includes(` ${own} `)) { zone.textContent = zone.dataset.own!.replace('{0}', own); zone.className = 'own'; }
}
