import { expect, test } from "vitest";

import type { Entry } from "../api/conversations";
import { marked, ordinal, why } from "./marks";
import { named, turnsOf } from "./turns";

const entry = (id: string, role: string, at: number, text: string): Entry => ({ id, role, source: "api_request", name: null, model: null, content: [{ type: "text", text }], calls: null, answers: null, at });
const trace = (id: string, start: number, end: number | null) => ({ id, name: "chat", status: "success", start, end });

test("each turn has the trace in which it came about", () => {
  const entries = [entry("1", "user", 10_000_000, "hello"), entry("2", "assistant", 10_000_001, "hi"), entry("3", "user", 20_000_000, "bye"), entry("4", "user", 90_000_000, "later")];
  const turns = turnsOf(entries, [trace("a", 9_000_000, 10_500_000), trace("b", 19_000_000, 20_500_000)]);
  expect(turns.map((turn) => [turn.trace?.id ?? null, turn.messages.length])).toEqual([["a", 2], ["b", 1], [null, 1]]);
  expect(turns[0]!.messages[1]).toMatchObject({ role: "assistant", parts: [{ kind: "text", text: "hi" }] });
  expect(turnsOf([], [])).toEqual([]);
});

test("content that is no conversation is shown as it is", () => {
  expect(turnsOf([{ ...entry("1", "user", 1, ""), content: { odd: 1 } }], [])[0]!.messages[0]!.parts).toEqual([{ kind: "other", value: { odd: 1 } }]);
});

test("forms of a word are marked, parts of others are not", () => {
  const hits = (text: string, words: string[]): string[] => marked(text, words).filter((piece) => piece.hit).map((piece) => piece.text);
  expect(hits("Refunds were refunded; a prefund is none.", ["refund"])).toEqual(["Refunds", "refunded"]);
  expect(hits("Shipping (C++) ships.", ["shipping", "c++"])).toContain("Shipping");
  expect(marked("plain", [])).toEqual([{ text: "plain", hit: false }]);
  expect(marked("a <b> tag", ["tag"]).map((piece) => piece.text).join("")).toBe("a <b> tag");
});

test("why a chunk came", () => {
  const found = { doc: "1", title: "t", index: 0, content: "", distance: 0.2, words: { rank: 2, distance: 0.3 }, meaning: { rank: 11, distance: 0.25 } };
  expect(why(found, "hybrid", 0.7)).toBe("2nd by words, 11th by meaning (cosine 0.750); meaning weighs 70%.");
  expect(why({ ...found, words: null }, "vector", 0.7)).toBe("11th by meaning (cosine 0.750); without any of the words.");
  expect(["1st", "3rd", "12th", "22nd"]).toEqual([1, 3, 12, 22].map(ordinal));
  expect(named([{ id: "1", name: "Ada" }, { id: "2", name: null }])).toBe("Ada, (deleted)");
});
