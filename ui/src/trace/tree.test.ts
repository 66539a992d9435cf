import { describe, expect, test } from "vitest";

import type { TraceColumns } from "../api/types";
import { above, collapsedAtFirst, criticalPath, find, idOf, layOut, nextError, rowsOf } from "./tree";

type Row = { parent: number; name?: string; start?: number; took?: number; status?: string; tokens?: number; type?: string };

function columns(rows: Row[]): TraceColumns {
  const raw = rows.map((_, at) => String.fromCharCode(...Array.from({ length: 16 }, (_, b) => (b === 15 ? at & 255 : b === 14 ? at >> 8 : 7)))).join("");
  const told = (texts: string[]): [string[], number[]] => {
    const known = [...new Set(texts)];
    return [known, texts.map((text) => known.indexOf(text))];
  };
  const [names, name] = told(rows.map((row) => row.name ?? "step"));
  const [types, type] = told(rows.map((row) => row.type ?? "chain"));
  const [statuses, status] = told(rows.map((row) => row.status ?? "success"));
  return {
    trace: "t", more: false, epoch: 0, ids: btoa(raw), parent: rows.map((row) => row.parent),
    names, name, types, type, statuses, status,
    start: rows.map((row) => row.start ?? 0), took: rows.map((row) => row.took ?? 1),
    tokens: Object.fromEntries(rows.flatMap((row, at) => (row.tokens ? [[at, row.tokens]] : []))), cost: {},
  };
}

const SMALL = [
  { parent: -1, name: "root", took: 100 },
  { parent: 0, name: "a", took: 30 },
  { parent: 0, name: "b", start: 40, took: 55 },
  { parent: 1, name: "a1", took: 10, status: "error" },
  { parent: 2, name: "b1", start: 50, took: 40, tokens: 7, type: "llm" },
];
const names = (rows: ArrayLike<number>): string => Array.from(rows, (run) => SMALL[run]!.name).join(" ");

describe("rows", () => {
  const trace = layOut(columns(SMALL));
  test("parents stand before their children", () => expect(names(rowsOf(trace, new Set(), "").rows)).toBe("root a a1 b b1"));
  test("what is collapsed hides what is below", () => expect(names(rowsOf(trace, new Set([1]), "").rows)).toBe("root a b b1"));
  test("a search shows matches and what is above them", () => {
    const found = rowsOf(trace, new Set([0]), "A1");
    expect(names(found.rows)).toBe("root a a1");
    expect(found.matches).toBe(1);
  });
  test("a search finds type and status too", () => {
    expect(rowsOf(trace, new Set(), "llm").matches).toBe(1);
    expect(rowsOf(trace, new Set(), "a error").matches).toBe(1);
  });
});

describe("figures", () => {
  const trace = layOut(columns(SMALL));
  test("sums go up the tree", () => {
    expect(Array.from(trace.tokens)).toEqual([7, 0, 7, 0, 7]);
    expect(Array.from(trace.errors)).toEqual([1, 1, 0, 1, 0]);
    expect(Array.from(trace.family)).toEqual([5, 2, 2, 1, 1]);
  });
  test("a model call that tells its own figures counts once", () => {
    const nested = layOut(columns([{ parent: -1 }, { parent: 0, type: "llm", tokens: 9 }, { parent: 1, type: "llm", tokens: 9 }]));
    expect(nested.tokens[0]).toBe(9);
  });
  test("the critical path leads to the end", () => expect(names([...criticalPath(trace)].sort())).toBe("root a b a1 b1"));
  test("what runs beside it is not on it", () => {
    const parallel = layOut(columns([{ parent: -1, took: 10 }, { parent: 0, took: 10 }, { parent: 0, start: 1, took: 2 }]));
    expect([...criticalPath(parallel)]).toEqual([0, 1]);
  });
  test("what has not ended reaches to the end", () => {
    const open = layOut(columns([{ parent: -1, took: -1 }, { parent: 0, took: 50 }]));
    expect(open.end[0]).toBe(50);
  });
});

describe("ways through a trace", () => {
  const trace = layOut(columns(SMALL));
  test("ids are found again", () => {
    for (let run = 0; run < trace.size; run++) expect(find(trace, idOf(trace, run))).toBe(run);
    expect(find(trace, "nonsense")).toBe(-1);
  });
  test("from error to error, round and round", () => {
    expect(nextError(trace, 0, 1)).toBe(3);
    expect(nextError(trace, 3, 1)).toBe(3);
    expect(nextError(trace, -1, -1)).toBe(3);
    expect(nextError(layOut(columns([{ parent: -1 }])), 0, 1)).toBe(-1);
  });
  test("the way up", () => expect(above(trace, 4)).toEqual([2, 0]));
});

describe("hostile traces", () => {
  test("rings and runs that are their own parents are shown", () => {
    const trace = layOut(columns([{ parent: 1 }, { parent: 0 }, { parent: 2 }, { parent: 99 }]));
    expect(rowsOf(trace, new Set(), "").rows.length).toBe(4);
  });
  test("a chain of 50,000 overflows no stack", () => {
    const trace = layOut(columns(Array.from({ length: 50_000 }, (_, at) => ({ parent: at - 1 }))));
    expect(trace.depth[49_999]).toBe(49_999);
    expect(criticalPath(trace).size).toBeGreaterThan(0);
  });
  test("of a large trace the first levels are open", () => {
    const trace = layOut(columns(Array.from({ length: 50_000 }, (_, at) => ({ parent: Math.floor((at - 1) / 10) }))));
    const shown = rowsOf(trace, collapsedAtFirst(trace), "").rows.length;
    expect(shown).toBeGreaterThan(100);
    expect(shown).toBeLessThanOrEqual(2000);
  });
});
