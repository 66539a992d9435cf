import { describe, expect, it } from "vitest";

import type { Given, RubricKey, Shape } from "../api/queues";
import { EMPTY, answers, categories, choicesOf, chosen, digitScore, draftsOf, missing, range, rubricOf, step, visible, wrong } from "./answers";

const shape = (more: Partial<Shape>): Shape => ({ type: "continuous", min: null, max: null, categories: null, allows_multiple_categories: false, ...more });
const key = (name: string, more: Partial<RubricKey> = {}): RubricKey => ({ key: name, description: null, required: false, assertion: false, valueDescriptions: {}, scoreDescriptions: {}, requiredIf: null, visibleIf: null, config: null, ...more });
const TONE = key("tone", { config: shape({ type: "categorical", categories: [{ value: 1, label: "kind" }, { value: 0, label: null }] }), valueDescriptions: { kind: "as to a friend" } });
const TOPICS = key("topics", { config: shape({ type: "categorical", allows_multiple_categories: true, categories: [{ value: 2, label: "bill" }, { value: 1, label: "lamp" }] }) });
const NO_NOTE = { comment: "", correction: "" };

describe("choices", () => {
  it("are the categories, or good and bad where nobody has said what scores look like", () => {
    expect(choicesOf(TONE, false)).toEqual([
      { digit: "1", label: "kind", help: "as to a friend", score: 1, preference: null },
      { digit: "2", label: "0", help: null, score: 0, preference: null },
    ]);
    expect(choicesOf(key("x"), false).map((choice) => [choice.label, choice.score])).toEqual([["Good", 1], ["Bad", 0]]);
    expect(choicesOf(key("x", { config: shape({ type: "freeform" }) }), false)).toEqual([]);
    expect(choicesOf(TONE, true).map((choice) => choice.preference)).toEqual(["a", "b", "tie"]);
  });
  it("are taken back by the same again, and several where the key allows it", () => {
    const [kind, zero] = choicesOf(TONE, false);
    const once = chosen(EMPTY, TONE, kind!);
    expect(once).toMatchObject({ score: 1, labels: ["kind"] });
    expect(chosen(once, TONE, zero!)).toMatchObject({ score: 0, labels: ["0"] });
    expect(chosen(once, TONE, kind!)).toMatchObject({ score: null, labels: [] });
    const [bill, lamp] = choicesOf(TOPICS, false);
    expect(chosen(chosen(EMPTY, TOPICS, bill!), TOPICS, lamp!)).toMatchObject({ score: null, labels: ["bill", "lamp"] });
  });
});

describe("numbers", () => {
  it("are chosen by digits", () => {
    expect(digitScore(shape({ min: 1, max: 5 }), 4)).toBe(4);
    expect(digitScore(shape({ min: 1, max: 5 }), 6)).toBeNull();
    expect([1, 5, 9].map((digit) => digitScore(shape({ min: 0, max: 1 }), digit))).toEqual([0, 0.5, 1]);
    expect(digitScore(shape({ min: -100, max: 100 }), 9)).toBe(100);
    expect(digitScore(shape({}), 7)).toBe(7);
  });
  it("have bounds and steps", () => {
    expect(range(shape({ min: 0, max: 1 }))).toEqual([0, 1]);
    expect(range(shape({ min: 0 }))).toBeNull();
    expect([step([0, 1]), step([1, 5]), step([0, 1000])]).toEqual([0.01, 1, 10]);
    expect(wrong(shape({ min: 0, max: 1 }), 2)).toBe("at most 1");
    expect(wrong(shape({ min: 0, max: 1 }), 0)).toBeNull();
  });
});

