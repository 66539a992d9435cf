import { describe, expect, it } from "vitest";

import type { Cluster, Stats } from "../api/insights";
import { byKind, levels, measures, numbered, ofAmount, ofRate, ofScore, stages, treeRows, upwards, withReferences } from "./figures";

const stats = (runs: number, more: Partial<Stats> = {}): Stats => ({ run_count: runs, share: runs / 100, error_count: 0, error_rate: 0, ...more });
const cluster = (id: string, parent: string | null, level: number, runs: number): Cluster => ({ id, parent, level, name: id, description: "", runs, stats: stats(runs) });
const CLUSTERS = [cluster("a1", "a", 0, 10), cluster("a2", "a", 0, 50), cluster("b1", "b", 0, 40), cluster("a", null, 1, 60), cluster("b", null, 1, 40)];

describe("deviations", () => {
  it("are points of shares, ratios of amounts, differences of scores", () => {
    expect(ofRate(0.32, 0.2)).toEqual({ text: "+12 pts", size: 0.48, bad: true });
    expect(ofRate(0.1, 0.15)).toEqual({ text: "−5.0 pts", size: -0.2, bad: false });
    expect(ofAmount(2, 1)).toEqual({ text: "×2.00", size: 0.5, bad: true });
    expect(ofAmount(0.01, 1)?.size).toBe(-1);
    expect(ofScore(0.5, { avg: 0.75, stdev: 0.5 })).toEqual({ text: "−0.25", size: -0.5, bad: false });
  });
  it("are nothing where nothing differs or nothing is known", () => {
    expect(ofRate(0.2, 0.2)).toBeNull();
    expect(ofAmount(1.001, 1)).toBeNull();
    expect(ofAmount(undefined, 1)).toBeNull();
    expect(ofAmount(1, 0)).toBeNull();
    expect(ofScore(1, undefined)).toBeNull();
    expect(ofScore(2, { avg: 0, stdev: 0 })?.size).toBe(1);
  });
});

it("measures what the whole has, and says so where a cluster has none of it", () => {
  const overall = { error_rate: 0.1, latency_p50: 2, feedback_stats: { clear: { n: 4, avg: 0.5, stdev: 0.5 } } };
  const found = measures(stats(3, { error_rate: 0.35 }), overall);
  expect(found.map(({ key, value }) => [key, value])).toEqual([["errors", "35%"], ["latency", "–"], ["feedback.clear", "–"]]);
  expect(found[0]!.deviation).toEqual({ text: "+25 pts", size: 1, bad: true });
});

describe("the tree", () => {
  it("has the largest first, and nothing below what is closed", () => {
    expect(treeRows(CLUSTERS, new Set()).map((row) => `${row.depth}${row.cluster.id}`)).toEqual(["0a", "1a2", "1a1", "0b", "1b1"]);
    expect(treeRows(CLUSTERS, new Set(["a"])).map((row) => row.cluster.id)).toEqual(["a", "b", "b1"]);
  });
  it("shows a cluster whose parent is missing at the top", () => {
    expect(treeRows([cluster("x", "nowhere", 0, 1)], new Set()).map((row) => row.depth)).toEqual([0]);
  });
  it("is climbed to the top, even where it is a ring", () => {
    expect(upwards(CLUSTERS, "a2").map((one) => one.id)).toEqual(["a2", "a"]);
    expect(upwards([cluster("x", "y", 0, 1), cluster("y", "x", 1, 1)], "x").map((one) => one.id)).toEqual(["x", "y"]);
    expect(upwards(CLUSTERS, "no")).toEqual([]);
  });
});

it("numbers the finest clusters, the largest first, by their top-level cluster", () => {
  expect(numbered(CLUSTERS).map(({ cluster: { id }, number, top }) => [id, number, top])).toEqual([["a2", 1, 0], ["b1", 2, 1], ["a1", 3, 0]]);
});

it("tells references to traces from other numbers", () => {
  expect(withReferences("Fails more. See #2, not #9 or 5 %.", new Set([1, 2]))).toEqual(["Fails more. See ", 2, ", not ", "#9", " or 5 %."]);
});

describe("stages", () => {
  it("are done, now, or wait", () => {
    const found = stages({ status: "running", progress: { stage: "embed", done: 3, of: 4 } });
    expect(found.map((stage) => stage.state)).toEqual(["done", "done", "now", "waits", "waits", "waits"]);
    expect(found[2]!.share).toBe(0.75);
  });
  it("all wait in the queue, and one that is not known has its own name", () => {
    expect(stages({ status: "queued", progress: { stage: "", done: 0, of: 0 } }).every((stage) => stage.state === "waits")).toBe(true);
    expect(stages({ status: "running", progress: { stage: "summarise", done: 0, of: 0 } }).find((stage) => stage.state === "now")?.label).toBe("summarise");
  });
});

it("orders changes by kind and leaves out what there is none of", () => {
  const change = (kind: "new" | "same" | "gone") => ({ kind, before: null, after: null });
  expect(byKind([change("same"), change("new"), change("same")]).map(([kind, found]) => [kind, found.length])).toEqual([["new", 1], ["same", 2]]);
});

it("reads clusters a level", () => {
  expect(levels(" 20, 5 ")).toEqual([20, 5]);
  expect(levels("")).toBeNull();
  expect(levels("20, many")).toBeUndefined();
  expect(levels("0")).toBeUndefined();
});
