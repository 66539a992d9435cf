// Traces a small program with the real TypeScript client and prints what the same client reads back, as JSON.
// Arguments: server URL with HoneyHive's prefix, project name.
import { randomUUID } from "node:crypto";
import honeyhive from "honeyhive";

const { HoneyHive, HoneyHiveTracer, HoneyHiveLangChainTracer } = honeyhive;
const [serverUrl, project] = process.argv.slice(2);
const console_log = console.log;
console.log = () => undefined; // the tracer greets on standard output

const tracer = await HoneyHiveTracer.init({
  apiKey: "any",
  project,
  serverUrl,
  sessionName: "a program",
  source: "typescript",
  inputs: { question: "why?" },
});
const client = new HoneyHive({ bearerAuth: "any", serverURL: serverUrl });
const sessionId = tracer.sessionId;

await tracer.enrichSession({ metadata: { early: 1 } });
const model = tracer.traceModel(
  function model(prompt) {
    tracer.enrichSpan({
      metadata: { total_tokens: 30, prompt_tokens: 10, completion_tokens: 20, cost: 0.5 },
      metrics: { accuracy: 0.75 },
      feedback: { rating: 4 },
      config: { model: "gpt-4o-mini" },
    });
    return { content: prompt.toUpperCase() };
  },
  { eventName: "model" },
);
const agent = tracer.traceChain(
  async function agent(question) {
    return model(question).content;
  },
  { eventName: "agent" },
);
await tracer.trace(async () => agent("why?"));
await tracer.enrichSession({ metadata: { late: 2 }, metrics: { score: 1 }, userProperties: { plan: "pro" } });
await tracer.flush();

const event = {
  project,
  source: "typescript",
  eventName: "by hand",
  eventType: "tool",
  config: { k: 1 },
  inputs: { q: 1 },
  outputs: { a: 2 },
  sessionId,
  parentId: sessionId,
  childrenIds: [],
  duration: 12.5,
  startTime: 1_750_000_000_000,
  endTime: 1_750_000_000_012,
};
const created = await client.events.createEvent({ event });
await client.events.updateEvent({ eventId: created.eventId, metrics: { m: 0.5 }, outputs: { a: 3 }, duration: 20 });
const batch = await client.events.createEventBatch({
  events: [event, { ...event, eventName: "another" }],
  isSingleSession: true,
  sessionProperties: { sessionName: "of a batch" },
});
const partly = await client.events
  .createEventBatch({ events: ["partly", "n".repeat(5000)].map((eventName) => ({ ...event, eventName })) })
  .then(
    () => "all",
    (error) => ({ eventIds: error.eventIds, errors: error.errors, success: error.success }),
  );
const modelEvent = await client.events.createModelEvent({
  modelEvent: {
    project,
    model: "gpt-4o-mini",
    provider: "openai",
    messages: [{ role: "user", content: "hi" }],
    response: { role: "assistant", content: "hello" },
    usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 },
    cost: 0.25,
    duration: 5,
  },
});
const modelBatch = await client.events.createModelEventBatch({
  modelEvents: [
    { project, model: "m", provider: "p", messages: [], response: { content: "x" }, duration: 1, usage: {} },
  ],
});

const langchain = new HoneyHiveLangChainTracer({
  apiKey: "any",
  project,
  sessionName: "langchain",
  source: "langchain",
  baseUrl: serverUrl,
  metadata: { chain: 1 },
});
await langchain.startNewSession();
const [root, call] = [randomUUID(), randomUUID()];
await langchain.handleChainStart({ id: ["langchain", "Chain"] }, { q: 1 }, root);
await langchain.handleLLMStart({ id: ["langchain", "openai", "ChatOpenAI"] }, ["hi"], call, root, { temperature: 0 });
await langchain.handleLLMEnd({ generations: [[{ text: "hello" }]] }, call);
await langchain.handleChainEnd({ a: 2 }, root);
await langchain.setFeedback({ rating: 5 });

const read = async (path) => (await fetch(`${serverUrl}${path}`)).json();
console_log(
  JSON.stringify({
    sessionId,
    session: await client.session.getSession(sessionId),
    tree: await read(`/v1/sessions/${sessionId}`),
    created,
    batch,
    batchTree: await read(`/v1/sessions/${batch.sessionId}`),
    partly,
    modelEvent: (await read(`/v1/events/${modelEvent.eventId}`)).event,
    modelBatch,
    langchain: await read(`/v1/sessions/${langchain.sessionId}`),
  }),
);
process.exit(0);
