/** JSON that people write: spread over lines, and what is wrong with it. Pure. */

/**
 * The same document with a line for each member; as it is when it is no JSON. It goes from text to text, so that numbers
 * keep digits that no float holds, in every browser.
 */
export function spread(text: string): string {
  if (!isJson(text)) return text;
  let made = "";
  let depth = 0;
  const line = (): string => `\n${"  ".repeat(depth)}`;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at]!;
    if (char === '"') {
      const start = at;
      for (at += 1; text[at] !== '"'; at += 1) if (text[at] === "\\") at += 1;
      made += text.slice(start, at + 1);
    } else if (char === "{" || char === "[") {
      const end = afterSpace(text, at + 1);
      if (text[end] === "}" || text[end] === "]") {
        made += char + text[end]!;
        at = end;
      } else {
        depth += 1;
        made += char + line();
      }
    } else if (char === "}" || char === "]") {
      depth -= 1;
      made += line() + char;
    } else if (char === ",") made += char + line();
    else if (char === ":") made += ": ";
    else if (!SPACE.includes(char)) made += char;
  }
  return made;
}

const SPACE = " \t\r\n";

function afterSpace(text: string, at: number): number {
  while (SPACE.includes(text[at]!)) at += 1;
  return at;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
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
