/** Conversations, people and recall, as the server answers them. Times are microseconds since the epoch. */

export interface Person {
  id: string;
  name: string;
  about: string;
  updated: number;
}

export interface People {
  agents: (Person & { model: string; project: string })[];
  users: Person[];
}

export interface ConversationRow {
  id: string;
  situation: string | null;
  kind: string;
  agents: { id: string; name: string | null }[];
  users: { id: string; name: string | null }[];
  created: number;
  updated: number;
}

export interface Entry {
  id: string;
  role: string;
  source: string;
  name: string | null;
  model: string | null;
  content: unknown;
  calls: unknown;
  answers: string | null;
  at: number;
}

export interface TraceOf {
  id: string;
  name: string;
  status: string;
  start: number;
  end: number | null;
}

export interface Conversation extends ConversationRow {
  entries: Entry[];
  traces: TraceOf[];
}

export interface Doc {
  id: string;
  title: string;
  chunks: number;
  content: string;
  metadata: string | null;
  created: number;
}

export interface Recalled {
  words: string[];
  found: FoundChunk[];
}

interface Rank {
  rank: number;
  distance: number;
}

export interface FoundChunk {
  doc: string;
  title: string;
  index: number;
  content: string;
  distance: number;
  words: Rank | null;
  meaning: Rank | null;
}

export interface Tried {
  trace: string;
  answers: string[];
  calls: string[];
  docs: { title: string; content: string }[];
}
