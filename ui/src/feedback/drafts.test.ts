import { expect, test } from "vitest";

import type { FeedbackKey } from "../api/feedback";
import { EMPTY, bounds, draftOf, meant } from "./drafts";

const tone: FeedbackKey = { key: "tone", type: "categorical", categories: [{ value: 1, label: "kind" }, { value: 0, label: null }] };
const rate: FeedbackKey = { key: "rate", type: "continuous", min: 0, max: 5 };

test("a draft is a number, a label, words, or a sentence on what it lacks", () => {
  expect(meant({ ...EMPTY, score: "1" }, undefined)).toMatch(/which key/);
  expect(meant({ ...EMPTY, key: "k" }, undefined)).toMatch(/Give a score/);
  expect(meant({ ...EMPTY, key: "k", score: "good" }, undefined)).toMatch(/number/);
  expect(meant({ ...EMPTY, key: "k", score: "0,5" }, undefined)).toEqual({ score: 0.5, value: null, comment: null });
  expect(meant({ ...EMPTY, key: "k", value: " fine ", comment: " so so " }, undefined)).toEqual({ score: null, value: "fine", comment: "so so" });
});

test("what is known of a key counts", () => {
  expect(meant({ ...EMPTY, key: "rate", score: "6" }, rate)).toMatch(/5 or less/);
  expect(meant({ ...EMPTY, key: "rate", score: "-1" }, rate)).toMatch(/0 or more/);
  expect(meant({ ...EMPTY, key: "tone", score: "1" }, tone)).toEqual({ score: 1, value: "kind", comment: null });
  expect(meant({ ...EMPTY, key: "tone", score: "0" }, tone)).toEqual({ score: 0, value: null, comment: null });
  expect(bounds(rate)).toBe("0 to 5");
  expect(bounds(tone)).toBe("");
});

test("what was said can be said again", () => {
  const item = { id: "1", key: "k", score: 0.5, value: { a: 1 }, comment: null, correction: null, source: "app", by: null, mine: true, measured: false, error: false, at: 0 };
  expect(draftOf(item)).toEqual({ key: "k", score: "0.5", value: '{"a":1}', comment: "" });
});
