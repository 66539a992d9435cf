import { describe, expect, it } from "vitest";

import type { Compared, ComparedColumn } from "../api/datasets";
import { SCORE, change, fitting, inOrder, judged, ordered, preferences, totals } from "./comparison";

type Numbers = (number | null)[];

function column(id: string, scores: Numbers, more: Partial<ComparedColumn> = {}): ComparedColumn {
  const every = <T>(value: T): T[] => scores.map(() => value);
  return { id, name: id, number: 1, start: 0, run: every("r"), trace: every("t"), runs: every(1), output: every("o"), error: every(null), latency: every(1), tokens: every(1), cost: every(null), labels: {}, scores: { correct: scores }, ...more };
}

function compared(columns: ComparedColumn[], lower = false): Compared {
  const every = columns[0]!.run.map((_, at) => `e${at}`);
  return { total: every.length, keys: [{ key: "correct", lower }], examples: { id: every, asOf: every.map(() => 0), input: every, reference: every }, columns };
}

const BY = `${SCORE}correct`;
const places = (all: Compared, show: "all" | "regressed" | "improved"): number[] => ordered(all, judged(all, BY), show).map((row) => row.at);

describe("regressions", () => {
  it("come first, the worst before the others, and improvements last", () => {
    const all = compared([column("a", [1, 1, 0, 0.5, null]), column("b", [0.5, 0, 1, 0.5, 1])]);
    expect(places(all, "all")).toEqual([1, 0, 3, 4, 2]);
    expect(places(all, "regressed")).toEqual([1, 0]);
    expect(places(all, "improved")).toEqual([2]);
  });

  it("turn around where less is better", () => {
    const all = compared([column("a", [1, 0]), column("b", [0, 1])], true);
    expect(places(all, "regressed")).toEqual([1]);
  });

  it("are found in any column, and an example may be both", () => {
    const all = compared([column("a", [0.5, 0.5]), column("b", [1, 0.5]), column("c", [0, 0.5])]);
    expect(places(all, "regressed")).toEqual([0]);
    expect(places(all, "improved")).toEqual([0]);
    expect(judged(all, BY)[0]!.changes).toEqual([null, 0.5, -0.5]);
  });

  it("begin with what failed and did not before", () => {
    const all = compared([column("a", [1, 1]), column("b", [0, null], { error: [null, "boom"] })]);
    expect(places(all, "all")).toEqual([1, 0]);
    expect(places(all, "improved")).toEqual([]);
  });

  it("are not made of what arithmetic leaves", () => {
    expect(change(0.1 + 0.2, 0.3, false)).toBe(0);
    expect(change(null, 1, false)).toBeNull();
    expect(Object.is(change(1, 1, true), 0)).toBe(true);
  });

  it("of latency are longer, whatever keys are called", () => {
    const columns = [column("a", [1], { latency: [1], scores: { latency: [1] } }), column("b", [1], { latency: [2], scores: { latency: [2] } })];
    const all = { ...compared(columns), keys: [{ key: "latency", lower: false }] };
    expect(judged(all, "latency")[0]!.regressed).toBe(true);
    expect(judged(all, `${SCORE}latency`)[0]!.improved).toBe(true);
  });
});

describe("totals", () => {
  it("are means of what is known", () => {
    const all = compared([column("a", [1, null]), column("b", [0, 1], { cost: [0.5, 0.25], error: ["x", null], labels: { correct: ["good", "good"] } })]);
    const [first, second] = totals(all, judged(all, BY));
    expect(first).toMatchObject({ scores: { correct: 1 }, cost: null, errors: 0, regressed: 0 });
    expect(second).toMatchObject({ scores: { correct: 0.5 }, cost: 0.75, errors: 1, regressed: 1, improved: 0, answered: 2 });
    expect({ ...second!.labels["correct"] }).toEqual({ good: 2 });
  });
});

describe("preferences", () => {
  it("are counted by example, ties apart", () => {
    const all = compared([column("a", [1, 0, 0.5, null]), column("b", [0, 1, 0.5, 1])]);
    expect(preferences(all)).toEqual([{ key: "correct", wins: [1, 1], ties: 1 }]);
  });
});

it("puts the baseline first, else the oldest", () => {
  const chosen = [{ id: "new", start: 2 }, { id: "old", start: 1 }];
  expect(inOrder(chosen, null)).toEqual(["old", "new"]);
  expect(inOrder(chosen, "new")).toEqual(["new", "old"]);
});

describe("tags that have room", () => {
  const texts = ["concise 0.98", "correctness 1", "helpfulness 0.72", "tone 1"];
  it("are all of them where there is much", () => expect(fitting(texts, 1000)).toBe(4));
  it("leave room for the number of the others", () => {
    expect(fitting(texts, 260)).toBe(2);
    expect(fitting(texts, 150)).toBe(1);
  });
  it("are one where there is none", () => expect(fitting(texts, 0)).toBe(1));
  it("are none of none", () => expect(fitting([], 300)).toBe(0));
});
