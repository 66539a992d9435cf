// Chats with Julep's JavaScript client and prints what came back, as JSON. Argument: base URL. The model calls the tool
// `weather` where there are tools and no result yet.
import Julep from "@julep/sdk";

const [baseURL] = process.argv.slice(2);
const julep = new Julep({ apiKey: "any", baseURL, environment: null, maxRetries: 0 });
const found = {};
const refused = async (call) => call.then(() => null, (error) => ({ status: error.status, code: error.error?.error?.code }));
const user = (content) => ({ role: "user", content });

const agent = await julep.agents.create({ name: "Ada", about: "a tutor" });
await julep.agents.docs.create(agent.id, { title: "Paris", content: "Paris is the capital of France." });
const bob = await julep.users.create({ name: "Bob" });
const session = await julep.sessions.create({ agent: agent.id, user: bob.id });
found.rendered = await julep.sessions.render(session.id, { messages: [user("Which is the capital of France?")] });
found.first = await julep.sessions.chat(session.id, { messages: [user("Which is the capital of France?")] });
found.second = await julep.sessions.chat(session.id, { messages: [user("And?")], response_format: { type: "json_object" } });

const tool = { name: "weather", type: "function", function: { parameters: { type: "object" } } };
found.called = await julep.sessions.chat(session.id, { messages: [user("How is it?")], tools: [tool] });
const [call] = found.called.choices[0].message.tool_calls;
found.answered = await julep.sessions.chat(session.id, {
  messages: [{ role: "tool", tool_call_id: call.id, content: "sunny" }],
  tools: [tool],
  "X-Custom-Api-Key": "sk-mine",
});
// It has no streams: with `stream` it hands over the text of the events.
found.streamed = await julep.sessions.chat(session.id, { messages: [user("Bye.")], stream: true });
found.history = (await julep.sessions.history(session.id)).entries.map((each) => [each.role, each.source]);
found.models = (await julep.agents.listModels()).models.map((each) => each.id);
found.refused = {
  temperature: await refused(julep.sessions.chat(session.id, { messages: [user("x")], temperature: 9 })),
  nobody: await refused(julep.sessions.chat(crypto.randomUUID(), { messages: [user("x")] })),
  orphan: await refused(julep.sessions.chat(session.id, { messages: [{ role: "tool", tool_call_id: "x", content: "y" }] })),
};
await julep.sessions.update(session.id, { token_budget: 10 });
found.refused.long = await refused(julep.sessions.chat(session.id, { messages: [user("x")] }));
console.log(JSON.stringify(found));
