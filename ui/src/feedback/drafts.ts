/** What somebody is about to say of a run, as typed: what it means, and what is wrong with it. Pure. */

import type { FeedbackKey, Said } from "../api/feedback";
import type { Judgement } from "../api/types";

export interface Draft {
  key: string;
  score: string;
  value: string;
  comment: string;
}

export const EMPTY: Draft = { key: "", score: "", value: "", comment: "" };

export function draftOf(item: Judgement): Draft {
  const value = item.value;
  return {
    key: item.key,
    score: item.score === null ? "" : String(item.score),
    value: value === null || value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value),
    comment: item.comment ?? "",
  };
}

/** The judgement that a draft comes to, or a sentence on what it lacks. A category is named by its number. */
export function meant(draft: Draft, known: FeedbackKey | undefined): Said | string {
  if (!draft.key.trim()) return "Say under which key.";
  const typed = draft.score.trim().replace(",", ".");
  const score = typed === "" ? null : Number(typed);
  if (score !== null && !Number.isFinite(score)) return "A score is a number. Words go into the label.";
  if (score !== null && known?.min !== null && known?.min !== undefined && score < known.min) return `A score under ${known.key} is ${known.min} or more.`;
  if (score !== null && known?.max !== null && known?.max !== undefined && score > known.max) return `A score under ${known.key} is ${known.max} or less.`;
  const category = known?.type === "categorical" && score !== null ? known.categories?.find((one) => one.value === score) : undefined;
  const value = category?.label ?? (draft.value.trim() || null);
  const comment = draft.comment.trim() || null;
  if (score === null && value === null && comment === null) return "Give a score, a label or a comment.";
  return { score, value, comment };
}

/** The bounds of a key in words, "" when it has none. */
export function bounds(known: FeedbackKey | undefined): string {
  const { min, max } = known ?? {};
  if (typeof min === "number" && typeof max === "number") return `${min} to ${max}`;
  if (typeof min === "number") return `${min} or more`;
  return typeof max === "number" ? `${max} or less` : "";
}
