/** Navigation that is wider than a telephone scrolls: what is current in it is brought into sight. */

import { type RefObject, useEffect, useRef } from "react";

export function useCurrentInSight(current: string | undefined): RefObject<HTMLElement | null> {
  const nav = useRef<HTMLElement>(null);
  useEffect(() => {
    const chosen = nav.current?.querySelector<HTMLElement>("[aria-current='page']");
    if (!nav.current || !chosen) return;
    const beyond = chosen.offsetLeft + chosen.offsetWidth - nav.current.clientWidth;
    if (beyond > 0 || chosen.offsetLeft < nav.current.scrollLeft) nav.current.scrollLeft = Math.max(0, beyond + 24);
  }, [current]);
  return nav;
}
