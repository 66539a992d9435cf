/** What a reviewer has chosen so far, and what becomes of it: choices by number, conditions, feedback. Pure. */

import type { Answer, Conditions, Given, Queue, RubricKey, Shape } from "../api/queues";

export type Preference = "a" | "b" | "tie";

export interface Draft {
  score: number | null;
  /** The labels chosen, of a key that has categories. */
  labels: string[];
  text: string;
  comment: string;
  preference: Preference | null;
}

export type Drafts = Readonly<Record<string, Draft>>;

/** What is said of the item as a whole: a note, and what should have come out. It is given under the key `note`. */
export interface Note {
  comment: string;
  correction: string;
}

export const NOTE = "note";
export const EMPTY: Draft = { score: null, labels: [], text: "", comment: "", preference: null };
const NO_NOTE: Note = { comment: "", correction: "" };

export interface Choice {
  /** What is pressed for it. */
  digit: string;
  label: string;
  help: string | null;
  score: number | null;
  preference: Preference | null;
}

const PREFERRED: [Preference, string][] = [
  ["a", "A is better"],
  ["b", "B is better"],
  ["tie", "Neither"],
];

/** The keys to judge by. Pairs without a rubric are compared as a whole. */
export function rubricOf(queue: Pick<Queue, "pairwise" | "rubric">): readonly RubricKey[] {
  if (queue.rubric.length > 0 || !queue.pairwise) return queue.rubric;
  return [{ key: "preference", description: "Which of the two is better?", required: true, assertion: false, valueDescriptions: {}, scoreDescriptions: {}, requiredIf: null, visibleIf: null, config: null }];
}

/** What can be chosen under a key, by digit; none for a number in a range and for text. */
export function choicesOf(key: RubricKey, pairwise: boolean): Choice[] {
  if (pairwise) return key.config?.type === "freeform" ? [] : PREFERRED.map(([preference, label], at) => ({ digit: String(at + 1), label, help: null, score: null, preference }));
  const { config } = key;
  const told = (label: string, score: number): string | null => key.valueDescriptions[label] ?? key.scoreDescriptions[String(score)] ?? null;
  if (config?.type === "categorical") {
    return (config.categories ?? []).map((category, at) => {
      const label = labelOf(category);
      return { digit: at < 9 ? String(at + 1) : "", label, help: told(label, category.value), score: category.value, preference: null };
    });
  }
  if (config === null || key.assertion) {
    const words: [string, number][] = key.assertion ? [["True", 1], ["False", 0]] : [["Good", 1], ["Bad", 0]];
    return words.map(([label, score], at) => ({ digit: String(at + 1), label, help: told(label, score), score, preference: null }));
  }
  return [];
}

const labelOf = (category: { value: number; label: string | null }): string => category.label ?? String(category.value);
const isMultiple = (key: RubricKey): boolean => key.config?.type === "categorical" && key.config.allows_multiple_categories;

/** The draft after a choice; the same again takes it back. */
export function chosen(draft: Draft, key: RubricKey, choice: Choice): Draft {
  if (choice.preference !== null) return { ...draft, preference: draft.preference === choice.preference ? null : choice.preference };
  const had = draft.labels.includes(choice.label);
  const labels = isMultiple(key) ? (had ? draft.labels.filter((label) => label !== choice.label) : [...draft.labels, choice.label]) : had ? [] : [choice.label];
  return { ...draft, labels, score: labels.length === 1 ? scoreOf(key, labels[0]!) : null };
}

function scoreOf(key: RubricKey, label: string): number | null {
  return choicesOf(key, false).find((choice) => choice.label === label)?.score ?? null;
}

/** Bounds of a number, where it has both. */
export function range(config: Shape | null): [number, number] | null {
  if (config?.type !== "continuous" || config.min === null || config.max === null || !(config.max > config.min)) return null;
  return [config.min, config.max];
}

/** The number that a digit stands for: itself where the range is that of single digits, else 1 is the least, 9 the most. */
export function digitScore(config: Shape | null, digit: number): number | null {
  const bounds = range(config);
  if (!bounds) return digit;
  const [min, max] = bounds;
  if (Number.isInteger(min) && Number.isInteger(max) && min >= 0 && max <= 9 && max - min > 1) return digit >= min && digit <= max ? digit : null;
  return Number((min + ((max - min) * (digit - 1)) / 8).toPrecision(6));
}

/** How a slider of this range moves. */
export function step([min, max]: [number, number]): number {
  const whole = Number.isInteger(min) && Number.isInteger(max) && max - min > 1;
  return whole && max - min <= 100 ? 1 : Number(((max - min) / 100).toPrecision(3));
}

const isGiven = (draft: Draft | undefined): boolean => draft !== undefined && (draft.score !== null || draft.labels.length > 0 || draft.text.trim() !== "" || draft.preference !== null);

