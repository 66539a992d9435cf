import { expect, test } from "vitest";

import { NEW_PRICE, endOf, patternOf, priceOf, shares, stateOf, today, told } from "./words";

const key = { id: "1", name: "k", role: "read", hint: "abcd", created: 0, revoked: null, expires: null, active: true, signIn: false, of: null, own: false };

test("a key is active, revoked or expired", () => {
  expect(stateOf(key)).toBe("active");
  expect(stateOf({ ...key, active: false, expires: 5 })).toBe("expired");
  expect(stateOf({ ...key, active: false, revoked: 5 })).toBe("revoked");
});

test("a price is texts, and says what it lacks", () => {
  expect(priceOf(NEW_PRICE)).toMatch(/which model/);
  expect(priceOf({ ...NEW_PRICE, name: "m", input: "1", output: "free" })).toMatch(/million/);
  expect(priceOf({ ...NEW_PRICE, name: " my.model ", input: "2,50", output: "0" })).toEqual({ name: "my.model", pattern: "^my\\.model$", provider: "", input: "2.50", output: "0" });
  expect(priceOf({ ...NEW_PRICE, name: "m", pattern: "m-.*", input: "1", output: "1" })).toMatchObject({ pattern: "m-.*" });
  expect(patternOf("a+b (c)")).toBe("^a\\+b \\(c\\)$");
});

test("what became of letters", () => {
  const one = (outcome: string, reason: string | null = null) => ({ id: "1", outcome, reason });
  expect(told([one("stored"), one("stored")])).toBe("2 stored.");
  expect(told([one("stored"), one("refused", "no room")])).toBe("1 stored, 1 refused again (no room).");
});

test("parts by size, empty ones left out", () => {
  expect(shares({ runs: 300, inbox: 0, metadata: 100 })).toEqual([
    { name: "runs", bytes: 300, share: 0.75 },
    { name: "metadata", bytes: 100, share: 0.25 },
  ]);
  expect(shares({})).toEqual([]);
});

test("a key ends with the last moment of a day where the viewer is", () => {
  expect(today(new Date(2031, 0, 5))).toBe("2031-01-05");
  const end = endOf("2031-12-31")!;
  expect(today(new Date(end / 1000))).toBe("2031-12-31");
  expect(today(new Date((end + 1000) / 1000))).toBe("2032-01-01");
  expect(endOf("")).toBe(null);
});
