// Pointing at a day of a strip names it, a click opens that day. By keyboard the strip is one link to the page where each day is.
import { dateOf } from './times';

const days = 90;

function dayAt(link: HTMLAnchorElement, x: number): string | undefined {
  const strip = link.querySelector('svg')?.getBoundingClientRect();
  const last = link.dataset.last;
  if (!strip || !last) return undefined;
  const index = Math.min(days - 1, Math.max(0, Math.floor((x - strip.left) / strip.width * days)));
  const day = new Date(`${last}T00:00:00Z`);
  day.setUTCDate(day.getUTCDate() - (days - 1 - index));
  return day.toISOString().slice(0, 10);
}

function words(day: string): string {
  const [year, month, number] = day.split('-').map(Number);
  return dateOf(year, month, number);
}

const linkOf = (event: Event): HTMLAnchorElement | null => (event.target as Element).closest<HTMLAnchorElement>('a.strip-link');

export function openDays(): void {
  document.addEventListener('mousemove', event => {
    const link = linkOf(event);
    const day = link && dayAt(link, event.clientX);
    if (day && link.title !== words(day)) link.title = words(day);
  }, { passive: true });
  document.addEventListener('click', event => {
    const link = linkOf(event);
    // A click by keyboard has no place.
    const day = link && event.detail > 0 ? dayAt(link, event.clientX) : undefined;
    if (link && day) link.hash = `d-${day}`;
  });
}
