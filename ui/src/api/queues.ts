/** Annotation queues, as the server answers them. Times are microseconds. */

import type { Judgement } from "./types";

export interface Shape {
  type: "continuous" | "categorical" | "freeform";
  min: number | null;
  max: number | null;
  categories: { value: number; label: string | null }[] | null;
  allows_multiple_categories: boolean;
}

export interface Conditions {
  join: "all" | "any";
  rules: { key: string; op: "is" | "is_one_of" | "is_empty" | "is_not_empty"; values: number[] }[];
}

export interface RubricKey {
  key: string;
  description: string | null;
  required: boolean;
  assertion: boolean;
  valueDescriptions: Record<string, string>;
  scoreDescriptions: Record<string, string>;
  requiredIf: Conditions | null;
  visibleIf: Conditions | null;
  config: Shape | null;
}

export type Section = "mine" | "others" | "done";

export interface QueueRow {
  id: string;
  name: string;
  description: string | null;
  instructions: string | null;
  pairwise: boolean;
  needed: number | null;
  fills: boolean;
  keys: string[];
  counts: Record<Section, number>;
}

export interface Queue extends QueueRow {
  mayReview: boolean;
  rubric: RubricKey[];
}

export interface ItemRow {
  id: string;
  added: number;
  done: number | null;
  reviews: number;
  reserved: boolean;
  thread: string | null;
  pair: boolean;
  name: string;
  status: string;
  input: string | null;
  output: string | null;
  error: string | null;
}

export interface Given extends Judgement {
  run: string;
}

export interface Item {
  id: string;
  section: Section;
  position: number;
  of: number;
  before: string | null;
  after: string | null;
  added: number;
  project: string | null;
  thread: string | null;
  runs: string[];
  mineDone: boolean;
  reviews: number;
  reserved: boolean;
  given: Given[];
}

export interface Answer {
  key: string;
  score?: number | null;
  value?: unknown;
  comment?: string | null;
  correction?: unknown;
  preference?: "a" | "b" | "tie";
}
