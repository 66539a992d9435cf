/** What lies over the page: at its side, or in its middle. Escape closes it, and the focus goes back to where it was. */

import { type ReactNode, useEffect, useRef } from "react";

export function Sheet({ title, close, middle = false, children }: { title: string; close: () => void; middle?: boolean; children: ReactNode }): ReactNode {
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = box.current;
    if (dialog && !dialog.open) dialog.showModal();
  }, []);
  return (
    <dialog
      ref={box}
      className={middle ? "sheet middle" : "sheet"}
      aria-label={title}
      onCancel={(event) => {
        event.preventDefault();
        if (event.target === box.current) close(); // and not that of one that lies over it
      }}
      onClick={(event) => event.target === box.current && close()}
    >
      <div className="sheet-inside">{children}</div>
    </dialog>
  );
}
