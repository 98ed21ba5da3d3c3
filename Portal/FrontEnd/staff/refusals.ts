// Called by the server once a refusal is drawn: the cursor goes to the first field that is wrong, out of whatever is folded around it.
export function findRefusals(): void {
  (window as unknown as { portalFocusWrong: () => void }).portalFocusWrong = () => {
    const wrong = document.querySelector<HTMLElement>('dialog[open] [aria-invalid=true]') ?? document.querySelector<HTMLElement>('[aria-invalid=true]');
    const folded = wrong?.closest('details');
    if (folded) folded.open = true;
    wrong?.focus();
  };
}
