import { expect, test } from "vitest";

import type { ProjectRow } from "../api/types";
import { arranged } from "./ProjectsPage";

const row = (name: string, more: Partial<ProjectRow> = {}): ProjectRow => ({ id: name, name, description: null, runs: 0, spark: [], ...more });
const names = (rows: ProjectRow[]): string => rows.map((one) => one.name).join(" ");
const ROWS = [row("Beta", { p50: 2 }), row("alpha", { p50: null }), row("Gamma ray", { p50: 5 })];

test("sorted by figure, those without at the end either way", () => {
  expect(names(arranged(ROWS, "", "p50", true))).toBe("Gamma ray Beta alpha");
  expect(names(arranged(ROWS, "", "p50", false))).toBe("Beta Gamma ray alpha");
});
test("sorted by name, whatever its case", () => expect(names(arranged(ROWS, "", "name", false))).toBe("alpha Beta Gamma ray"));
test("found by words in any order", () => expect(names(arranged(ROWS, "RAY gam", "name", true))).toBe("Gamma ray"));
test("the project that every workspace has is left out until something is in it, or it is looked for", () => {
  const rows = [row("Beta", { last: 5 }), row("default")];
  expect(names(arranged(rows, "", "name", false))).toBe("Beta");
  expect(names(arranged(rows, "def", "name", false))).toBe("default");
  expect(names(arranged([row("default", { last: 3 })], "", "name", false))).toBe("default");
});
