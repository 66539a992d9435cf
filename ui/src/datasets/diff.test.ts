import { describe, expect, it } from "vitest";

import type { ExampleLine } from "../api/datasets";
import { Exact } from "../payload/jsonRows";
import { mistakes } from "./ExampleEditor";
import { diffRows, memberChanges } from "./diff";
import { mistake, spread } from "./json";

describe("members that differ", () => {
  it("are named by their path, with both sides", () => {
    const before = { inputs: { q: "a", messages: [{ content: "hi" }], gone: 1 }, outputs: { n: 1 } };
    const after = { inputs: { q: "b", messages: [{ content: "hi" }, { content: "new" }] }, outputs: { n: [1] } };
    expect(memberChanges(before, after)).toEqual([
      { path: "inputs.q", kind: "changed", before: "a", after: "b" },
      { path: "inputs.messages[1]", kind: "added", before: null, after: '{"content":"new"}' },
      { path: "inputs.gone", kind: "removed", before: "1", after: null },
      { path: "outputs.n", kind: "changed", before: "1", after: "[1]" },
    ]);
  });

  it("are told apart by digits that no float holds, and by names of Object's own", () => {
    const [left, right] = [{ n: new Exact("12345678901234567890") }, { n: new Exact("12345678901234567891") }];
    expect(memberChanges({ inputs: left }, { inputs: right })).toEqual([{ path: "inputs.n", kind: "changed", before: "12345678901234567890", after: "12345678901234567891" }]);
    expect(memberChanges({ inputs: left }, { inputs: { n: new Exact("12345678901234567890") } })).toEqual([]);
    expect(memberChanges({ inputs: {} }, { inputs: { constructor: "x" } })).toEqual([{ path: "inputs.constructor", kind: "added", before: null, after: "x" }]);
  });

  it("show a part that appears", () => {
    expect(memberChanges({ inputs: {} }, { inputs: {}, outputs: { a: 1 } })).toEqual([{ path: "outputs", kind: "added", before: null, after: '{"a":1}' }]);
  });
});

describe("rows of a difference", () => {
  const line = (id: string): ExampleLine => ({ id, input: id, output: null, metadata: "", splits: [], changed: 0 });
  const diff = { added: { count: 1, examples: [line("a")] }, removed: { count: 1, examples: [line("r")] }, changed: { count: 2, examples: [line("c"), line("d")] } };
  it("put changes first", () => {
    expect(diffRows(diff, null).map((row) => [row.kind, row.id])).toEqual([["changed", "c"], ["changed", "d"], ["added", "a"], ["removed", "r"]]);
    expect(diffRows(diff, "removed").map((row) => row.id)).toEqual(["r"]);
  });
});

describe("JSON that people write", () => {
  it("is spread over lines without a digit lost", () => {
    expect(spread('{"a":12345678901234567890,"b":[ ], "c":{"d":"x"}}')).toBe('{\n  "a": 12345678901234567890,\n  "b": [],\n  "c": {\n    "d": "x"\n  }\n}');
    expect(spread('["a, {b}: \\"c\\""]')).toBe('[\n  "a, {b}: \\"c\\""\n]');
    expect(spread("no json")).toBe("no json");
  });

  it("is refused with a reason", () => {
    expect(mistake('{"a": 1}')).toBeNull();
    expect(mistake("[1]")).toContain("object");
    expect(mistake('{"a": }')).toMatch(/position|Unexpected/);
    expect(mistakes({ inputs: "", outputs: "", metadata: "" }, false)).toEqual({ inputs: "This is needed: a JSON object." });
    expect(mistakes({ inputs: "{}", outputs: "", metadata: "[" }, true)).toMatchObject({ outputs: expect.stringContaining("keeps"), metadata: expect.any(String) });
  });
});
