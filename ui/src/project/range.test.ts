import { expect, test } from "vitest";

import { DAY, HOUR, MINUTE, fill, rangeOf, stepsOf, strideOf } from "./range";

const NOW = 1_800_000_000_000_000;

test("an address states a range", () => {
  expect(rangeOf(new URLSearchParams("range=1h"), NOW, "7d").since).toBe(NOW - HOUR);
  expect(rangeOf(new URLSearchParams(), NOW, "7d").since).toBe(NOW - 7 * DAY);
  expect(rangeOf(new URLSearchParams("range=nonsense"), NOW, "7d").preset).toBe("7d");
  expect(rangeOf(new URLSearchParams("range=all"), NOW, "7d").since).toBeNull();
  expect(rangeOf(new URLSearchParams("since=5&until=9"), NOW, "7d")).toMatchObject({ since: 5, until: 9, preset: null });
  expect(rangeOf(new URLSearchParams("since=9&until=5"), NOW, "7d").preset).toBe("7d");
});

test.each([
  [HOUR, MINUTE],
  [DAY, 15 * MINUTE],
  [7 * DAY, 3 * HOUR],
  [30 * DAY, 12 * HOUR],
  [3650 * DAY, 39 * DAY],
])("a stride for %s", (length, stride) => expect(strideOf(length)).toBe(stride));

test("steps begin where strides do, and have values where there are any", () => {
  const steps = stepsOf(25, 55, 20, 10);
  expect(steps).toEqual([10, 30, 50]);
  expect(fill(steps, [{ start: 30, runs: 4 }], (bucket) => bucket.runs, 0)).toEqual([0, 4, 0]);
  expect(fill<{ start: number; p50: number | null }>(steps, [{ start: 30, p50: null }], (bucket) => bucket.p50, null)).toEqual([null, null, null]);
});
