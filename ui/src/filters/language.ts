/**
 * LangSmith's filter language in the browser: enough to show an expression as conditions and to complete it. What it
 * means is the server's business, which also says what is wrong.
 */

export type Kind = "text" | "number" | "time" | "duration" | "flag" | "tag" | "key";

export interface Field {
  name: string;
  kind: Kind;
  help: string;
}

export const FIELDS: readonly Field[] = [
  { name: "name", kind: "text", help: "what the run is called" },
  { name: "run_type", kind: "text", help: "llm, chain, tool, retriever …" },
  { name: "status", kind: "text", help: "success, error or pending" },
  { name: "error", kind: "text", help: "what the error says" },
  { name: "latency", kind: "duration", help: "seconds from start to end" },
  { name: "start_time", kind: "time", help: "when it began" },
  { name: "tags", kind: "tag", help: "one of its tags" },
  { name: "thread_id", kind: "text", help: "the conversation it is part of" },
  { name: "total_tokens", kind: "number", help: "tokens of the run" },
  { name: "prompt_tokens", kind: "number", help: "tokens that went in" },
  { name: "completion_tokens", kind: "number", help: "tokens that came out" },
  { name: "total_cost", kind: "number", help: "dollars" },
  { name: "first_token_time", kind: "time", help: "when the first token came" },
  { name: "is_root", kind: "flag", help: "whether it begins a trace" },
  { name: "metadata_key", kind: "key", help: "a key of its metadata" },
  { name: "metadata_value", kind: "text", help: "a value of its metadata" },
  { name: "feedback_key", kind: "key", help: "what was judged" },
  { name: "feedback_score", kind: "number", help: "how it was judged" },
  { name: "input_key", kind: "key", help: "a field of its inputs" },
  { name: "input_value", kind: "text", help: "a value in its inputs" },
  { name: "output_key", kind: "key", help: "a field of its outputs" },
  { name: "output_value", kind: "text", help: "a value in its outputs" },
  { name: "id", kind: "text", help: "its id" },
  { name: "trace_id", kind: "text", help: "its trace's id" },
  { name: "cluster_id", kind: "text", help: "a cluster of an insights report" },
];

const BY_NAME = new Map(FIELDS.map((field) => [field.name, field]));

const WORDS: Record<string, string> = { eq: "is", neq: "is not", gt: ">", gte: "≥", lt: "<", lte: "≤", in: "in", has: "has", search: "contains", like: "like", exists: "has" };

// -- reading ---------------------------------------------------------------------------------------------

interface Token {
  kind: "name" | "text" | "number" | "mark";
  text: string;
  from: number;
  to: number;
}

