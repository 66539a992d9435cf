/** A page that stays open while the server is upgraded asks for parts of itself that are gone: it is loaded anew. */

const AT = "stenograph.loaded-anew";
const SECONDS = 30;

/** Whether to load anew at this time (milliseconds), after it was last done at that: once, and not in circles. */
export function mayLoadAnew(now: number, last: string | null): boolean {
  const before = Number(last ?? Number.NaN);
  return Number.isNaN(before) || now - before > SECONDS * 1000 || now < before;
}

export function loadAnewWhenUpgraded(): void {
  addEventListener("vite:preloadError", () => {
    if (!mayLoadAnew(Date.now(), sessionStorage.getItem(AT))) return;
    sessionStorage.setItem(AT, String(Date.now()));
    location.reload();
  });
}
