/** Marks of a run: how it ended, and of what kind it is. Never colour alone. */

import type { ReactNode } from "react";

const SIGNS: Record<string, string> = { success: "✓", error: "✕", pending: "…" };

export function Status({ status }: { status: string }): ReactNode {
  return (
    <span className={`status ${status in SIGNS ? status : "pending"}`} role="img" aria-label={status} title={status}>
      {SIGNS[status] ?? "?"}
    </span>
  );
}

const KINDS: Record<string, string> = { llm: "llm", tool: "tool", retriever: "find", chain: "chain", embedding: "embed", prompt: "prompt", parser: "parse" };

export function Kind({ type }: { type: string }): ReactNode {
  return (
    <span className={`kind kind-${type in KINDS ? type : "other"}`} title={type}>
      {KINDS[type] ?? type.slice(0, 6)}
    </span>
  );
}
