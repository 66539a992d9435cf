/** JSON that people write: spread over lines, and what is wrong with it. Numbers keep their digits. Pure. */

import { Exact, isBranch, parse } from "../payload/jsonRows";

/** The same document with a line for each member; as it is when it is no JSON. */
export function spread(text: string): string {
  const value = parse(text);
  return value === undefined ? text : written(value, "");
}

function written(value: unknown, indent: string): string {
  if (value instanceof Exact) return value.source;
  if (!isBranch(value)) return JSON.stringify(value);
  const inner = `${indent}  `;
  const parts = Array.isArray(value)
    ? value.map((item) => written(item, inner))
    : Object.entries(value as Record<string, unknown>).map(([name, item]) => `${JSON.stringify(name)}: ${written(item, inner)}`);
  const [open, close] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  return parts.length ? `${open}\n${inner}${parts.join(`,\n${inner}`)}\n${indent}${close}` : open + close;
}

/** Why this is no JSON object, in words for who wrote it; null when it is one. */
export function mistake(text: string): string | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return typeof value === "object" && value !== null && !Array.isArray(value) ? null : "This has to be a JSON object: members in braces.";
}
