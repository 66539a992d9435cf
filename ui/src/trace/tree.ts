/**
 * A trace as arrays, and the rows that its tree shows. No DOM here: 100,000 runs are laid out in milliseconds.
 *
 * Runs are numbered as they came, oldest first. `order` lists them as a tree reads: parents before their children.
 */

import type { TraceColumns } from "../api/types";

export interface Trace {
  readonly size: number;
  readonly columns: TraceColumns;
  readonly bytes: Uint8Array;
  readonly parent: Int32Array;
  readonly depth: Int32Array;
  /** Runs in reading order, and where each stands in it. */
  readonly order: Int32Array;
  readonly place: Int32Array;
  /** Runs of the subtree, the run itself included. */
  readonly family: Int32Array;
  /** Errors below the run, itself included. */
  readonly errors: Int32Array;
  /** Tokens and dollars of the subtree. */
  readonly tokens: Float64Array;
  readonly cost: Float64Array;
  /** Microseconds from the trace's start; what has not ended reaches to the end of the trace. */
  readonly start: ArrayLike<number>;
  readonly end: Float64Array;
  readonly length: number;
  readonly failed: Uint8Array;
}

export function layOut(columns: TraceColumns): Trace {
  const size = columns.start.length;
  const bytes = decode(columns.ids);
  const parent = Int32Array.from(columns.parent);
  const { order, depth } = readingOrder(parent);
  const place = new Int32Array(size);
  order.forEach((run, at) => (place[run] = at));
  let length = 1;
  for (let run = 0; run < size; run++) {
    length = Math.max(length, columns.start[run]! + Math.max(0, columns.took[run]!));
  }
  const end = new Float64Array(size);
  const failed = new Uint8Array(size);
  const errorStatus = columns.statuses.indexOf("error");
  for (let run = 0; run < size; run++) {
    end[run] = columns.took[run]! < 0 ? length : columns.start[run]! + columns.took[run]!;
    failed[run] = columns.status[run] === errorStatus ? 1 : 0;
  }
  const family = new Int32Array(size).fill(1);
  const errors = Int32Array.from(failed);
  const tokens = new Float64Array(size);
  const cost = new Float64Array(size);
  for (const [run, value] of Object.entries(columns.tokens)) tokens[Number(run)] = value;
  for (const [run, value] of Object.entries(columns.cost)) cost[Number(run)] = value;
  const ownTokens = tokens.slice();
  const ownCost = cost.slice();
  const llm = columns.types.indexOf("llm");
  for (let at = size - 1; at >= 0; at--) {
    const run = order[at]!;
    // A call of a model that tells its own figures has those of what it called in them.
    if (columns.type[run] === llm && ownTokens[run]! > 0) {
      tokens[run] = ownTokens[run]!;
      cost[run] = ownCost[run]!;
    }
    const up = parent[run]!;
    if (up < 0) continue;
    family[up]! += family[run]!;
    errors[up]! += errors[run]!;
    tokens[up]! += tokens[run]!;
    cost[up]! += cost[run]!;
  }
  return { size, columns, bytes, parent, depth, order, place, family, errors, tokens, cost, start: columns.start, end, length, failed };
}

/** Parents before children, siblings as they came. A run whose parents form a ring becomes a root: none is lost. */
function readingOrder(parent: Int32Array): { order: Int32Array; depth: Int32Array } {
  const size = parent.length;
  const first = new Int32Array(size).fill(-1);
  const next = new Int32Array(size).fill(-1);
  for (let run = size - 1; run >= 0; run--) {
    const up = parent[run]!;
    if (up === run || up >= size) parent[run] = -1;
    else if (up >= 0) {
      next[run] = first[up]!;
      first[up] = run;
    }
  }
  const order = new Int32Array(size);
  const depth = new Int32Array(size);
  const seen = new Uint8Array(size);
  let at = 0;
  const walk = (root: number): void => {
    const stack = [root];
    depth[root] = 0;
    while (stack.length) {
      const run = stack.pop()!;
      if (seen[run]) continue;
      seen[run] = 1;
      order[at++] = run;
      const below: number[] = [];
      for (let child = first[run]!; child >= 0; child = next[child]!) {
        if (seen[child]) continue;
        depth[child] = depth[run]! + 1;
        below.push(child);
      }
      while (below.length) stack.push(below.pop()!);
    }
  };
  for (let run = 0; run < size; run++) if (parent[run]! < 0) walk(run);
  for (let run = 0; run < size; run++) {
    if (seen[run]) continue;
    parent[run] = -1;
    walk(run);
  }
  return { order, depth };
}

function decode(text: string): Uint8Array {
  const raw = atob(text);
  const found = new Uint8Array(raw.length);
  for (let at = 0; at < raw.length; at++) found[at] = raw.charCodeAt(at);
  return found;
}

export function idOf(trace: Trace, run: number): string {
  let text = "";
  for (let at = 16 * run; at < 16 * run + 16; at++) text += trace.bytes[at]!.toString(16).padStart(2, "0");
  return `${text.slice(0, 8)}-${text.slice(8, 12)}-${text.slice(12, 16)}-${text.slice(16, 20)}-${text.slice(20)}`;
}

