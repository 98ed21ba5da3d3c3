// Called by the server once a refusal is drawn: the cursor goes to the first wrong field of the form that was sent, out of whatever is folded around it.
let sent: HTMLElement | null = null;

export function findRefusals(): void {
  document.addEventListener('submit', e => { sent = e.target as HTMLElement; }, true);
  (window as unknown as { portalFocusWrong: () => void }).portalFocusWrong = () => {
    const wrong = (sent?.isConnected ? sent : document).querySelector<HTMLElement>('[aria-invalid=true]');
    const folded = wrong?.closest('details');
    if (folded) folded.open = true;
    wrong?.focus();
  };
}
