/** Files that become a dataset: CSV and JSON lines, read into examples as texts of JSON, so that nothing is rounded. */

import type { NewExample } from "../api/datasets";

export class Unreadable extends Error {}

/** What becomes of a column. */
export type Use = "inputs" | "outputs" | "metadata" | "leave out";
export const USES: readonly Use[] = ["inputs", "outputs", "metadata", "leave out"];

export interface Table {
  columns: string[];
  rows: string[][];
}

/** RFC 4180, with any line break. Unreadable names the line of what is wrong. */
export function readCsv(text: string): Table {
  const rows: string[][] = [];
  const source = text.replace(/^\ufeff/, "");
  let row: string[] = [];
  let cell = "";
  let quoted = false;
  let line = 1;
  let began = 1;
  const endRow = (): void => {
    row.push(cell);
    if (row.length > 1 || row[0] !== "") {
      if (rows.length && row.length !== rows[0]!.length) throw new Unreadable(`Line ${began} has ${row.length} cells, and the header has ${rows[0]!.length}.`);
      rows.push(row);
    }
    row = [];
    cell = "";
  };
  for (let at = 0; at < source.length; at += 1) {
    const char = source[at]!;
    if (char === "\n") line += 1;
    if (quoted) {
      if (char !== '"') cell += char;
      else if (source[at + 1] === '"') {
        cell += '"';
        at += 1;
      } else quoted = false;
    } else if (char === '"' && cell === "") quoted = true;
    else if (char === ",") {
      row.push(cell);
      cell = "";
    } else if (char === "\n" || char === "\r") {
      if (char === "\r" && source[at + 1] === "\n") {
        at += 1;
        line += 1;
      }
      endRow();
      began = line;
    } else cell += char;
  }
  if (quoted) throw new Unreadable(`The quote that begins on line ${began} or after it is not closed.`);
  if (cell !== "" || row.length) endRow();
  const [columns, ...rest] = rows;
  if (!columns) throw new Unreadable("The file is empty: its first line names the columns.");
  const twice = columns.find((name, at) => columns.indexOf(name) !== at);
  if (twice !== undefined) throw new Unreadable(`Two columns are called ${JSON.stringify(twice)}.`);
  if (rest.length === 0) throw new Unreadable("There is nothing below the header.");
  return { columns, rows: rest };
}

const ANSWERS = /^(outputs?|answers?|expected|expected_.*|reference.*|labels?|completion|ground_?truth|target|response)$/i;

/** What a column is most likely for, by its name. Downloads of this server say so before a dot. */
export function likely(column: string): Use {
  const before = column.split(".", 1)[0]!;
  if (column.includes(".") && (before === "inputs" || before === "outputs" || before === "metadata")) return before;
  if (column === "id") return "leave out";
  return ANSWERS.test(column) ? "outputs" : "inputs";
}

/** Unreadable when no column is chosen for the inputs, or two would become one member. */
export function fromTable({ columns, rows }: Table, uses: readonly Use[]): NewExample[] {
  const chosen = (["inputs", "outputs", "metadata"] as const).map((use) => {
    const places = columns.flatMap((column, at) => (uses[at] === use ? [{ at, name: memberOf(column, use) }] : []));
    const names = places.map((place) => place.name);
    const twice = names.find((name, at) => names.indexOf(name) !== at);
    if (twice !== undefined) throw new Unreadable(`Two columns would become the member ${JSON.stringify(twice)} of ${use}.`);
    return { use, places };
  });
  if (chosen[0]!.places.length === 0) throw new Unreadable("Choose at least one column for the inputs.");
  return rows.map((row) => {
    const made: NewExample = {};
    for (const { use, places } of chosen) {
      if (places.length) made[use] = `{${places.map(({ at, name }) => `${JSON.stringify(name)}:${cellAsJson(row[at]!)}`).join(",")}}`;
    }
    return made;
  });
}

const memberOf = (column: string, use: Use): string => (column.startsWith(`${use}.`) ? column.slice(use.length + 1) : column);

/** A list or an object is one; an apostrophe that keeps a spreadsheet from running a cell is taken off. */
function cellAsJson(cell: string): string {
  if (/^\s*[[{]/.test(cell)) {
    try {
      JSON.parse(cell);
      return cell;
    } catch {
      // a text, then
    }
  }
  return JSON.stringify(/^'[=+\-@\t\r\n]/.test(cell) ? cell.slice(1) : cell);
}

/** JSON lines: whole examples (inputs, outputs, metadata). Where no line has inputs, each line is the inputs. */
export function fromLines(text: string): NewExample[] {
  const made: NewExample[] = [];
  let line = 0;
  for (const source of text.replace(/^\ufeff/, "").split("\n")) {
    line += 1;
    if (!source.trim()) continue;
    const members = membersOf(source);
    if (members === null) throw new Unreadable(`Line ${line} is not a JSON object.`);
    if (!("inputs" in members)) {
      made.push({ inputs: source.trim() });
      continue;
    }
    const example: NewExample = {};
    for (const part of ["inputs", "outputs", "metadata"] as const) {
      const found = members[part];
      if (found !== undefined && found !== "null") example[part] = found;
    }
    made.push(example);
  }
  if (made.length === 0) throw new Unreadable("The file has no lines.");
  return made;
}

/** The members of an object as the texts they are written in; null when it is no JSON object. */
export function membersOf(text: string): Record<string, string> | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  } catch {
    return null;
  }
  const found: Record<string, string> = Object.create(null) as Record<string, string>;
  let at = text.indexOf("{") + 1;
  let depth = 0;
  let name: string | null = null;
  let from = at;
  const end = (to: number): void => {
    if (name !== null) found[name] = text.slice(from, to).trim();
    name = null;
  };
  for (; at < text.length; at += 1) {
    const char = text[at]!;
    if (char === '"') {
      const start = at;
      for (at += 1; text[at] !== '"'; at += 1) if (text[at] === "\\") at += 1;
      if (depth === 0 && name === null) {
        name = JSON.parse(text.slice(start, at + 1)) as string;
        at = text.indexOf(":", at);
        from = at + 1;
      }
    } else if (char === "{" || char === "[") depth += 1;
    else if (char === "," && depth === 0) end(at);
    else if (char === "}" || char === "]") {
      if (depth === 0) {
        end(at);
        break;
      }
      depth -= 1;
    }
  }
  return found;
}