function holds(conditions: Conditions, drafts: Drafts): boolean {
  const results = conditions.rules.map((rule) => {
    const draft = drafts[rule.key];
    if (rule.op === "is_empty") return !isGiven(draft);
    if (rule.op === "is_not_empty") return isGiven(draft);
    return draft !== undefined && draft.score !== null && rule.values.includes(draft.score);
  });
  return conditions.join === "all" ? results.every(Boolean) : results.some(Boolean);
}

/** The keys that are asked for, as things stand: what is hidden counts as empty for those after it. */
export function visible(rubric: readonly RubricKey[], drafts: Drafts): RubricKey[] {
  const seen: Record<string, Draft> = {};
  return rubric.filter((key) => {
    if (key.visibleIf && !holds(key.visibleIf, seen)) return false;
    const draft = drafts[key.key];
    if (draft) seen[key.key] = draft;
    return true;
  });
}

/** Those of them that still need an answer. */
export function missing(rubric: readonly RubricKey[], drafts: Drafts): RubricKey[] {
  const asked = visible(rubric, drafts);
  const seen = Object.fromEntries(asked.flatMap(({ key }) => (drafts[key] ? [[key, drafts[key]]] : [])));
  return asked.filter((key) => !isGiven(drafts[key.key]) && (key.required || (key.requiredIf !== null && holds(key.requiredIf, seen))));
}

/** What is wrong with a number, or null. */
export function wrong(config: Shape | null, score: number | null): string | null {
  if (score === null || config?.type !== "continuous") return null;
  if (config.min !== null && score < config.min) return `at least ${config.min}`;
  if (config.max !== null && score > config.max) return `at most ${config.max}`;
  return null;
}

/** The feedback to give: of what is asked for and answered, and the note. */
export function answers(rubric: readonly RubricKey[], drafts: Drafts, note: Note, pairwise: boolean): Answer[] {
  const found: Answer[] = [];
  for (const key of visible(rubric, drafts)) {
    const draft = drafts[key.key];
    if (!draft || !(isGiven(draft) || draft.comment.trim())) continue;
    const comment = draft.comment.trim() || null;
    if (pairwise) {
      if (draft.preference) found.push({ key: key.key, preference: draft.preference, comment });
      continue;
    }
    const value = draft.labels.length ? (isMultiple(key) ? draft.labels : draft.labels[0]) : draft.text.trim() || null;
    found.push({ key: key.key, score: draft.score, value, comment });
  }
  if (!pairwise && (note.comment.trim() || note.correction.trim())) {
    found.push({ key: NOTE, comment: note.comment.trim() || null, correction: note.correction.trim() ? corrected(note.correction.trim()) : null });
  }
  return found;
}

/** An object where it is written as one, else the text. */
function corrected(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  } catch {
    // a text, then
  }
  return text;
}

/** What was given before, to go on with. `runs` are the item's. */
export function draftsOf(rubric: readonly RubricKey[], given: readonly Given[], runs: readonly string[]): { drafts: Drafts; note: Note } {
  const drafts: Record<string, Draft> = {};
  const pair = runs.length === 2;
  for (const key of rubric) {
    const mine = given.filter((piece) => piece.key === key.key);
    const first = mine.find((piece) => piece.run === runs[0]);
    if (!first) continue;
    const comment = first.comment ?? "";
    if (pair) {
      const other = mine.find((piece) => piece.run === runs[1]);
      const [one, two] = [first.score ?? 0, other?.score ?? 0];
      drafts[key.key] = { ...EMPTY, comment, preference: one > two ? "a" : one < two ? "b" : "tie" };
      continue;
    }
    const labels = (Array.isArray(first.value) ? first.value : [first.value]).filter((label): label is string => typeof label === "string");
    const known = labels.filter((label) => choicesOf(key, false).some((choice) => choice.label === label));
    drafts[key.key] = { ...EMPTY, comment, score: first.score, labels: known, text: known.length === 0 ? labels.join(", ") : "" };
  }
  const note = given.find((piece) => piece.key === NOTE && !rubric.some((key) => key.key === NOTE));
  if (!note) return { drafts, note: NO_NOTE };
  const correction = note.correction === null || note.correction === undefined ? "" : typeof note.correction === "string" ? note.correction : JSON.stringify(note.correction, null, 2);
  return { drafts, note: { comment: note.comment ?? "", correction } };
}

/** "correct=1, partly=0.5, wrong=0" as categories; without numbers the best comes first and the last is 0. */
export function categories(text: string): { value: number; label: string }[] | undefined {
  const parts = text.split(",").map((part) => part.trim()).filter(Boolean);
  const found = parts.map((part, at) => {
    const [, label, value] = /^(.*?)\s*(?:=\s*(-?\d+(?:\.\d+)?))?$/.exec(part) ?? [];
    return { label: label ?? "", value: value === undefined ? parts.length - 1 - at : Number(value) };
  });
  const fits = found.length >= 2 && found.every(({ label }) => label) && new Set(found.map(({ label }) => label)).size === found.length && new Set(found.map(({ value }) => value)).size === found.length;
  return fits ? found : undefined;
}
