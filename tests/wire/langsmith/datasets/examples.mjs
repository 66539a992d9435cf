// Adds and changes examples with the real JavaScript client and prints what the same client reads back, as JSON.
// Arguments: server URL, name for a new dataset.
import { Client } from "langsmith";

const [apiUrl, name] = process.argv.slice(2);
const client = new Client({ apiUrl, apiKey: "any" });
const dataset_id = (await client.createDataset(name)).id;
const bytes = (text) => new TextEncoder().encode(text);

/** An example with its files fetched the way evaluators fetch them: the URL as it is. */
async function read(id, options) {
  const { attachments, ...example } = await client.readExample(id, options);
  const files = {};
  for (const [file, info] of Object.entries(attachments ?? {})) {
    const answer = await fetch(info.presigned_url);
    files[file] = [info.mime_type, await answer.text()];
  }
  return { ...example, files };
}

/** The status of a call that has to fail. */
async function failure(call) {
  try {
    await call();
  } catch (error) {
    return [error.status ?? null, error.message];
  }
  throw new Error("this should have failed");
}

const created = await client.createExamples([
  {
    dataset_id,
    inputs: { q: "größe" },
    reference_outputs: { a: null },
    metadata: { k: [1] },
    split: ["train", "hard"],
    created_at: "2025-06-07T08:09:10.123Z",
    attachments: {
      "picture.png": ["image/png", bytes("\u0000\r\n--mark")],
      'say "hi" ☃.txt': { mimeType: "text/plain", data: bytes("quoted") },
    },
  },
  { dataset_id, inputs: { q: 2 }, split: "test" },
  { dataset_id, inputs: {} },
]);
const [first, second] = created.map((example) => example.id);
const many = await client.createExamples({
  datasetId: dataset_id,
  inputs: Array.from({ length: 200 }, (_, place) => ({ place })),
});
const single = await client.createExample({ q: 3 }, { a: 3 }, { datasetId: dataset_id, metadata: { one: 1 } });
const uploaded = await client.uploadExamplesMultipart(dataset_id, [{ inputs: { q: 4 } }, { inputs: { q: 5 } }]);

const before = await read(first);
const updated = await client.updateExamples([
  { id: second, dataset_id, metadata: { changed: true } },
  {
    id: first,
    dataset_id,
    inputs: { q: "new" },
    attachments: { fresh: ["text/plain", bytes("fresh")] },
    attachments_operations: { rename: { "picture.png": "renamed" }, retain: [] },
  },
]);
await client.updateExample(single.id, { split: ["only"] });

console.log(
  JSON.stringify({
    created,
    places: many.map((example) => example.inputs.place),
    single: await read(single.id),
    uploaded: { ...uploaded, inputs: (await Promise.all(uploaded.example_ids.map((id) => read(id)))).map((e) => e.inputs) },
    before,
    updated,
    first: await read(first),
    second: await read(second),
    failures: {
      dataset: await failure(() => client.uploadExamplesMultipart(crypto.randomUUID(), [{ inputs: {} }])),
      taken: await failure(() => client.uploadExamplesMultipart(dataset_id, [{ id: first, inputs: {} }])),
      unknown: await failure(() =>
        client.updateExamplesMultipart(dataset_id, [{ id: crypto.randomUUID(), inputs: {} }]),
      ),
    },
  }),
);
