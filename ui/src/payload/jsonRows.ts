/** JSON as rows of a tree that opens and closes. Pure; numbers that no float holds keep the digits they were sent with. */

export class Exact {
  constructor(readonly source: string) {}
}

/** undefined when the text is no JSON. */
export function parse(text: string): unknown {
  try {
    return JSON.parse(text, exact as Parameters<typeof JSON.parse>[1]);
  } catch {
    return undefined;
  }
}

function exact(_: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== "number" || !context?.source || Number.isSafeInteger(value)) return value;
  return String(value) === context.source || Number(context.source).toPrecision(15) === Number(value.toPrecision(15)).toPrecision(15) && context.source.length < 16
    ? value
    : new Exact(context.source);
}

export interface JsonRow {
  path: string;
  depth: number;
  /** The member's name; null for the whole. Items of lists have their number. */
  name: string | null;
  value: unknown;
  /** Members or items; null for what has none. */
  size: number | null;
  open: boolean;
}

export const isBranch = (value: unknown): value is object => typeof value === "object" && value !== null && !(value instanceof Exact);

/** The rows that are seen. `toggled` are the paths that are not as they are at first: open down to `openTo`. */
export function jsonRows(value: unknown, toggled: ReadonlySet<string>, openTo = 2): JsonRow[] {
  const rows: JsonRow[] = [];
  const add = (name: string | null, item: unknown, path: string, depth: number): void => {
    const members = isBranch(item) ? Object.entries(item) : null;
    const atFirst = depth < openTo && (members?.length ?? 0) <= 100;
    const open = members !== null && members.length > 0 && atFirst !== toggled.has(path);
    rows.push({ path, depth, name, value: item, size: members?.length ?? null, open });
    if (open) for (const [key, inside] of members) add(key, inside, `${path}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`, depth + 1);
  };
  add(null, value, "", 0);
  return rows;
}

/** A value in short. */
export function brief(value: unknown): string {
  if (value instanceof Exact) return value.source;
  if (Array.isArray(value)) return value.length ? `[ ${value.length} ]` : "[]";
  if (isBranch(value)) {
    const keys = Object.keys(value);
    return keys.length ? `{ ${keys.slice(0, 4).join(", ")}${keys.length > 4 ? ", …" : ""} }` : "{}";
  }
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
