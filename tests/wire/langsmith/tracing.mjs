// Traces a small program with the real JavaScript client and prints what the same client reads back, as JSON.
// Arguments: server URL, project name.
import { Client } from "langsmith";
import { traceable } from "langsmith/traceable";

const [apiUrl, project] = process.argv.slice(2);
const client = new Client({ apiUrl, apiKey: "any", autoBatchTracing: true });
const options = { client, project_name: project, tracingEnabled: true };

const model = traceable(
  async (prompt) => ({
    content: prompt.toUpperCase(),
    usage_metadata: { input_tokens: 7, output_tokens: 3, total_tokens: 10 },
  }),
  { name: "model", run_type: "llm", metadata: { ls_model_name: "gpt-4o", ls_provider: "openai" }, ...options },
);
const stream = traceable(
  async function* () {
    yield "a";
    yield "b";
  },
  { name: "stream", ...options },
);
const agent = traceable(
  async (question) => {
    const words = [];
    for await (const word of await stream()) words.push(word);
    return { answer: (await model(question)).content, words };
  },
  { name: "agent", tags: ["js"], metadata: { thread_id: "js-thread" }, ...options },
);
const broken = traceable(
  async () => {
    throw new Error("out of paper");
  },
  { name: "broken", ...options },
);
const withFile = traceable(async ({ note }) => note.length, {
  name: "with file",
  extractAttachments: ({ data, ...rest }) => [{ data }, rest],
  ...options,
});

await agent("why?");
await broken().catch(() => undefined);
await withFile({ note: "hello", data: ["text/plain", new TextEncoder().encode("file contents")] });
await client.awaitPendingTraceBatches();

const runs = [];
for await (const run of client.listRuns({ projectName: project })) runs.push(run);
const root = runs.find((run) => run.name === "agent");
await client.createFeedback(root.id, "quality", { score: 0.75, comment: "fine" });
const feedback = [];
for await (const item of client.listFeedback({ runIds: [root.id] })) feedback.push(item);
const link = await client.shareRun(root.id);
const token = link.split("/").at(-2);
const page = await fetch(`${apiUrl}/public/${token}/r`);
const read = await client.readProject({ projectName: project, includeStats: true });
const carrier = await client.readRun(runs.find((run) => run.name === "with file").id);
const file = carrier.s3_urls["attachment.data"];
const contents = await (await fetch(new URL(file.presigned_url, apiUrl))).text();
const stats = await client.getRunStats({ projectNames: [project] });
console.log(
  JSON.stringify({
    runs,
    feedback,
    project: read,
    contents,
    stats,
    link,
    sharedLink: await client.readRunSharedLink(root.id),
    page: page.status,
  }),
);
