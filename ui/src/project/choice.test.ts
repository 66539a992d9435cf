import { expect, test } from "vitest";

import { NOTHING, counted, toggled, toggledAll, tracesOf } from "./choice";

const order = ["a", "b", "c", "d", "e"];
const ids = (choice: { ids: ReadonlySet<string> }): string => [...choice.ids].sort().join("");

test("one by one", () => {
  const one = toggled(NOTHING, order, 1, false);
  expect(ids(one)).toBe("b");
  expect(ids(toggled(one, order, 1, false))).toBe("");
  expect(toggled(one, order, 9, false)).toBe(one);
});

test("a range goes on from the last choice, either way, and takes away what it gave", () => {
  const one = toggled(NOTHING, order, 3, false);
  const up = toggled(one, order, 1, true);
  expect(ids(up)).toBe("bcd");
  expect(ids(toggled(up, order, 4, true))).toBe("bcde");
  const off = toggled(up, order, 3, false);
  expect(ids(toggled(off, order, 2, true))).toBe("b");
  expect(ids(toggled(NOTHING, order, 2, true))).toBe("c");
  expect(ids(toggled({ ids: new Set(["x"]), anchor: "gone" }, order, 0, true))).toBe("ax");
});

test("all or none", () => {
  const all = toggledAll(toggled(NOTHING, order, 0, false), order);
  expect(ids(all)).toBe("abcde");
  expect(ids(toggledAll(all, order))).toBe("");
});

test("runs of one trace are one trace", () => {
  expect(tracesOf([{ trace: "1" }, { trace: "2" }, { trace: "1" }])).toEqual(["1", "2"]);
  expect([counted(1, "trace"), counted(2000, "run")]).toEqual(["1 trace", "2,000 runs"]);
});
