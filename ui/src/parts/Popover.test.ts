import { expect, test } from "vitest";
import { intoWindow } from "./Popover";

test("a panel inside the window stays", () => {
  expect(intoWindow(100, 300, 390)).toBe(0);
});

test("a panel beyond an edge is moved to just inside of it", () => {
  expect(intoWindow(-60, 230, 390)).toBe(68);
  expect(intoWindow(200, 420, 390)).toBe(-38);
});

test("of a panel wider than the window the beginning shows", () => {
  expect(intoWindow(30, 500, 390)).toBe(-22);
  expect(intoWindow(-40, 460, 390)).toBe(48);
});