/** The run of that id; -1 when the trace has none. */
export function find(trace: Trace, id: string): number {
  const hex = id.replaceAll("-", "").toLowerCase();
  if (!/^[0-9a-f]{32}$/.test(hex)) return -1;
  const wanted = Array.from({ length: 16 }, (_, at) => parseInt(hex.slice(2 * at, 2 * at + 2), 16));
  for (let run = 0; run < trace.size; run++) {
    let at = 0;
    while (at < 16 && trace.bytes[16 * run + at] === wanted[at]) at++;
    if (at === 16) return run;
  }
  return -1;
}

export const nameOf = (trace: Trace, run: number): string => trace.columns.names[trace.columns.name[run]!] ?? "";
export const typeOf = (trace: Trace, run: number): string => trace.columns.types[trace.columns.type[run]!] ?? "";
export const statusOf = (trace: Trace, run: number): string => trace.columns.statuses[trace.columns.status[run]!] ?? "";

export interface Shown {
  /** Runs in the order of the rows. */
  readonly rows: Int32Array;
  /** How many match the search; null without one. */
  readonly matches: number | null;
  readonly isMatch: Uint8Array | null;
}

/** The rows of the tree: what is below a collapsed run is left out; of a search, matches with what is above them. */
export function rowsOf(trace: Trace, collapsed: ReadonlySet<number>, search: string): Shown {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const rows = new Int32Array(trace.size);
  let count = 0;
  if (words.length === 0) {
    for (let at = 0; at < trace.size; ) {
      const run = trace.order[at]!;
      rows[count++] = run;
      at += collapsed.has(run) ? trace.family[run]! : 1;
    }
    return { rows: rows.subarray(0, count), matches: null, isMatch: null };
  }
  const isMatch = matching(trace, words);
  const kept = new Uint8Array(trace.size);
  let matches = 0;
  for (let run = 0; run < trace.size; run++) {
    if (!isMatch[run]) continue;
    matches++;
    for (let up = run; up >= 0 && !kept[up]; up = trace.parent[up]!) kept[up] = 1;
  }
  for (let at = 0; at < trace.size; at++) {
    const run = trace.order[at]!;
    if (kept[run]) rows[count++] = run;
  }
  return { rows: rows.subarray(0, count), matches, isMatch };
}

/** Which runs have all the words in name, type or status: looked up once for each different name. */
function matching(trace: Trace, words: readonly string[]): Uint8Array {
  const { columns } = trace;
  const [names, types, statuses] = [columns.names, columns.types, columns.statuses].map((texts) =>
    texts.map((text) => words.map((word) => text.toLowerCase().includes(word))),
  ) as [boolean[][], boolean[][], boolean[][]];
  const found = new Uint8Array(trace.size);
  for (let run = 0; run < trace.size; run++) {
    const [name, type, status] = [names[columns.name[run]!]!, types[columns.type[run]!]!, statuses[columns.status[run]!]!];
    found[run] = words.every((_, at) => name[at] || type[at] || status[at]) ? 1 : 0;
  }
  return found;
}

/** What is collapsed at first: of a large trace all but its first levels, save the way to errors in a small part. */
export function collapsedAtFirst(trace: Trace, most = 2000): Set<number> {
  const collapsed = new Set<number>();
  if (trace.size <= most) return collapsed;
  const at: number[] = [];
  for (let run = 0; run < trace.size; run++) {
    const depth = trace.depth[run]!;
    at[depth] = (at[depth] ?? 0) + 1;
  }
  let shown = 0;
  let level = 0;
  while (level < at.length && shown + at[level]! <= most) shown += at[level++]!;
  level = Math.max(1, level);
  for (let run = 0; run < trace.size; run++) {
    if (trace.depth[run] === level - 1 && trace.family[run]! > 1) collapsed.add(run);
  }
  return collapsed;
}

/** All runs that have children. */
export function parents(trace: Trace): Set<number> {
  const found = new Set<number>();
  for (let run = 0; run < trace.size; run++) if (trace.family[run]! > 1) found.add(run);
  return found;
}

/** The runs above, so that they can be opened. */
export function above(trace: Trace, run: number): number[] {
  const found: number[] = [];
  for (let up = trace.parent[run]!; up >= 0; up = trace.parent[up]!) found.push(up);
  return found;
}

/**
 * The runs that decide when the trace ends: going back from its end, each time the child that ended last before.
 */
export function criticalPath(trace: Trace): Set<number> {
  const path = new Set<number>();
  const children = new Map<number, number[]>();
  for (let run = 0; run < trace.size; run++) {
    const up = trace.parent[run]!;
    if (up < 0) continue;
    const own = children.get(up);
    if (own) own.push(run);
    else children.set(up, [run]);
  }
  const open: [number, number][] = trace.size ? [[trace.order[0]!, trace.length]] : [];
  while (open.length) {
    const [run, until] = open.pop()!;
    path.add(run);
    let time = Math.min(until, trace.end[run]!);
    const below = (children.get(run) ?? []).toSorted((a, b) => trace.end[b]! - trace.end[a]!);
    for (const child of below) {
      if (trace.end[child]! <= time && trace.start[child]! < time) {
        open.push([child, time]);
        time = trace.start[child]!;
      }
    }
  }
  return path;
}

/** The next failed run in reading order, after or before this one; -1 when there is none. Goes round. */
export function nextError(trace: Trace, from: number, step: 1 | -1): number {
  const begin = from < 0 ? (step === 1 ? -1 : 0) : trace.place[from]!;
  for (let passed = 1; passed <= trace.size; passed++) {
    const run = trace.order[(((begin + step * passed) % trace.size) + trace.size) % trace.size]!;
    if (trace.failed[run]) return run;
  }
  return -1;
}
