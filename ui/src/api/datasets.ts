/** Datasets and experiments, as the page's API answers them. Times are microseconds since the epoch, costs dollars. */

import type { Attachment, Payload } from "./types";

export interface DatasetRow {
  id: string;
  name: string;
  description: string | null;
  examples: number;
  experiments: number;
  changed: number;
}

export interface Dataset extends DatasetRow {
  baseline: string | null;
  /** Told to the owner alone. */
  share?: string | null;
}

export interface ExampleLine {
  id: string;
  input: string | null;
  output: string | null;
  metadata: string;
  splits: string[];
  changed: number;
}

export interface ExamplePage {
  examples: ExampleLine[];
  total: number;
  splits: string[];
}

export type ExamplePart = "inputs" | "outputs" | "metadata";

export interface ExampleDetail {
  id: string;
  created: number;
  changed: number;
  splits: string[];
  payloads: Record<ExamplePart, Payload | null>;
  files: Attachment[];
  source?: string | null;
  versions?: number[];
}

export interface Version {
  asOf: number;
  tags: string[];
}

export interface Different {
  count: number;
  examples: ExampleLine[];
}

export type Kind = "added" | "removed" | "changed";
export type Diff = Record<Kind, Different>;

/** An example to be made: texts of JSON objects. */
export interface NewExample {
  inputs?: string;
  outputs?: string;
  metadata?: string;
  sourceRun?: string;
  files?: string[];
  asRecorded?: boolean;
}

export interface Named {
  id: string;
  name: string;
  number: number | null;
  start: number;
}

export interface ExperimentRow extends Named {
  description: string | null;
  runs: number;
  expected: number | null;
  errorRate: number | null;
  p50: number | null;
  p99: number | null;
  tokens: number;
  cost: number | null;
  feedback: Record<string, number | null>;
  summary: Record<string, number | null>;
}

export interface Pairwise {
  id: string;
  name: string | null;
  created: number;
  experiments: Named[];
  /** By key and experiment: a point for each preference. */
  preferred: Record<string, Record<string, number>>;
}

export interface ExperimentList {
  more: boolean;
  experiments: ExperimentRow[];
  comparisons: Pairwise[];
}

export interface ScoreKey {
  key: string;
  /** Whether less is better. */
  lower: boolean;
}

/** What one experiment said to each example: see the server's experiments._column. */
export interface ComparedColumn extends Named {
  run: (string | null)[];
  trace: (string | null)[];
  runs: number[];
  output: (string | null)[];
  error: (string | null)[];
  latency: (number | null)[];
  tokens: (number | null)[];
  cost: (number | null)[];
  scores: Record<string, (number | null)[]>;
  labels: Record<string, (string | null)[]>;
}

export interface Compared {
  total: number;
  keys: ScoreKey[];
  examples: { id: string[]; asOf: number[]; input: (string | null)[]; reference: (string | null)[] };
  columns: ComparedColumn[];
}
