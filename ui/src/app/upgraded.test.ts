import { expect, test } from "vitest";
import { mayLoadAnew } from "./upgraded";

test("a part that is gone loads the page anew, once", () => {
  expect(mayLoadAnew(1_000_000, null)).toBe(true);
  expect(mayLoadAnew(1_000_000, "999000")).toBe(false);
  expect(mayLoadAnew(1_000_000, "900000")).toBe(true);
});

test("neither a clock that was set back nor a strange note keeps it from that", () => {
  expect(mayLoadAnew(1_000_000, "2000000")).toBe(true);
  expect(mayLoadAnew(1_000_000, "x")).toBe(true);
});
