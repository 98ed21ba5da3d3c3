// Runs before the first paint, so that a chosen theme or a narrow rail never flashes.
(() => {
  try {
    const root = document.documentElement;
    const theme = localStorage.getItem('theme');
    if (theme === 'light' || theme === 'dark') root.dataset.theme = theme;
    if (localStorage.getItem('rail') === 'narrow') root.dataset.rail = 'narrow';
  } catch { /* storage is closed to us: the system's wish stands */ }
})();
