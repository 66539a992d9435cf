/** Experiments side by side: which examples got better or worse than in the first of them, and in which order. Pure. */

import type { Compared, ComparedColumn } from "../api/datasets";

export type Show = "all" | "regressed" | "improved";

/** By what examples are held against each other: a feedback key, or one of these. */
export const FIGURES = ["latency", "cost"] as const;
export type Figure = (typeof FIGURES)[number];

/** Means that differ by less than arithmetic may make of equal scores are equal: the server's rule, too. */
const DIGITS = 9;

export interface Judged {
  /** The row's place in what the server sent. */
  at: number;
  /** By column the change against the first, positive for better; null where either has no score. */
  changes: (number | null)[];
  regressed: boolean;
  improved: boolean;
}

export function valuesOf(column: ComparedColumn, key: string): readonly (number | null)[] {
  if (key === "latency" || key === "cost") return column[key];
  return column.scores[key.slice(SCORE.length)] ?? [];
}

/** Keys are told from figures by what stands before them: a key may be called latency. */
export const SCORE = "score:";

export function lowerIsBetter(compared: Compared, key: string): boolean {
  if (key === "latency" || key === "cost") return true;
  return compared.keys.some((one) => SCORE + one.key === key && one.lower);
}

export function change(before: number | null | undefined, after: number | null | undefined, lower: boolean): number | null {
  if (before === null || before === undefined || after === null || after === undefined) return null;
  return Number((after - before).toFixed(DIGITS)) * (lower ? -1 : 1) || 0;
}

export function judged(compared: Compared, key: string): Judged[] {
  const lower = lowerIsBetter(compared, key);
  const values = compared.columns.map((column) => valuesOf(column, key));
  return compared.examples.id.map((_, at) => {
    const changes = values.map((column, place) => (place === 0 ? null : change(values[0]![at], column[at], lower)));
    return { at, changes, regressed: changes.some((one) => one !== null && one < 0), improved: changes.some((one) => one !== null && one > 0) };
  });
}

/**
 * Those that are wanted: the worst regression first, then what stayed, then what only improved, the most last. What
 * failed in another than the first, and not there, comes before all the rest; ties keep the order of the dataset.
 */
export function ordered(compared: Compared, rows: readonly Judged[], show: Show): Judged[] {
  const wanted = rows.filter((row) => show === "all" || (show === "regressed" ? row.regressed : row.improved));
  const worst = new Map(wanted.map((row) => [row.at, show === "improved" ? -best(row) : least(row)]));
  const broke = new Map(wanted.map((row) => [row.at, show !== "improved" && newlyFailed(compared, row.at) ? 0 : 1]));
  return wanted.sort((a, b) => broke.get(a.at)! - broke.get(b.at)! || worst.get(a.at)! - worst.get(b.at)! || a.at - b.at);
}

const known = (row: Judged): number[] => row.changes.filter((one): one is number => one !== null);
const least = (row: Judged): number => Math.min(0, ...known(row)) || Math.max(0, ...known(row));
const best = (row: Judged): number => Math.max(0, ...known(row));

export function newlyFailed(compared: Compared, at: number): boolean {
  const [first, ...others] = compared.columns;
  return first?.error[at] === null && others.some((column) => column.error[at] !== null && column.error[at] !== undefined);
}

export interface Total {
  answered: number;
  errors: number;
  latency: number | null;
  cost: number | null;
  scores: Record<string, number | null>;
  labels: Record<string, Record<string, number>>;
  improved: number;
  regressed: number;
}

/** What a column comes to over these examples; improved and regressed by the key that is looked at. */
export function totals(compared: Compared, rows: readonly Judged[]): Total[] {
  return compared.columns.map((column, place) => ({
    answered: column.run.filter((run) => run !== null).length,
    errors: column.error.filter((error) => error !== null).length,
    latency: mean(column.latency),
    cost: sum(column.cost),
    scores: Object.fromEntries(compared.keys.map(({ key }) => [key, mean(column.scores[key] ?? [])])),
    labels: Object.fromEntries(compared.keys.map(({ key }) => [key, counts(column.labels[key] ?? [])])),
    improved: rows.filter((row) => (row.changes[place] ?? 0) > 0).length,
    regressed: rows.filter((row) => (row.changes[place] ?? 0) < 0).length,
  }));
}

function mean(values: readonly (number | null)[]): number | null {
  const some = values.filter((value): value is number => value !== null);
  return some.length ? some.reduce((left, right) => left + right, 0) / some.length : null;
}

function sum(values: readonly (number | null)[]): number | null {
  const some = values.filter((value): value is number => value !== null);
  return some.length ? some.reduce((left, right) => left + right, 0) : null;
}

function counts(labels: readonly (string | null)[]): Record<string, number> {
  const found: Record<string, number> = Object.create(null) as Record<string, number>;
  for (const label of labels) if (label !== null) found[label] = (found[label] ?? 0) + 1;
  return found;
}

const LETTER = 6.9;
const AROUND = 22;
const MORE = 24;

/** How many tags with these texts, from the first on, have room in so many pixels, with a number of those left out where
 * it is not all. Of the page's small letters, roughly: what is a little too long is cut with dots. At least one. */
export function fitting(texts: readonly string[], room: number): number {
  const widths = texts.map((text) => Math.min(text.length, 18) * LETTER + AROUND);
  const all = widths.reduce((left, right) => left + right, 0);
  if (all <= room) return texts.length;
  let [left, fits] = [room - MORE, 0];
  for (const width of widths) {
    left -= width;
    if (left < 0) break;
    fits += 1;
  }
  return Math.max(1, fits);
}

export interface Preference {
  key: string;
  /** By column, how often it was preferred to all others. */
  wins: number[];
  ties: number;
}

/** Of a pairwise comparison, by key: an example with the same highest score in several columns is a tie. */
export function preferences(compared: Compared): Preference[] {
  return compared.keys.map(({ key }) => {
    const wins = compared.columns.map(() => 0);
    let ties = 0;
    compared.examples.id.forEach((_, at) => {
      const scores = compared.columns.map((column) => column.scores[key]?.[at] ?? null);
      const some = scores.filter((score): score is number => score !== null);
      if (some.length < 2) return;
      const most = Math.max(...some);
      const first = scores.indexOf(most);
      if (scores.lastIndexOf(most) === first) wins[first]! += 1;
      else ties += 1;
    });
    return { key, wins, ties };
  });
}

/** The experiments of a comparison in order: the baseline first, else the oldest. */
export function inOrder(chosen: readonly { id: string; start: number }[], baseline: string | null): string[] {
  return [...chosen].sort((a, b) => Number(b.id === baseline) - Number(a.id === baseline) || a.start - b.start).map((one) => one.id);
}
