/** Light, dark, or as the system has it. */

import { useEffect, useState } from "react";

export type Theme = "system" | "light" | "dark";
const KEY = "stenograph.theme";
const NEXT: Record<Theme, Theme> = { system: "light", light: "dark", dark: "system" };

function stored(): Theme {
  const found = localStorage.getItem(KEY);
  return found === "light" || found === "dark" ? found : "system";
}

export function applyTheme(theme: Theme = stored()): void {
  if (theme === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
  window.dispatchEvent(new Event("stenograph:theme"));
}

export function useTheme(): [Theme, () => void] {
  const [theme, set] = useState(stored);
  useEffect(() => applyTheme(theme), [theme]);
  return [
    theme,
    () => {
      const next = NEXT[theme];
      if (next === "system") localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, next);
      set(next);
    },
  ];
}

/** Counts up whenever colours change, so that canvases are drawn anew. */
export function useColours(): number {
  const [turn, set] = useState(0);
  useEffect(() => {
    const changed = (): void => set((now) => now + 1);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", changed);
    window.addEventListener("stenograph:theme", changed);
    return () => {
      dark.removeEventListener("change", changed);
      window.removeEventListener("stenograph:theme", changed);
    };
  }, []);
  return turn;
}

export const colour = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
