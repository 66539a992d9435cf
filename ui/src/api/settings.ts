/** Settings as the server answers them. Times are microseconds since the epoch; prices dollars for a million tokens, as texts. */

export interface Key {
  id: string;
  name: string;
  /** What it may do; null when that is nothing any more. */
  role: string | null;
  hint: string;
  created: number;
  revoked: number | null;
  expires: number | null;
  active: boolean;
  /** Made for one browser of a member. */
  signIn: boolean;
  /** Whose it is, by name; null for a program's. */
  of: string | null;
  /** The one that this page is looking with. */
  own: boolean;
}

export interface OwnPrice {
  id: string;
  name: string;
  pattern: string;
  provider: string | null;
  input: string;
  output: string;
  details: Record<string, string>;
  since: number | null;
}

export interface Prices {
  own: OwnPrice[];
  builtIn: { provider: string; model: string; input: string | null; output: string | null }[];
  more: boolean;
}

export interface Secret {
  id: string;
  name: string;
  description: string | null;
  updated: number;
}

export interface Endpoints {
  by: "secrets" | "server";
  model: string | null;
  problem: string | null;
  secrets: Secret[];
  known: string[];
}

export interface Stored {
  runs: number;
  projects: { id: string; name: string | null; runs: number; /** Of payloads before compression, about. */ bytes: number | null }[];
  disk: { parts: Record<string, number>; free: number } | null;
}

export interface Letter {
  id: string;
  workspace_id: string;
  kind: string;
  subject_id: string | null;
  reason: string;
  size: number;
  created_at: number;
  replayed_at: number | null;
}

export interface Outcome {
  id: string;
  outcome: string;
  reason: string | null;
}
