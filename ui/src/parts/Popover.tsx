/** A button with a panel below it, moved aside where it would leave the window. Escape and a click elsewhere close it. */

import { type ReactNode, useEffect, useId, useLayoutEffect, useRef, useState } from "react";

const MARGIN = 8;

/** Pixels to the right by which what lies between two edges stays in a window of that width; its left end matters more. */
export function intoWindow(left: number, right: number, width: number): number {
  if (right > width - MARGIN) return Math.max(width - MARGIN - right, MARGIN - left);
  return Math.max(0, MARGIN - left);
}

export function Popover({ label, title, children, align = "right" }: { label: ReactNode; title: string; children: (close: () => void) => ReactNode; align?: "left" | "right" }): ReactNode {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const panel = useRef<HTMLDivElement>(null);
  const id = useId();
  useLayoutEffect(() => {
    const element = panel.current;
    if (!open || element === null) return;
    const place = (): void => {
      element.style.translate = "none";
      const { left, right } = element.getBoundingClientRect();
      element.style.translate = `${intoWindow(left, right, document.documentElement.clientWidth)}px`;
    };
    place();
    addEventListener("resize", place);
    return () => removeEventListener("resize", place);
  }, [open]);
  useEffect(() => {
    if (!open) return;
    const elsewhere = (event: PointerEvent): void => {
      if (!box.current?.contains(event.target as Node)) setOpen(false);
    };
    const escape = (event: KeyboardEvent): void => {
      if (event.key !== "Escape") return;
      setOpen(false);
      button.current?.focus();
    };
    document.addEventListener("pointerdown", elsewhere);
    document.addEventListener("keydown", escape);
    return () => {
      document.removeEventListener("pointerdown", elsewhere);
      document.removeEventListener("keydown", escape);
    };
  }, [open]);
  return (
    <div className="popover" ref={box}>
      <button ref={button} type="button" className="button" aria-expanded={open} aria-controls={id} onClick={() => setOpen(!open)}>
        {label}
      </button>
      {open && (
        <div ref={panel} id={id} className={`panel ${align}`} role="group" aria-label={title}>
          {children(() => setOpen(false))}
        </div>
      )}
    </div>
  );
}
