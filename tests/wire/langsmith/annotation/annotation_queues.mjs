// Goes through the life of an annotation queue with the real JavaScript client and prints what it reads, as JSON.
// Arguments: server URL, project name.
import { Client } from "langsmith";

const [apiUrl, project] = process.argv.slice(2);
const client = new Client({ apiUrl, apiKey: "any", autoBatchTracing: true });

const ids = [crypto.randomUUID(), crypto.randomUUID(), crypto.randomUUID()];
for (const [index, id] of ids.entries()) {
  const start = 1767225600000 + index * 1000;
  await client.createRun({
    id,
    name: `run ${index}`,
    run_type: "chain",
    inputs: { index },
    outputs: { index },
    start_time: start,
    end_time: start + 500,
    project_name: project,
    trace_id: id,
    dotted_order: `20260101T00000${index}000000Z${id}`,
  });
}
await client.awaitPendingTraceBatches();

const rubricItems = [{ feedback_key: "js-quality", description: "how good", is_required: true }];
const created = await client.createAnnotationQueue({
  name: `${project} queue`,
  description: "from JavaScript",
  rubricInstructions: "Look.",
  rubricItems,
});
const read = await client.readAnnotationQueue(created.id);
await client.updateAnnotationQueue(created.id, { name: `${project} renamed`, rubricInstructions: "Look again." });
const updated = await client.readAnnotationQueue(created.id);
const found = [];
for await (const queue of client.listAnnotationQueues({ nameContains: `${project} RENAMED` })) found.push(queue.id);

await client.addRunsToAnnotationQueue(created.id, ids.slice(0, 2));
const { session_id: sessionId, start_time: startTime } = await client.readRun(ids[2]);
await client.addRunsToAnnotationQueue(created.id, [{ runId: ids[2], sessionId, startTime }]);
const size = await client.getSizeFromAnnotationQueue(created.id);
const listed = [];
for await (const run of client.listRunsFromAnnotationQueue(created.id)) listed.push(run);
const first = await client.getRunFromAnnotationQueue(created.id, 0);
await client.deleteRunFromAnnotationQueue(created.id, first.queue_run_id);
const next = await client.getRunFromAnnotationQueue(created.id, 0);
const past = await client.getRunFromAnnotationQueue(created.id, 2).catch((error) => error.message);

const items = [];
for await (const item of client.annotationQueues.items.list(created.id, { status: "needs_my_review" })) {
  items.push(item.run_id);
}
await client.deleteAnnotationQueue(created.id);
const gone = await client.readAnnotationQueue(created.id).catch((error) => error.message);
console.log(
  JSON.stringify({
    ids,
    created,
    read,
    updated,
    found,
    size,
    listed: listed.map((run) => run.id),
    names: listed.map((run) => run.name),
    addedAt: listed[0].added_at,
    next: next.id,
    past,
    items,
    gone,
  }),
);
