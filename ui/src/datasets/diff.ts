/** What differs between two versions of an example, member by member. Pure. */

import type { Diff, ExampleLine, ExamplePart, Kind } from "../api/datasets";
import { Exact, isBranch } from "../payload/jsonRows";

export interface MemberChange {
  /** Such as inputs.messages[0].content. */
  path: string;
  kind: Kind;
  before: string | null;
  after: string | null;
}

const DEEPEST = 40;
const MOST = 500;

/** In the order of the documents; of lists item by item. At most MOST. */
export function memberChanges(before: Partial<Record<ExamplePart, unknown>>, after: Partial<Record<ExamplePart, unknown>>): MemberChange[] {
  const found: MemberChange[] = [];
  for (const part of ["inputs", "outputs", "metadata"] as const) walk(part, before[part], after[part], 0, found);
  return found;
}

function walk(path: string, before: unknown, after: unknown, depth: number, found: MemberChange[]): void {
  if (found.length >= MOST || same(before, after)) return;
  if (before === undefined || after === undefined) {
    found.push({ path, kind: before === undefined ? "added" : "removed", before: said(before), after: said(after) });
    return;
  }
  if (depth < DEEPEST && isBranch(before) && isBranch(after) && Array.isArray(before) === Array.isArray(after)) {
    if (Array.isArray(before) && Array.isArray(after)) {
      for (let at = 0; at < Math.max(before.length, after.length); at += 1) walk(`${path}[${at}]`, before[at], after[at], depth + 1, found);
      return;
    }
    const [left, right] = [before as Record<string, unknown>, after as Record<string, unknown>];
    for (const name of new Set([...Object.keys(left), ...Object.keys(right)])) walk(`${path}.${name}`, own(left, name), own(right, name), depth + 1, found);
    return;
  }
  found.push({ path, kind: "changed", before: said(before), after: said(after) });
}

const own = (of: Record<string, unknown>, name: string): unknown => (Object.hasOwn(of, name) ? of[name] : undefined);

function same(left: unknown, right: unknown): boolean {
  return left === right || (left instanceof Exact && right instanceof Exact && left.source === right.source);
}

/** Text as it is, everything else as JSON. */
function said(value: unknown): string | null {
  if (value === undefined) return null;
  if (value instanceof Exact) return value.source;
  if (typeof value === "string") return value;
  return JSON.stringify(value, (_, inner: unknown) => (inner instanceof Exact ? inner.source : inner)) ?? null;
}

export interface DiffRow extends ExampleLine {
  kind: Kind;
}

/** Rows of the list of differences: changed first, then added, then removed; of one kind when one is chosen. */
export function diffRows(diff: Diff, only: Kind | null): DiffRow[] {
  return (["changed", "added", "removed"] as const)
    .filter((kind) => only === null || kind === only)
    .flatMap((kind) => diff[kind].examples.map((example) => ({ ...example, kind })));
}
