import { expect, test } from "vitest";

import { conversation, isShowable } from "./messages";

const brief = (value: unknown): string | null =>
  conversation(value)
    ?.map((one) => {
      const parts = one.parts.map((part) => (part.kind === "text" ? part.text : part.kind)).join("+");
      const calls = one.calls.map((call) => `${call.name}(${JSON.stringify(call.args)})`).join(" ");
      return `${one.role}: ${parts}${calls && ` ${calls}`}`;
    })
    .join(" | ") ?? null;

test.each<[string, unknown, string | null]>([
  ["OpenAI's request", { messages: [{ role: "system", content: "Be brief" }, { role: "user", content: "Hi" }] }, "system: Be brief | user: Hi"],
  ["OpenAI's answer", { choices: [{ message: { role: "assistant", content: "Hello" } }] }, "assistant: Hello"],
  [
    "a tool call",
    { choices: [{ message: { role: "assistant", content: null, tool_calls: [{ id: "1", function: { name: "look", arguments: '{"a":1}' } }] } }] },
    'assistant:  look({"a":1})',
  ],
  ["arguments that are no JSON", { role: "assistant", content: "", tool_calls: [{ function: { name: "x", arguments: "{" } }] }, 'assistant:  x("{")'],
  ["LangChain's messages", { messages: [[{ type: "human", content: "Hi" }, { type: "ai", content: "Yes" }]] }, "user: Hi | assistant: Yes"],
  [
    "LangChain's serialised form",
    { messages: [[{ lc: 1, type: "constructor", id: ["langchain", "schema", "messages", "HumanMessage"], kwargs: { content: "Hi" } }]] },
    "user: Hi",
  ],
  [
    "LangChain's generations",
    { generations: [[{ text: "Yes", message: { lc: 1, type: "constructor", id: ["x", "AIMessage"], kwargs: { content: "Yes" } } }]] },
    "assistant: Yes",
  ],
  ["LangChain's pairs", { messages: [["user", "Hi"]] }, "user: Hi"],
  [
    "Anthropic's parts",
    { role: "assistant", content: [{ type: "thinking", thinking: "hm" }, { type: "text", text: "So" }, { type: "tool_use", id: "1", name: "go", input: { x: 1 } }] },
    'assistant: thinking+So go({"x":1})',
  ],
  ["Anthropic's system", { system: "Be kind", messages: [{ role: "user", content: "Hi" }] }, "system: Be kind | user: Hi"],
  ["images", { role: "user", content: [{ type: "image_url", image_url: { url: "data:image/png;base64,AA==" } }] }, "user: image"],
  ["a graph's state", { messages: [{ type: "human", content: "Hi" }], other: 1 }, "user: Hi"],
  ["an answer within", { output: { role: "assistant", content: "Done" } }, "assistant: Done"],
  ["no conversation", { question: "Hi" }, null],
  ["a list of numbers", [1, 2], null],
  ["text", "Hi", null],
  ["something with a type of its own", { type: "Document", page_content: "x" }, null],
])("%s", (_, value, told) => expect(brief(value)).toBe(told));

test("only images in the payload itself are shown", () => {
  expect(isShowable("data:image/png;base64,iVBORw0KGgo=")).toBe(true);
  expect(isShowable("https://example.com/x.png")).toBe(false);
  expect(isShowable("data:image/svg+xml;base64,AAAA")).toBe(false);
  expect(isShowable("javascript:alert(1)")).toBe(false);
});
