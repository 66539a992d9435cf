// Drives datasets and datapoints with HoneyHive's own TypeScript client and prints what it saw, as JSON.
// Arguments: server URL with HoneyHive's prefix, a name that nobody else uses.
import { HoneyHive } from "honeyhive";

const [serverURL, name] = process.argv.slice(2);
const client = new HoneyHive({ bearerAuth: "any", serverURL });
const project = "some project";
const report = {};

const made = await client.datasets.createDataset({
  project, name, description: "words", type: "fine-tuning", pipelineType: "session", saved: true,
  linkedEvals: ["an eval"], metadata: { m: 1 },
});
const datasetId = made.result.insertedId;
report.dataset = datasetId;
report.created = made;
report.listed = (await client.datasets.getDatasets(project, "fine-tuning", datasetId)).testcases;
report.otherType = (await client.datasets.getDatasets(project, "evaluation", datasetId)).testcases;

const first = await client.datapoints.createDatapoint({
  project, inputs: { q: "?" }, history: [{ role: "user" }], groundTruth: { a: "!" }, metadata: { m: 2 },
  linkedEvent: "an event", linkedDatasets: [datasetId],
});
const bare = await client.datapoints.createDatapoint({ project, inputs: {} });
report.first = first.result.insertedId;
report.bare = bare.result.insertedId;
report.added = await client.datasets.addDatapoints(
  {
    project,
    data: [{ question: "a", answer: "b", more: 1 }, { question: "c" }],
    mapping: { inputs: ["question"], groundTruth: ["answer"], history: [] },
  },
  datasetId,
);
report.read = (await client.datapoints.getDatapoint(report.first)).datapoint;
report.readBare = (await client.datapoints.getDatapoint(report.bare)).datapoint;
report.byName = (await client.datapoints.getDatapoints(project, undefined, name)).datapoints;
report.byIds = (await client.datapoints.getDatapoints(project, [report.bare, report.first])).datapoints;
report.byId = (await client.datapoints.getDatapoints(project, [report.bare])).datapoints;

await client.datapoints.updateDatapoint({ inputs: { q: "new" }, linkedEvals: ["an eval"] }, report.first);
report.updated = (await client.datapoints.getDatapoint(report.first)).datapoint;
await client.datasets.updateDataset({
  datasetId, name: `${name}!`, datapoints: [report.first, report.bare], linkedEvals: [], metadata: { m: 3 },
});
report.changed = (await client.datasets.getDatasets(project, undefined, datasetId)).testcases;
report.deleted = await client.datapoints.deleteDatapoint(report.first);
await client.datasets.deleteDataset(datasetId);
report.left = (await client.datasets.getDatasets(project, undefined, datasetId)).testcases;
report.refused = await client.datapoints.getDatapoint(report.first).then(
  () => null,
  (error) => ({ status: error.statusCode, body: error.body }),
);
console.log(JSON.stringify(report));
