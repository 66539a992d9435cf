/** A button that copies, and says so. */

import { type ReactNode, useState } from "react";

export function Copy({ text, label = "Copy", children }: { text: string | (() => string); label?: string; children?: ReactNode }): ReactNode {
  const [said, say] = useState<string | null>(null);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(typeof text === "function" ? text() : text);
      say("Copied");
    } catch {
      say("Not allowed");
    }
    setTimeout(() => say(null), 1500);
  };
  return (
    <button type="button" className="button small" onClick={() => void copy()} title={label}>
      <span aria-live="polite">{said ?? children ?? label}</span>
    </button>
  );
}
