/** The page's API, as the server answers it. Times are microseconds since the epoch, costs dollars. */

export interface Me {
  auth: "open" | "keys";
  role: string;
  may: string[];
  /** Who is looking: a member, or a key that belongs to nobody. null where nobody is told from anybody. */
  name: string | null;
  member: string | null;
  workspace: string;
  url: string;
}

export interface Figures {
  runs: number;
  errorRate?: number | null;
  p50?: number | null;
  p99?: number | null;
  firstTokenP50?: number | null;
  firstTokenP99?: number | null;
  tokens?: number;
  promptTokens?: number;
  completionTokens?: number;
  cost?: number | null;
  last?: number | null;
  feedback?: Record<string, number | null>;
}

export interface ProjectRow extends Figures {
  id: string;
  name: string;
  description: string | null;
  spark: number[];
}

export interface RunRow {
  id: string;
  trace: string;
  name: string;
  type: string;
  status: string;
  error: string | null;
  start: number;
  end: number | null;
  firstToken: number | null;
  tokens: number;
  cost: number | null;
  tags: string[];
  thread: string | null;
  metadata: Record<string, string>;
  input: string | null;
  output: string | null;
  feedback: Record<string, number | null>;
}

export interface After {
  start: number;
  id: string;
}

export interface RunPage {
  runs: RunRow[];
  next: After | null;
}

export interface Asked {
  filter?: string;
  search?: string;
  roots?: boolean;
  since?: number | null;
  until?: number | null;
}

export interface Bucket extends Figures {
  start: number;
  group: string;
  errors: number;
}

export interface Series {
  traces: Bucket[];
  calls: Bucket[];
  feedback: { start: number; averages: Record<string, number | null> }[];
}

export interface ThreadRow {
  id: string;
  turns: number;
  first: number;
  last: number;
  p50: number | null;
  tokens: number;
  cost: number | null;
  input: string | null;
  output: string | null;
  error: string | null;
  feedback: Record<string, number | null>;
}

export interface Turn extends RunRow {
  inputs: unknown;
  outputs: unknown;
}

/** A trace by column: see the server's traces.columns. */
export interface TraceColumns {
  trace: string;
  more: boolean;
  project?: string;
  projectName?: string | null;
  share?: string | null;
  epoch: number;
  ids: string;
  parent: number[];
  names: string[];
  name: number[];
  types: string[];
  type: number[];
  statuses: string[];
  status: number[];
  start: number[];
  took: number[];
  tokens: Record<string, number>;
  cost: Record<string, number>;
}

export interface Payload {
  size: number;
  text: string | null;
}

export type PayloadName = "inputs" | "outputs" | "events" | "extra" | "serialized";

export interface Usage {
  promptTokens: number;
  completionTokens: number;
  totalTokens: number;
  promptCost: number | null;
  completionCost: number | null;
  totalCost: number | null;
  promptTokenDetails: Record<string, number>;
  completionTokenDetails: Record<string, number>;
  promptCostDetails: Record<string, number | null>;
  completionCostDetails: Record<string, number | null>;
}

export interface Judgement {
  id: string;
  key: string;
  score: number | null;
  value: unknown;
  comment: string | null;
  correction: unknown;
  source: string | null;
  /** Who gave it, by name, where that is known. */
  by: string | null;
  mine: boolean;
  /** Measured by a program, as HoneyHive's metrics are, rather than said by people. */
  measured: boolean;
  error: boolean;
  at: number;
}

export interface Attachment {
  name: string;
  type: string;
  size: number;
  url: string;
}

export interface RunDetail {
  id: string;
  trace: string;
  parent: string | null;
  name: string;
  type: string;
  status: string;
  error: string | null;
  start: number;
  end: number | null;
  firstToken: number | null;
  received: number;
  tags: string[];
  thread: string | null;
  project: string | null;
  example: string | null;
  usage: Usage;
  payloads: Record<PayloadName, Payload | null>;
  attachments: Attachment[];
  feedback: Judgement[];
}
