/** Reports of insights, as the server answers them. Times are microseconds, costs dollars, lengths of time seconds. */

import type { RunRow } from "./types";

export interface ReportRow {
  id: string;
  name: string;
  status: "queued" | "running" | "success" | "error";
  error: string | null;
  created: number;
  started: number | null;
  finished: number | null;
  scheduled: boolean;
  runs: number | null;
  top: Record<string, number> | null;
  progress: { stage: string; done: number; of: number };
  asked: { since: number | null; until: number | null; filter: string | null; sample: number | null; hierarchy: number[] | null };
}

export interface Stats {
  run_count: number;
  share: number;
  error_count: number;
  error_rate: number;
  latency_p50?: number;
  latency_p99?: number;
  first_token_p50?: number;
  tokens_p50?: number;
  cost_p50?: number;
  total_tokens?: number;
  total_cost?: number;
  feedback_stats?: Record<string, { n: number; avg: number; stdev: number }>;
}

export interface Cluster {
  id: string;
  parent: string | null;
  level: number;
  name: string;
  description: string;
  runs: number;
  stats: Stats;
}

export interface Highlight {
  run: string;
  rank: number;
  reason: string;
  cluster: string | null;
  clusterName: string | null;
  summary: string | null;
}

export interface Spot {
  id: string;
  x: number;
  y: number;
  r: number;
}

export interface Report extends ReportRow {
  report: { title: string; points: string[]; overall: Partial<Stats>; distinct: number; highlights: Highlight[] } | null;
  clusters: Cluster[];
  map: Spot[];
  height: number;
  earlier: { id: string; name: string; created: number }[];
}

export interface MemberRow extends RunRow {
  closeness: number | null;
  gone: boolean;
}

export interface Side {
  id: string;
  name: string;
  runs: number;
  share: number;
}

export interface Change {
  kind: "new" | "gone" | "grown" | "shrunk" | "same";
  before: Side | null;
  after: Side | null;
}

export interface Targets {
  queues: { id: string; name: string }[];
  datasets: { id: string; name: string }[];
}
