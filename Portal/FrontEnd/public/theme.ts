const key = 'theme';

function chosen(): string {
  try { return localStorage.getItem(key) ?? ''; } catch { return ''; }
}

export function applyTheme(): void {
  const theme = chosen();
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
}

export function offerThemes(): void {
  const label = document.getElementById('theme');
  const select = label?.querySelector('select');
  if (!label || !select) return;
  label.hidden = false;
  select.value = chosen();
  select.addEventListener('change', () => {
    try { localStorage.setItem(key, select.value); } catch { /* not kept, but shown */ }
    if (select.value) document.documentElement.dataset.theme = select.value; else applyTheme();
  });
}
