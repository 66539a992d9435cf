import { expect, test } from "vitest";

import { ago, bytes, count, dollars, percent, seconds } from "./format";

test.each([
  [null, "–"],
  [0, "0 ms"],
  [0.0004, "400 µs"],
  [0.0123, "12 ms"],
  [0.9996, "1.00 s"],
  [1.8536, "1.85 s"],
  [12.34, "12.3 s"],
  [59.999, "1 m 00 s"],
  [125, "2 m 05 s"],
  [3599.9, "1 h 00 m"],
  [3725, "1 h 02 m"],
])("%s seconds read as %s", (value, text) => expect(seconds(value)).toBe(text));

test.each([
  [0, "0"],
  [950, "950"],
  [9999, "9,999"],
  [56_700, "56.7k"],
  [999_960, "1000k"],
  [1_200_000, "1.2M"],
])("%s is counted as %s", (value, text) => expect(count(value)).toBe(text));

test.each([
  [null, "–"],
  [0, "$0"],
  [0.00012, "$0.00012"],
  [0.0020495, "$0.002"],
  [0.015, "$0.015"],
  [0.999, "$1"],
  [12.044, "$12.04"],
  [0.5061, "$0.51"],
  [1204.4, "$1,204"],
])("%s dollars read as %s", (value, text) => expect(dollars(value)).toBe(text));

test("shares, sizes and times", () => {
  expect(percent(0)).toBe("0%");
  expect(percent(0.0004)).toBe("<0.1%");
  expect(percent(0.0975)).toBe("9.8%");
  expect(bytes(1_234_567)).toBe("1.2 MB");
  expect(ago(1_000_000, 13_000_000)).toBe("12 s ago");
  expect(ago(0, 7_200_000_000)).toBe("2 h ago");
});
