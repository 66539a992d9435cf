/** What was said, in turns: which trace each entry came about in. Pure. */

import type { ConversationRow, Entry, TraceOf } from "../api/conversations";
import { type Message, conversation } from "../payload/messages";

export interface Turn {
  trace: TraceOf | null;
  messages: Message[];
  at: number;
}

/** Entries are stamped while their trace is recorded, a few microseconds apart. */
const SLACK = 1_000_000;

function traceOf(entry: Entry, traces: readonly TraceOf[]): TraceOf | null {
  let found: TraceOf | null = null;
  for (const trace of traces) if (trace.start <= entry.at && entry.at <= (trace.end ?? Infinity) + SLACK && (!found || trace.start > found.start)) found = trace;
  return found;
}

/** Neighbours of one trace are one turn; what came about without a trace stands by itself. */
export function turnsOf(entries: readonly Entry[], traces: readonly TraceOf[]): Turn[] {
  const turns: Turn[] = [];
  for (const entry of entries) {
    const trace = traceOf(entry, traces);
    const last = turns.at(-1);
    if (last && last.trace?.id === trace?.id) last.messages.push(messageOf(entry));
    else turns.push({ trace, messages: [messageOf(entry)], at: entry.at });
  }
  return turns;
}

function messageOf(entry: Entry): Message {
  const [read] = conversation([{ role: entry.role, name: entry.name, content: entry.content, tool_calls: entry.calls, tool_call_id: entry.answers }]) ?? [];
  return read ?? { role: entry.role, name: entry.name, parts: [{ kind: "other", value: entry.content }], calls: [], answers: entry.answers };
}

/** Who takes part, in words; who was deleted since is so. */
export const named = (people: ConversationRow["agents"]): string => people.map((one) => (one.name === null ? "(deleted)" : one.name || "(no name)")).join(", ");

export const kindOf = (kind: string): string => kind.replaceAll("_", " ");
