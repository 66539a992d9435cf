import { expect, test } from "vitest";

import { complete, conditions, saying, with_, without } from "./language";

test.each<[string, string[] | null]>([
  ["", []],
  ['eq(name, "x")', ['eq(name, "x")']],
  ['and(eq(name, "x"), gt(latency, "5s"))', ['eq(name, "x")', 'gt(latency, "5s")']],
  ['or(eq(name, "a"), eq(name, "b"))', ['or(eq(name, "a"), eq(name, "b"))']],
  ['and(in(name, ["a", "b"]), has(tags, "x, (y"))', ['in(name, ["a", "b"])', 'has(tags, "x, (y")']],
  ['eq(name, "unfinished', null],
  ["and(eq(name, ", null],
  ["nonsense", null],
])("conditions of %s", (source, parts) => expect(conditions(source)).toEqual(parts));

test.each([
  ['eq(name, "x")', 'name is "x"'],
  ['gt(latency, "5s")', 'latency > "5s"'],
  ['in(name, ["a", "b"])', 'name in ["a", "b"]'],
  ['search("refund")', 'contains "refund"'],
  ['or(eq(name, "a"), eq(name, "b"))', 'or(eq(name, "a"), eq(name, "b"))'],
])("%s is said %s", (condition, text) => expect(saying(condition)).toBe(text));

test("conditions are added and taken away", () => {
  const one = with_("", 'eq(name, "x")');
  const two = with_(one, 'has(tags, "y")');
  expect(two).toBe('and(eq(name, "x"), has(tags, "y"))');
  expect(with_(two, 'has(tags, "y")')).toBe(two);
  expect(without(two, 0)).toBe('has(tags, "y")');
  expect(without(one, 0)).toBe("");
  expect(with_("eq(name, ", "x")).toBe("eq(name, ");
});

const VALUES = { name: ["agent", "lookup"], tag: ["web"], "metadata.env": ["prod"], feedback_key: ["helpful"] };
const labels = (source: string, cursor = source.length): string[] => complete(source, cursor, VALUES).map((one) => one.label);

test("conditions are suggested where one may stand", () => {
  expect(labels("")).toContain("name is …");
  expect(labels("lat")).toEqual(["latency > … seconds", "latency < … seconds"]);
  expect(labels("and(")).toContain("has tag …");
  expect(labels('and(eq(name, "x"), st')).toContain("status is …");
  expect(labels('eq(name, "x"')).toEqual([]);
});

test("values are suggested where one may stand", () => {
  expect(labels('eq(name, "')).toEqual(["agent", "lookup"]);
  expect(labels('eq(name, "lo')).toEqual(["lookup"]);
  expect(labels("eq(status, ")).toEqual(["success", "error", "pending"]);
  expect(labels('has(tags, "')).toEqual(["web"]);
  expect(labels('in(name, ["agent", "')).toEqual(["agent", "lookup"]);
  expect(labels('eq(metadata_key, "')).toEqual(["env"]);
  expect(labels('and(eq(metadata_key, "env"), eq(metadata_value, "')).toEqual(["prod"]);
  expect(labels("gt(latency, ")).toEqual([]);
});

test("what is inserted fits into what is there", () => {
  const apply = (source: string, cursor: number, label: string): string => {
    const one = complete(source, cursor, VALUES).find((each) => each.label === label)!;
    return source.slice(0, one.from) + one.insert + source.slice(cursor);
  };
  expect(apply("", 0, "name is …")).toBe('eq(name, "")');
  expect(apply('eq(name, "")', 10, "agent")).toBe('eq(name, "agent")');
  expect(apply('eq(name, "ag', 12, "agent")).toBe('eq(name, "agent"');
});
