// Text that a person has typed and not sent is kept in this tab ([data-draft="key"]), put back when the field appears empty again
// (after a restart of the server), and told to the server again after a reconnect.
type Field = HTMLInputElement | HTMLTextAreaElement;
const prefix = 'draft:';

const isDraft = (node: EventTarget | null): node is Field =>
  (node instanceof HTMLInputElement || node instanceof HTMLTextAreaElement) && !!node.dataset.draft;

function announce(field: Field): void {
  field.dispatchEvent(new Event('input', { bubbles: true }));
  field.dispatchEvent(new Event('change', { bubbles: true }));
}

export function announceDrafts(): void {
  document.querySelectorAll<Field>('[data-draft]').forEach(announce);
}

function restore(root: ParentNode): void {
  const found = [...root.querySelectorAll<Field>('[data-draft]')];
  if (isDraft(root as unknown as EventTarget)) found.push(root as unknown as Field);
  for (const field of found) {
    const kept = sessionStorage.getItem(prefix + field.dataset.draft!);
    if (!kept || field.value) continue;
    field.value = kept;
    announce(field);
  }
}

export function keepDrafts(): void {
  document.addEventListener('input', e => {
    if (!isDraft(e.target)) return;
    const key = prefix + e.target.dataset.draft!;
    if (e.target.value) sessionStorage.setItem(key, e.target.value);
    else sessionStorage.removeItem(key);
  });
  new MutationObserver(changes => {
    for (const change of changes)
      change.addedNodes.forEach(n => { if (n instanceof HTMLElement) restore(n); });
  }).observe(document.body, { childList: true, subtree: true });
  // Called by the server: whether something is kept under this key, and when the text was sent.
  (window as unknown as { portalHasDraft: (key: string) => boolean }).portalHasDraft = key => !!sessionStorage.getItem(prefix + key);
  (window as unknown as { portalForgetDrafts: (start: string) => void }).portalForgetDrafts = start => {
    for (const key of Object.keys(sessionStorage)) if (key.startsWith(prefix + start)) sessionStorage.removeItem(key);
  };
  restore(document);
}
