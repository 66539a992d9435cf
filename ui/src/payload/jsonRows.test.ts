import { expect, test } from "vitest";

import { Exact, brief, jsonRows, parse } from "./jsonRows";

const VALUE = { a: { b: { c: 1 } }, "x/y": [1, 2] };
const paths = (toggled: string[]): string[] => jsonRows(VALUE, new Set(toggled)).map((row) => row.path);

test("two levels are open at first", () => expect(paths([])).toEqual(["", "/a", "/a/b", "/x~1y", "/x~1y/0", "/x~1y/1"]));
test("what is toggled closes or opens", () => {
  expect(paths(["/x~1y"])).toEqual(["", "/a", "/a/b", "/x~1y"]);
  expect(paths(["/a/b"])).toContain("/a/b/c");
  expect(paths([""])).toEqual([""]);
});
test("long lists are closed at first", () => expect(jsonRows({ a: Array(101).fill(0) }, new Set())).toHaveLength(2));
test("values in short", () => {
  expect(brief({ a: 1, b: 2, c: 3, d: 4, e: 5 })).toBe("{ a, b, c, d, … }");
  expect(brief([])).toBe("[]");
  expect(brief("x")).toBe('"x"');
  expect(brief(new Exact("12345678901234567890"))).toBe("12345678901234567890");
});
test("what is no JSON is told apart from null", () => {
  expect(parse("{")).toBeUndefined();
  expect(parse("null")).toBeNull();
  expect(parse("0.1")).toBe(0.1);
});
