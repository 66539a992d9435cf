// Makes, tags, splits and uploads datasets with the real JavaScript client and prints what it reads, as JSON.
// Arguments: server URL, name for new datasets.
import { Client } from "langsmith";

const [apiUrl, name] = process.argv.slice(2);
const client = new Client({ apiUrl, apiKey: "any" });

/** All that an async iterator yields. */
async function all(iterator) {
  const found = [];
  for await (const each of iterator) found.push(each);
  return found;
}

/** The message of a call that has to fail. */
async function failure(call) {
  try {
    await call();
  } catch (error) {
    return error.message;
  }
  throw new Error("this should have failed");
}

const schema = { type: "object", properties: { q: { type: "number" } } };
const created = await client.createDataset(name, {
  description: "d",
  dataType: "kv",
  inputsSchema: schema,
  metadata: { team: "ü" },
});
const datasetId = created.id;
const taken = await failure(() => client.createDataset(name));
const read = await client.readDataset({ datasetName: name });
const listed = await all(client.listDatasets({ datasetNameContains: name, metadata: { team: "ü" } }));
const missing = await client.hasDataset({ datasetName: `${name} missing` });
const updated = await client.updateDataset({ datasetName: name, description: "changed" });

const examples = await client.createExamples(
  [1, 2, 3].map((q) => ({ dataset_id: datasetId, inputs: { q }, outputs: { a: `a${q}` }, metadata: { q } })),
);
const ids = examples.map((each) => each.id);
const version = await client.readDatasetVersion({ datasetId, tag: "latest" });
await client.updateDatasetTag({ datasetId, asOf: new Date(version.as_of), tag: "first" });
await client.updateDatasetSplits({ datasetId, splitName: "train", exampleIds: ids.slice(0, 2) });
await client.updateDatasetSplits({ datasetId, splitName: "base", exampleIds: ids.slice(0, 1), remove: true });
const unknownDataset = await failure(() =>
  client.updateDatasetSplits({
    datasetId: "00000000-0000-4000-8000-000000000009",
    splitName: "train",
    exampleIds: ids,
  }),
);
await client.deleteExample(ids[2]);
const questions = async (options) =>
  (await all(client.listExamples({ datasetId, ...options }))).map((each) => each.inputs.q).sort();

const uploaded = await client.uploadCsv({
  csvFile: 'q,a\r\n"one, ""two""",ü\r\n',
  fileName: "f.csv",
  inputKeys: ["q"],
  outputKeys: ["a"],
  name: `${name} csv`,
  description: "from a file",
});

const report = {
  created,
  taken,
  read,
  listed,
  missing,
  updated,
  version,
  tagged: await client.readDatasetVersion({ datasetId, tag: "first" }),
  byTime: await client.readDatasetVersion({ datasetId, asOf: new Date(Date.now() + 60_000) }),
  diff: await client.diffDatasetVersions({ datasetId, fromVersion: "first", toVersion: "latest" }),
  ids,
  unknownDataset,
  splits: await client.listDatasetSplits({ datasetId }),
  splitsBefore: await client.listDatasetSplits({ datasetId, asOf: "first" }),
  questions: {
    all: await questions({}),
    first: await questions({ asOf: "first" }),
    early: await questions({ asOf: new Date(0) }),
    train: await questions({ splits: ["train"] }),
    metadata: await questions({ metadata: { q: 2 } }),
    filter: await questions({ filter: `not(has(metadata, '{"q": 2}'))` }),
    ids: await questions({ exampleIds: [ids[1]] }),
    page: await questions({ limit: 1, offset: 1 }),
  },
  bare: await all(client.listExamples({ datasetId, excludeDefaultFields: true, select: ["outputs"] })),
  uploaded,
  uploadedExamples: await all(client.listExamples({ datasetId: uploaded.id })),
  fineTuning: await client.readDatasetOpenaiFinetuning({ datasetId: uploaded.id }),
};
await client.deleteExamples(ids.slice(0, 2), { hardDelete: true });
report.wiped = await questions({ asOf: "first" });
await client.deleteDataset({ datasetName: name });
report.deleted = await client.hasDataset({ datasetId });
console.log(JSON.stringify(report));
