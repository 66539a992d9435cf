/** What settings say in words. Pure. */

import type { Key, Outcome, OwnPrice } from "../api/settings";

export const ROLES: readonly (readonly [string, string])[] = [
  ["ingest", "writes runs and feedback, reads nothing"],
  ["read", "reads"],
  ["write", "reads and writes"],
  ["admin", "all of it, keys and members too"],
];

export const aboutRole = (role: string): string => ROLES.find(([each]) => each === role)?.[1] ?? "";

export function stateOf(key: Key): "active" | "revoked" | "expired" {
  return key.revoked !== null ? "revoked" : key.active ? "active" : "expired";
}

/** The day of today where the viewer is, as fields of dates have it. */
export function today(now = new Date()): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
}

/** The last moment of a day where the viewer is, in microseconds since the epoch; null where none is chosen. */
export function endOf(day: string): number | null {
  const [year, month, date] = day.split("-").map(Number);
  if (!year || !month || !date) return null;
  return (new Date(year, month - 1, date + 1).getTime() - 1) * 1000;
}

export interface PriceDraft {
  name: string;
  pattern: string;
  provider: string;
  input: string;
  output: string;
}

export const NEW_PRICE: PriceDraft = { name: "", pattern: "", provider: "", input: "", output: "" };

export const draftOf = (price: OwnPrice): PriceDraft => ({ name: price.name, pattern: price.pattern, provider: price.provider ?? "", input: price.input, output: price.output });

/** A pattern that finds models of exactly this name. */
export const patternOf = (name: string): string => (name.trim() ? `^${name.trim().replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}$` : "");

const PRICE = /^\d{1,9}(\.\d{1,18})?$/;

/** The price as it is sent, or what it lacks. Texts, so that no decimal is lost. */
export function priceOf(draft: PriceDraft): PriceDraft | string {
  const name = draft.name.trim();
  if (!name) return "Say which model the price is for.";
  const [input, output] = [draft.input.trim().replace(",", "."), draft.output.trim().replace(",", ".")];
  if (!PRICE.test(input) || !PRICE.test(output)) return "Prices are dollars for a million tokens, such as 2.50.";
  return { name, pattern: draft.pattern.trim() || patternOf(name), provider: draft.provider.trim(), input, output };
}

const OUTCOMES: Record<string, string> = {
  stored: "stored",
  accepted: "accepted, stored as soon as the run store answers",
  refused: "refused again",
  superseded: "superseded by what is newer",
  deleted: "of something that was deleted",
  unreadable: "unreadable",
  replayed: "replayed before",
  unknown: "gone",
};

/** What became of letters, in a sentence: "2 stored, 1 refused again (why)." */
export function told(outcomes: readonly Outcome[]): string {
  const counts = new Map<string, number>();
  for (const one of outcomes) counts.set(one.outcome, (counts.get(one.outcome) ?? 0) + 1);
  const reason = outcomes.find((one) => one.outcome === "refused")?.reason;
  const parts = [...counts].map(([outcome, count]) => `${count} ${OUTCOMES[outcome] ?? outcome}`);
  return `${parts.join(", ")}${reason ? ` (${reason.slice(0, 200)})` : ""}.`;
}

/** Parts with anything in them, the largest first, each with its share of the whole. */
export function shares(parts: Record<string, number>): { name: string; bytes: number; share: number }[] {
  const whole = Object.values(parts).reduce((sum, size) => sum + size, 0);
  return Object.entries(parts)
    .filter(([, size]) => size > 0)
    .sort((one, other) => other[1] - one[1])
    .map(([name, size]) => ({ name, bytes: size, share: size / whole }));
}
