// Theme and width of the rail: of this browser, without the server.
function keep(key: 'theme' | 'rail', value: string): void {
  const root = document.documentElement;
  if (value) root.dataset[key] = value;
  else delete root.dataset[key];
  try {
    if (value) localStorage.setItem(key, value);
    else localStorage.removeItem(key);
  } catch { /* not kept beyond this page */ }
}

export function listenToPreferences(): void {
  const mark = (): void => document.querySelectorAll<HTMLElement>('[data-set-theme]').forEach(b =>
    b.setAttribute('aria-pressed', String((document.documentElement.dataset.theme ?? '') === b.dataset.setTheme)));
  document.addEventListener('click', e => {
    const target = e.target as Element;
    const theme = target.closest<HTMLElement>('[data-set-theme]');
    if (theme) keep('theme', theme.dataset.setTheme!);
    if (target.closest('[data-toggle-rail]')) keep('rail', document.documentElement.dataset.rail === 'narrow' ? '' : 'narrow');
    mark();
  });
}
