import { expect, test } from "vitest";

import { comesTo, daysWords, goingWords, rule, said, typedDays } from "./kept";

test("what holds, in a sentence", () => {
  const asked = { short: 30, long: 90, tier: "shortlived" as const };
  expect(rule({ ...asked, short: null, long: null })).toMatch(/until somebody deletes/);
  expect(rule(asked)).toBe("Traces are deleted 30 days after they were last used, judged ones after 90 days.");
  expect(rule({ ...asked, long: null })).toMatch(/judged ones never/);
  expect(rule({ ...asked, tier: "longlived" })).toBe("Traces are deleted 90 days after they were last used.");
  expect(rule({ ...asked, tier: "longlived", long: null })).toMatch(/until somebody deletes/);
  expect(rule({ ...asked, short: null })).toMatch(/until somebody deletes/);
});

test("days as they are typed", () => {
  expect(typedDays(" ", 100)).toBe(null);
  expect(typedDays(" 14 ", 100)).toBe(14);
  for (const wrong of ["0", "-1", "1.5", "101", "1e1", "soon"]) expect(typedDays(wrong, 100)).toMatch(/whole number/);
  expect(daysWords(1)).toBe("1 day");
  expect(goingWords({ traces: 1, runs: 12000 })).toBe("1 trace (12,000 runs)");
});

test("what a project says, and what it comes to", () => {
  expect(said("workspace", 5, 100)).toEqual({ tier: null, days: null });
  expect(said("short", 5, 100)).toEqual({ tier: "shortlived", days: null });
  expect(said("long", 5, 100)).toEqual({ tier: "longlived", days: null });
  expect(said("days", 5, 100)).toEqual({ tier: "longlived", days: 5 });
  expect(said("ever", null, 100)).toEqual({ tier: "longlived", days: 100 });
  const project = { id: "1", name: "p", experiment: false, tier: "longlived" as const, days: 5, plain: 5, judged: 5 };
  expect(comesTo(project)).toBe("5 days");
  expect(comesTo({ ...project, judged: null })).toBe("5 days, judged ones for ever");
  expect(comesTo({ ...project, plain: null, judged: null })).toBe("for ever");
});
