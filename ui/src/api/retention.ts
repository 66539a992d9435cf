/** How long traces are kept, as the server answers it. Days of null are for ever; times are microseconds since the epoch. */

export type Tier = "shortlived" | "longlived";

export interface Asked {
  short: number | null;
  long: number | null;
  tier: Tier;
}

export interface OwnProject {
  id: string;
  name: string;
  experiment: boolean;
  tier: Tier | null;
  days: number | null;
  /** What it comes to: days of traces that nobody judged, and of the others. */
  plain: number | null;
  judged: number | null;
}

export interface Kept extends Asked {
  asked: boolean;
  updated: number | null;
  projects: OwnProject[];
  /** How many keep their runs because they say nothing else. */
  experiments: number;
  last: { at: number; /** Days. */ behind: number; deleted: number | null; traces: number; runs: number } | null;
  /** For admins. */
  choices: { id: string; name: string; experiment: boolean }[];
  most: number;
}

export interface Going {
  traces: number;
  runs: number;
}

export interface OwnDraft {
  project: string;
  tier: Tier | null;
  days: number | null;
}
