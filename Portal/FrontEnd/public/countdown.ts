// "in 12 min" beside a promised next update, until it is overdue.
function words(seconds: number): string {
  const { minutes, hours, in: within } = document.documentElement.dataset;
  const total = Math.ceil(seconds / 60);
  const left = total < 60 ? minutes!.replace('{0}', `${total}`) : hours!.replace('{0}', `${Math.floor(total / 60)}`).replace('{1}', `${total % 60}`);
  return within!.replace('{0}', left);
}

function tick(): void {
  for (const left of document.querySelectorAll<HTMLElement>('[data-due]')) {
    const seconds = Number(left.dataset.due) - Date.now() / 1000;
    left.classList.toggle('overdue', seconds <= 0);
    const text = seconds <= 0 ? document.documentElement.dataset.overdue! : words(seconds);
    if (left.textContent !== text) left.textContent = text;
  }
}

export function countDown(): void {
  tick();
  setInterval(tick, 5_000);
}

export { tick as countNow };
