/** What the settings of retention say in words. Pure. */

import type { Asked, Going, OwnProject, Tier } from "../api/retention";

const whole = (value: number): string => value.toLocaleString("en");
const many = (value: number, one: string): string => `${whole(value)} ${one}${value === 1 ? "" : "s"}`;

/** "30 days", or "for ever". */
export const daysWords = (days: number | null): string => (days === null ? "for ever" : many(days, "day"));

export const goingWords = (going: Going): string => `${many(going.traces, "trace")} (${many(going.runs, "run")})`;

/** What holds for a project without a say of its own. */
export function rule(asked: Asked): string {
  const plain = asked.tier === "shortlived" ? asked.short : asked.long;
  if (plain === null) return "Traces are kept until somebody deletes them.";
  const judged = asked.long === null ? null : Math.max(plain, asked.long);
  const same = judged === plain;
  return same ? `Traces are deleted ${daysWords(plain)} after they were last used.` : `Traces are deleted ${daysWords(plain)} after they were last used, judged ones ${judged === null ? "never" : `after ${daysWords(judged)}`}.`;
}

/** Days as typed: null for none, a text that says what is wrong. */
export function typedDays(text: string, most: number): number | null | string {
  const trimmed = text.trim();
  if (!trimmed) return null;
  const days = Number(trimmed);
  return /^\d+$/.test(trimmed) && days >= 1 && days <= most ? days : `Days are a whole number from 1 to ${whole(most)}, or nothing for ever.`;
}

export type Way = "workspace" | "short" | "long" | "days" | "ever";

export const WAYS: readonly (readonly [Way, string])[] = [
  ["workspace", "as the workspace says"],
  ["short", "as traces in general"],
  ["long", "as judged traces"],
  ["days", "for days of its own"],
  ["ever", "for ever"],
];

/** What a project says for that, as it is sent. Days above all others stand for ever. */
export function said(way: Way, days: number | null, most: number): { tier: Tier | null; days: number | null } {
  if (way === "workspace") return { tier: null, days: null };
  if (way === "short") return { tier: "shortlived", days: null };
  if (way === "long") return { tier: "longlived", days: null };
  return { tier: "longlived", days: way === "ever" ? most : days };
}

/** How a project's traces are kept: the days that it comes to. */
export function comesTo(project: OwnProject): string {
  if (project.plain === null) return "for ever";
  return project.judged === project.plain ? daysWords(project.plain) : `${daysWords(project.plain)}, judged ones ${daysWords(project.judged)}`;
}
