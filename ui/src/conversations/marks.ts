/** Which words of a chunk were looked for, and why it came. Pure. */

import type { FoundChunk } from "../api/conversations";

export interface Piece {
  text: string;
  hit: boolean;
}

/** What English forms of a word have in common, near enough for marking them. */
const stem = (word: string): string => (word.length > 4 ? word.replace(/(?:ings?|edly|ed|es|ies|ly|s|y)$/, "") : word);

/** The text in pieces, forms of the words marked. */
export function marked(text: string, words: readonly string[]): Piece[] {
  const stems = words.map((word) => stem(word).replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).filter(Boolean);
  if (stems.length === 0) return [{ text, hit: false }];
  const form = new RegExp(`(?<![\\p{L}\\p{N}])(?:${stems.join("|")})\\p{L}{0,4}(?![\\p{L}\\p{N}])`, "giu");
  const pieces: Piece[] = [];
  let at = 0;
  for (const found of text.matchAll(form)) {
    if (found.index > at) pieces.push({ text: text.slice(at, found.index), hit: false });
    pieces.push({ text: found[0], hit: true });
    at = found.index + found[0].length;
  }
  if (at < text.length) pieces.push({ text: text.slice(at), hit: false });
  return pieces;
}

export type Mode = "text" | "vector" | "hybrid";

/** Why a chunk came, in a sentence. */
export function why(found: FoundChunk, mode: Mode, alpha: number): string {
  const words = found.words ? `${ordinal(found.words.rank)} by words` : "without any of the words";
  const meaning = found.meaning ? `${ordinal(found.meaning.rank)} by meaning (cosine ${(1 - found.meaning.distance).toFixed(3)})` : "not among those near in meaning";
  if (mode === "text") return found.words ? `${words}.` : "";
  if (mode === "vector") return `${meaning}; ${words}.`;
  return `${words}, ${meaning}; meaning weighs ${Math.round(alpha * 100)}%.`;
}

export function ordinal(rank: number): string {
  const teen = rank % 100 > 10 && rank % 100 < 14;
  return `${rank}${(!teen && ["", "st", "nd", "rd"][rank % 10]) || "th"}`;
}