describe("conditions", () => {
  const rubric = [
    key("right", { required: true }),
    key("why", { config: shape({ type: "freeform" }), visibleIf: { join: "all", rules: [{ key: "right", op: "is", values: [0] }] }, requiredIf: { join: "any", rules: [{ key: "right", op: "is_not_empty", values: [] }] } }),
    key("after", { visibleIf: { join: "all", rules: [{ key: "why", op: "is_not_empty", values: [] }] } }),
  ];
  it("show and require keys, and what is hidden counts as empty", () => {
    expect(visible(rubric, {}).map((each) => each.key)).toEqual(["right"]);
    expect(missing(rubric, {}).map((each) => each.key)).toEqual(["right"]);
    const bad = { right: { ...EMPTY, score: 0 } };
    expect(visible(rubric, bad).map((each) => each.key)).toEqual(["right", "why"]);
    expect(missing(rubric, bad).map((each) => each.key)).toEqual(["why"]);
    const said = { ...bad, why: { ...EMPTY, text: "late" } };
    expect(visible(rubric, said)).toHaveLength(3);
    expect(missing(rubric, said)).toEqual([]);
    expect(visible(rubric, { ...said, right: { ...EMPTY, score: 1 } }).map((each) => each.key)).toEqual(["right"]);
  });
  it("keep answers that are hidden now from being given", () => {
    const drafts = { right: { ...EMPTY, score: 1, labels: ["Good"] }, why: { ...EMPTY, text: "late" } };
    expect(answers(rubric, drafts, NO_NOTE, false)).toEqual([{ key: "right", score: 1, value: "Good", comment: null }]);
  });
});

describe("answers", () => {
  it("are scores with labels, lists of labels, texts, and a note with a correction", () => {
    const rubric = [TONE, TOPICS, key("said", { config: shape({ type: "freeform" }) }), key("untouched")];
    const drafts = { tone: { ...EMPTY, score: 1, labels: ["kind"], comment: " warm " }, topics: { ...EMPTY, labels: ["bill", "lamp"] }, said: { ...EMPTY, text: "Hello" } };
    expect(answers(rubric, drafts, { comment: "", correction: '{"answer": "Yes."}' }, false)).toEqual([
      { key: "tone", score: 1, value: "kind", comment: "warm" },
      { key: "topics", score: null, value: ["bill", "lamp"], comment: null },
      { key: "said", score: null, value: "Hello", comment: null },
      { key: "note", comment: null, correction: { answer: "Yes." } },
    ]);
    expect(answers([], {}, { comment: "", correction: "Yes." }, false)[0]!.correction).toBe("Yes.");
  });
  it("of a pair say which is better", () => {
    const queue = { pairwise: true, rubric: [] };
    expect(answers(rubricOf(queue), { preference: { ...EMPTY, preference: "b" } }, NO_NOTE, true)).toEqual([{ key: "preference", preference: "b", comment: null }]);
  });
  it("come back as they were given", () => {
    const piece = (name: string, run: string, more: Partial<Given>): Given => ({ id: name + run, key: name, run, score: null, value: null, comment: null, correction: null, source: "app", by: null, mine: true, measured: false, error: false, at: 0, ...more });
    const single = draftsOf([TONE, TOPICS, key("said")], [piece("tone", "1", { score: 1, value: "kind", comment: "warm" }), piece("topics", "1", { value: ["lamp"] }), piece("said", "1", { value: "Hello" }), piece("note", "1", { correction: { a: 1 } })], ["1"]);
    expect(single.drafts["tone"]).toMatchObject({ score: 1, labels: ["kind"], comment: "warm" });
    expect(single.drafts["topics"]?.labels).toEqual(["lamp"]);
    expect(single.drafts["said"]?.text).toBe("Hello");
    expect(JSON.parse(single.note.correction)).toEqual({ a: 1 });
    const pair = draftsOf([key("best")], [piece("best", "1", { score: 0.5 }), piece("best", "2", { score: 0.5 })], ["1", "2"]);
    expect(pair.drafts["best"]?.preference).toBe("tie");
  });
});

it("reads categories, the best first where they have no numbers", () => {
  expect(categories("correct=1, partly = 0.5, wrong=0")).toEqual([{ label: "correct", value: 1 }, { label: "partly", value: 0.5 }, { label: "wrong", value: 0 }]);
  expect(categories("yes, no")).toEqual([{ label: "yes", value: 1 }, { label: "no", value: 0 }]);
  expect(categories("alone")).toBeUndefined();
  expect(categories("a, a")).toBeUndefined();
  expect(categories("a=1, b=1")).toBeUndefined();
});
