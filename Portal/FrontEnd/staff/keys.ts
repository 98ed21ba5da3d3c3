// Keyboard: Ctrl-K palette, d declare, Ctrl-Enter sends the form that one types in.
const palette = (): HTMLDialogElement | null => document.querySelector('#palette');
const typing = (e: Event): boolean => e.target instanceof Element && !!e.target.closest('input, textarea, select, [contenteditable]');

export function listenToKeys(): void {
  document.addEventListener('keydown', e => {
    if ((e.ctrlKey || e.metaKey) && !e.altKey && e.key.toLowerCase() === 'k') { e.preventDefault(); openPalette(); }
    else if ((e.ctrlKey || e.metaKey) && e.key === 'Enter') submit(e);
    else if (e.key === 'd' && !e.ctrlKey && !e.metaKey && !e.altKey && !typing(e) && !document.querySelector('dialog[open]')) {
      const declare = document.querySelector<HTMLAnchorElement>('a[data-declare]');
      if (declare) { e.preventDefault(); declare.click(); }
    }
    else if (e.key === 'Escape') closeMenus();
    else if (palette()?.open) move(e);
  });
  document.addEventListener('input', e => { if (e.target instanceof HTMLInputElement && e.target.id === 'palette-input') { hurried = false; filter(); select(shown()[0]); } });
  document.addEventListener('click', e => {
    const target = e.target as Element;
    if (target.closest('[data-palette]')) openPalette();
    if (palette()?.open && (target === palette() || target.closest('#palette a'))) palette()!.close();
    document.querySelectorAll<HTMLDetailsElement>('details.menu[open]').forEach(m => { if (!m.contains(target) || target.closest('a')) m.open = false; });
  });
}

function closeMenus(): void {
  document.querySelectorAll<HTMLDetailsElement>('details.menu[open]').forEach(m => { m.open = false; m.querySelector('summary')?.focus(); });
}

function submit(e: KeyboardEvent): void {
  const form = e.target instanceof Element ? e.target.closest('form') : null;
  if (!form) return;
  e.preventDefault();
  // The server binds on change, which a field tells only when it is left.
  e.target!.dispatchEvent(new Event('change', { bubbles: true }));
  form.requestSubmit(form.querySelector<HTMLButtonElement>('button[type=submit]') ?? undefined);
}

// The link is the option itself: nothing that can be pressed may stand within an option.
const option = (li: HTMLElement): HTMLElement => li.querySelector<HTMLElement>('[role=option]')!;
const isChosen = (li: HTMLElement): boolean => option(li).getAttribute('aria-selected') === 'true';
const entries = (): HTMLElement[] => [...document.querySelectorAll<HTMLElement>('#palette li')];
const shown = (): HTMLElement[] => entries().filter(li => !li.hidden);

function openPalette(): void {
  const dialog = palette();
  if (!dialog || dialog.open) return;
  const input = dialog.querySelector('input')!;
  input.value = '';
  // The server forgets what it found the last time.
  input.dispatchEvent(new Event('input', { bubbles: true }));
  watchFound(dialog.querySelector('ul')!);
  dialog.showModal();
  input.focus();
}

/** Places match by their words, what the server found only while its text is still the one that stands in the field. */
function filter(): void {
  const text = document.querySelector<HTMLInputElement>('#palette-input')!.value.trim();
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  for (const li of entries())
    li.hidden = li.dataset.found === undefined ? !words.every(w => (li.dataset.words ?? li.textContent ?? '').toLowerCase().includes(w)) : li.dataset.found.trim() !== text;
}

// Enter was pressed before anything matched: the first match of the same text is opened when the server finds it.
let hurried = false;
const watched = new WeakSet<Element>();

// What the server finds comes and goes while somebody looks at it: one entry is always the chosen one.
function watchFound(list: Element): void {
  if (watched.has(list)) return;
  watched.add(list);
  new MutationObserver(() => {
    filter();
    const chosen = shown().find(isChosen) ?? shown()[0];
    select(chosen);
    if (hurried && chosen && palette()?.open) follow(chosen);
  }).observe(list, { childList: true, subtree: true, attributeFilter: ['data-found'] });
}

function follow(chosen: HTMLElement): void {
  hurried = false;
  option(chosen).click();
}

function select(chosen: HTMLElement | undefined): void {
  for (const li of entries()) option(li).setAttribute('aria-selected', String(li === chosen));
  chosen?.scrollIntoView({ block: 'nearest' });
  const input = document.getElementById('palette-input');
  if (chosen) input?.setAttribute('aria-activedescendant', option(chosen).id);
  else input?.removeAttribute('aria-activedescendant');
}

function move(e: KeyboardEvent): void {
  const list = shown();
  if (list.length === 0 && e.key.startsWith('Arrow')) return;
  const at = list.findIndex(isChosen);
  if (e.key === 'ArrowDown') select(list[(at + 1) % list.length]);
  else if (e.key === 'ArrowUp') select(list[(at - 1 + list.length) % list.length]);
  else if (e.key === 'Enter') { if (list[at]) follow(list[at]); else hurried = true; }
  else return;
  e.preventDefault();
}

// A dialog that the server draws is opened as a modal; Escape is its Cancel button, so that the server knows.
export function openDialogs(): void {
  new MutationObserver(changes => {
    for (const change of changes)
      change.addedNodes.forEach(n => {
        if (!(n instanceof HTMLElement)) return;
        const dialog = n.matches('dialog[data-modal]') ? n as HTMLDialogElement : n.querySelector<HTMLDialogElement>('dialog[data-modal]');
        if (dialog && !dialog.open) dialog.showModal();
      });
  }).observe(document.body, { childList: true, subtree: true });
  document.addEventListener('cancel', e => {
    const cancel = (e.target as Element).querySelector<HTMLButtonElement>('[data-cancel]');
    if (cancel) { e.preventDefault(); cancel.click(); }
  }, true);
}
