// Order by drag: a [data-arrange] list of [data-item] rows. The new place is shown while dragging and told by one event when dropped;
// the server draws the order, so that nothing moves here.
let dragged: HTMLElement | null = null;

export function arrangeByDrag(): void {
  document.addEventListener('dragstart', e => {
    dragged = (e.target as Element).closest?.<HTMLElement>('[data-item]') ?? null;
    if (!dragged || !e.dataTransfer) return;
    e.dataTransfer.effectAllowed = 'move';
    e.dataTransfer.setData('text/plain', dragged.dataset.item ?? '');
    dragged.classList.add('dragging');
  });
  document.addEventListener('dragover', e => {
    const place = over(e);
    if (!place) return;
    e.preventDefault();
    clear();
    place.target.classList.add(place.after ? 'drop-after' : 'drop-before');
  });
  document.addEventListener('drop', e => {
    const place = over(e);
    if (!place || !dragged) return;
    e.preventDefault();
    const sink = document.querySelector<HTMLInputElement>('[data-arranged]');
    if (sink) {
      sink.value = [dragged.dataset.item, place.target.dataset.item ?? place.target.dataset.drop, place.after ? 'after' : 'before'].join(' ');
      sink.dispatchEvent(new Event('change', { bubbles: true }));
    }
    clear();
  });
  document.addEventListener('dragend', () => {
    dragged?.classList.remove('dragging');
    dragged = null;
    clear();
  });
}

function clear(): void {
  document.querySelectorAll('.drop-before, .drop-after').forEach(n => n.classList.remove('drop-before', 'drop-after'));
}

function over(e: DragEvent): { target: HTMLElement; after: boolean } | null {
  if (!dragged) return null;
  const target = (e.target as Element).closest?.<HTMLElement>('[data-item], [data-drop]');
  if (!target || target === dragged) return null;
  const kind = (dragged.dataset.item ?? '').split(':')[0];
  const onto = (target.dataset.item ?? target.dataset.drop ?? '').split(':')[0];
  // A group is placed among groups; a component among components or into a group.
  if (kind === 'g' && onto !== 'g') return null;
  const box = target.getBoundingClientRect();
  return { target, after: target.dataset.drop !== undefined || e.clientY > box.top + box.height / 2 };
}