/** The tokens of a text, the last perhaps unfinished. */
export function tokens(source: string): Token[] {
  const found: Token[] = [];
  const pattern = /\s+|("(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?)|([A-Za-z_][\w.]*)|(-?[\d.]+(?:e[+-]?\d+)?)|(.)/gsy;
  for (let match = pattern.exec(source); match; match = pattern.exec(source)) {
    const [whole, text, name, number, mark] = match;
    const kind = text !== undefined ? "text" : name !== undefined ? "name" : number !== undefined ? "number" : mark !== undefined ? "mark" : null;
    if (kind) found.push({ kind, text: whole, from: match.index, to: match.index + whole.length });
  }
  return found;
}

/** The conditions that all have to hold, each as it is written; null for a text that is not finished. */
export function conditions(source: string): string[] | null {
  const list = tokens(source);
  if (list.length === 0) return [];
  const whole = call(list, 0);
  if (whole === null || whole.next !== list.length) return null;
  if (list[0]!.text !== "and") return [source.trim()];
  return whole.args.map(([from, to]) => source.slice(list[from]!.from, list[to]!.to));
}

/** A call that begins at a token: where it ends, and its arguments as first and last token. */
function call(list: Token[], at: number): { next: number; args: [number, number][] } | null {
  if (list[at]?.kind !== "name" || list[at + 1]?.text !== "(") return null;
  const args: [number, number][] = [];
  let depth = 1;
  let begin = at + 2;
  for (let here = at + 2; here < list.length; here++) {
    const { kind, text } = list[here]!;
    if (kind === "text" && !isClosed(text)) return null;
    if (kind !== "mark") continue;
    if (text === "(" || text === "[") depth++;
    if (text === ")" || text === "]") depth--;
    if ((text === "," && depth === 1) || depth === 0) {
      if (here > begin) args.push([begin, here - 1]);
      begin = here + 1;
    }
    if (depth === 0) return { next: here + 1, args };
  }
  return null;
}

const isClosed = (text: string): boolean => text.length > 1 && text.at(-1) === text[0] && !/[^\\](\\\\)*\\.$/s.test(text.slice(0, -1) + "x" + text.slice(-1));

/** A condition as a person says it: name is "x", latency > 5. What is more than that stays as it is. */
export function saying(condition: string): string {
  const list = tokens(condition);
  const [name, , field] = list;
  if (!name || list[1]?.text !== "(" || !(name.text in WORDS) || !field) return condition;
  const rest = list.slice(3);
  if (rest[0]?.text !== "," || list.filter((token) => token.text === "(").length > 1) {
    return name.text === "search" && rest.length === 1 ? `contains ${field.text}` : condition;
  }
  const value = condition.slice(rest[1]?.from ?? condition.length, list.at(-1)!.from);
  return `${field.text} ${WORDS[name.text]} ${value}`.trim();
}

// -- writing ---------------------------------------------------------------------------------------------

export function joined(parts: readonly string[]): string {
  if (parts.length === 0) return "";
  return parts.length === 1 ? parts[0]! : `and(${parts.join(", ")})`;
}

/** The expression with one condition more; an unfinished one is left alone. */
export function with_(source: string, condition: string): string {
  const parts = conditions(source);
  if (parts === null) return source;
  return joined([...parts.filter((part) => part !== condition), condition]);
}

export function without(source: string, index: number): string {
  return joined((conditions(source) ?? []).filter((_, at) => at !== index));
}

export const quoted = (text: string): string => JSON.stringify(text);

export function isText(field: string, value: string): string {
  return `eq(${field}, ${quoted(value)})`;
}

// -- completing ------------------------------------------------------------------------------------------

export interface Suggestion {
  label: string;
  help: string;
  /** What replaces the text from `from` to the cursor, and where the cursor stands then, counted from its begin. */
  insert: string;
  from: number;
  cursor: number;
}

const TEMPLATES: Record<Kind, (name: string) => [string, string][]> = {
  text: (name) => [
    [`${name} is …`, `eq(${name}, "")`],
    [`${name} is not …`, `neq(${name}, "")`],
    [`${name} contains …`, `search(${name}, "")`],
  ],
  key: (name) => [[`${name} is …`, `eq(${name}, "")`]],
  tag: () => [["has tag …", 'has(tags, "")']],
  number: (name) => [
    [`${name} > …`, `gt(${name}, )`],
    [`${name} < …`, `lt(${name}, )`],
  ],
  duration: (name) => [
    [`${name} > … seconds`, `gt(${name}, "s")`],
    [`${name} < … seconds`, `lt(${name}, "s")`],
  ],
  time: (name) => [
    [`${name} after …`, `gt(${name}, "")`],
    [`${name} before …`, `lt(${name}, "")`],
  ],
  flag: (name) => [
    [`${name} is true`, `eq(${name}, true)`],
    [`${name} is false`, `eq(${name}, false)`],
  ],
};

const SEARCHABLE = new Set(["name", "run_type", "status", "error", "thread_id", "input_value", "output_value", "metadata_value"]);
const AS_FACET: Record<string, string> = { tags: "tag", run_type: "run_type" };
const STATUSES = ["success", "error", "pending"];

/** What may come next at the cursor. `values` are the frequent ones by field, as the server tells them. */
export function complete(source: string, cursor: number, values: Readonly<Record<string, readonly string[]>>): Suggestion[] {
  const before = tokens(source.slice(0, cursor));
  const last = before.at(-1);
  const typing = last?.kind === "name" && last.to === cursor ? last : null;
  const opened = last?.kind === "text" && last.to === cursor && !isClosed(last.text) ? last : null;
  const field = fieldBefore(before, typing ?? opened);
  if (field !== null) return valuesOf(field, source, cursor, opened, values, before);
  const previous = typing ? before.at(-2) : last;
  const atCondition = previous === undefined || (previous.text === "(" && ["and", "or", "not"].includes(before.at(typing ? -3 : -2)?.text ?? "")) || (previous.text === "," && insideLogic(before));
  if (!atCondition || opened) return [];
  const word = (typing?.text ?? "").toLowerCase();
  const from = typing?.from ?? cursor;
  const found: Suggestion[] = [];
  for (const { name, kind, help } of FIELDS) {
    if (!name.includes(word) && !(kind === "tag" && "has".startsWith(word))) continue;
    for (const [label, insert] of TEMPLATES[kind](name)) {
      if (label.includes("contains") && !SEARCHABLE.has(name)) continue;
      const inside = Math.max(insert.indexOf('""') + 1, insert.indexOf('"s"') + 1) || (insert.endsWith(", )") ? insert.length - 1 : insert.length);
      found.push({ label, help, insert, from, cursor: inside });
    }
  }
  for (const logic of ["and", "or", "not"]) {
    if (logic.startsWith(word)) found.push({ label: `${logic}(…)`, help: "conditions together", insert: `${logic}()`, from, cursor: logic.length + 1 });
  }
  return found.sort((a, b) => Number(!a.label.startsWith(word)) - Number(!b.label.startsWith(word))).slice(0, 40);
}

/** The field whose value is being typed; null elsewhere. */
function fieldBefore(before: Token[], part: Token | null): string | null {
  let at = before.length - (part ? 2 : 1);
  if (before[at]?.text === "[") at--;
  else {
    // further items of a list
    let here = at;
    while (here > 0 && (before[here]!.text === "," || before[here]!.kind === "text")) here--;
    if (before[here]?.text === "[") at = here - 1;
  }
  const [open, name, comma] = [before[at - 2], before[at - 1], before[at]];
  return comma?.text === "," && name?.kind === "name" && open?.text === "(" && BY_NAME.has(name.text) ? name.text : null;
}

function insideLogic(before: Token[]): boolean {
  let depth = 0;
  for (let at = before.length - 1; at > 0; at--) {
    const { text } = before[at]!;
    if (text === ")" || text === "]") depth++;
    else if (text === "(" || text === "[") {
      if (depth === 0) return ["and", "or", "not"].includes(before[at - 1]!.text);
      depth--;
    }
  }
  return false;
}

function valuesOf(
  field: string,
  source: string,
  cursor: number,
  opened: Token | null,
  values: Readonly<Record<string, readonly string[]>>,
  before: Token[],
): Suggestion[] {
  const kind = BY_NAME.get(field)!.kind;
  if (!["text", "key", "tag"].includes(kind)) return [];
  let known: readonly string[] = values[AS_FACET[field] ?? field] ?? [];
  if (field === "status") known = STATUSES;
  if (field === "metadata_key") known = Object.keys(values).flatMap((key) => (key.startsWith("metadata.") ? [key.slice(9)] : []));
  if (field === "metadata_value") known = values[`metadata.${keyBefore(before)}`] ?? [];
  const typed = (opened?.text.slice(1) ?? "").toLowerCase();
  const from = opened?.from ?? cursor;
  const closing = opened && source[cursor] === opened.text[0] ? 1 : 0;
  return known
    .filter((value) => value.toLowerCase().includes(typed))
    .slice(0, 40)
    .map((value) => ({ label: value, help: field, insert: closing ? quoted(value).slice(0, -1) : quoted(value), from, cursor: quoted(value).length }));
}

/** The metadata key that stands beside the value: and(eq(metadata_key, "k"), eq(metadata_value, …)). */
function keyBefore(before: Token[]): string {
  for (let at = before.length - 1; at > 1; at--) {
    if (before[at]!.kind === "text" && before[at - 2]!.text === "metadata_key") return before[at]!.text.slice(1, -1);
  }
  return "";
}
