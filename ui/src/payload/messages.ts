/**
 * Payloads as conversations: whatever wrote them (OpenAI, Anthropic, LangChain and its serialised form), as messages.
 * Pure. What is no conversation is null, and shown as JSON.
 */

export type Part =
  | { kind: "text"; text: string }
  | { kind: "thinking"; text: string }
  | { kind: "image"; url: string }
  | { kind: "other"; value: unknown };

export interface ToolCall {
  id: string | null;
  name: string;
  args: unknown;
}

export interface Message {
  role: string;
  name: string | null;
  parts: Part[];
  calls: ToolCall[];
  answers: string | null;
}

type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);
const text = (value: unknown): string | null => (typeof value === "string" ? value : null);

const ROLES: Record<string, string> = {
  human: "user",
  ai: "assistant",
  model: "assistant",
  function: "tool",
  developer: "system",
  HumanMessage: "user",
  AIMessage: "assistant",
  AIMessageChunk: "assistant",
  SystemMessage: "system",
  ToolMessage: "tool",
  FunctionMessage: "tool",
  HumanMessageChunk: "user",
};
const KNOWN = new Set(["user", "assistant", "system", "tool", ...Object.keys(ROLES)]);

/** The messages of a payload, `inputs` or `outputs`; null when it has none. */
export function conversation(value: unknown): Message[] | null {
  const found = messagesIn(value, 0);
  return found && found.length > 0 ? found : null;
}

function messagesIn(value: unknown, depth: number): Message[] | null {
  if (depth > 6) return null;
  if (Array.isArray(value)) return listOf(value, depth);
  if (!isObject(value)) return null;
  const own = message(value);
  if (own) return [own];
  for (const field of ["messages", "choices", "generations", "message", "output", "outputs", "input", "response"]) {
    const inside = value[field];
    if (inside === undefined || typeof inside !== "object") continue;
    const found = messagesIn(inside, depth + 1);
    if (found) return field === "messages" && text(value["system"]) ? [plain("system", text(value["system"])!), ...found] : found;
  }
  return null;
}

function listOf(items: unknown[], depth: number): Message[] | null {
  const found: Message[] = [];
  for (const item of items) {
    const own = pair(item) ?? (isObject(item) ? message(item) : null);
    if (own) {
      found.push(own);
      continue;
    }
    const inside = messagesIn(item, depth + 1);
    if (!inside) return null;
    found.push(...inside);
  }
  return found;
}

/** LangChain's short form: ["user", "hello"]. */
function pair(item: unknown): Message | null {
  if (!Array.isArray(item) || item.length !== 2) return null;
  const [role, content] = item as [unknown, unknown];
  return typeof role === "string" && KNOWN.has(role) && typeof content === "string" ? plain(ROLES[role] ?? role, content) : null;
}

const plain = (role: string, content: string): Message => ({
  role,
  name: null,
  parts: content ? [{ kind: "text", text: content }] : [],
  calls: [],
  answers: null,
});

function message(value: Json): Message | null {
  if (isObject(value["kwargs"]) && Array.isArray(value["id"])) {
    const kind = text(value["id"].at(-1)) ?? "";
    if (kind in ROLES) return message({ ...value["kwargs"], role: ROLES[kind] });
  }
  if (isObject(value["data"]) && text(value["type"]) && KNOWN.has(value["type"] as string)) {
    return message({ ...value["data"], role: value["type"] });
  }
  const said = text(value["role"]) ?? text(value["type"]);
  if (said === null || !(KNOWN.has(said) || (text(value["role"]) !== null && "content" in value))) return null;
  if (!("content" in value) && !("tool_calls" in value) && !("parts" in value)) return null;
  const { parts, calls } = contents(value["content"] ?? value["parts"]);
  const extra = isObject(value["additional_kwargs"]) ? value["additional_kwargs"] : {};
  for (const list of [value["tool_calls"], calls.length ? null : extra["tool_calls"]]) {
    if (Array.isArray(list)) for (const item of list) if (isObject(item)) addCall(calls, item);
  }
  if (isObject(value["function_call"])) addCall(calls, value["function_call"]);
  return {
    role: ROLES[said] ?? said,
    name: text(value["name"]),
    parts,
    calls,
    answers: text(value["tool_call_id"]),
  };
}

function contents(content: unknown): { parts: Part[]; calls: ToolCall[] } {
  const parts: Part[] = [];
  const calls: ToolCall[] = [];
  if (typeof content === "string") {
    if (content) parts.push({ kind: "text", text: content });
  } else if (Array.isArray(content)) {
    for (const item of content) part(item, parts, calls);
  } else if (content !== null && content !== undefined) {
    parts.push({ kind: "other", value: content });
  }
  return { parts, calls };
}

function part(item: unknown, parts: Part[], calls: ToolCall[]): void {
  if (typeof item === "string") {
    parts.push({ kind: "text", text: item });
    return;
  }
  if (!isObject(item)) {
    parts.push({ kind: "other", value: item });
    return;
  }
  const type = text(item["type"]);
  if (type === "tool_use") {
    calls.push({ id: text(item["id"]), name: text(item["name"]) ?? "", args: item["input"] });
  } else if (type === "thinking" || type === "reasoning") {
    parts.push({ kind: "thinking", text: text(item["thinking"]) ?? text(item["text"]) ?? JSON.stringify(item) });
  } else if (type === "image_url" || type === "input_image" || type === "image") {
    const url = image(item);
    parts.push(url ? { kind: "image", url } : { kind: "other", value: item });
  } else if (text(item["text"]) !== null) {
    parts.push({ kind: "text", text: item["text"] as string });
  } else {
    parts.push({ kind: "other", value: item });
  }
}

function image(item: Json): string | null {
  const direct = item["image_url"] ?? item["url"];
  if (typeof direct === "string") return direct;
  if (isObject(direct)) return text(direct["url"]);
  const source = isObject(item["source"]) ? item["source"] : item;
  const data = text(source["data"]) ?? text(source["base64"]);
  const type = text(source["media_type"]) ?? text(source["mime_type"]) ?? "image/png";
  return data && /^image\/[a-z.+-]+$/i.test(type) ? `data:${type};base64,${data}` : text(source["url"]);
}

function addCall(calls: ToolCall[], item: Json): void {
  const inner = isObject(item["function"]) ? item["function"] : item;
  const args = inner["arguments"] ?? inner["args"] ?? inner["input"];
  calls.push({ id: text(item["id"]), name: text(inner["name"]) ?? "", args: typeof args === "string" ? parsed(args) : args });
}

function parsed(source: string): unknown {
  try {
    return JSON.parse(source);
  } catch {
    return source;
  }
}

/** Whether an address of an image may be shown: only what is in the payload itself, nothing from elsewhere. */
export const isShowable = (url: string): boolean => /^data:image\/(png|jpeg|gif|webp|avif);base64,[a-z0-9+/=\s]+$/i.test(url);
