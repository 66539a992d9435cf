// Evaluates a small target with the real JavaScript client and prints what the server has of it, as JSON.
// Arguments: server URL, a name that nobody else uses.
import { Client } from "langsmith";
import { evaluate, evaluateComparative } from "langsmith/evaluation";

const [apiUrl, name] = process.argv.slice(2);
const client = new Client({ apiUrl, apiKey: "any", autoBatchTracing: true });

const dataset = await client.createDataset(name);
await client.createExamples({
  datasetId: dataset.id,
  inputs: [0, 1, 2, 3].map((q) => ({ q })),
  outputs: [0, 1, 2, 3].map((q) => ({ a: q * 2 })),
  metadata: [0, 1, 2, 3].map((q) => ({ parity: q % 2 ? "odd" : "even" })),
});

const correct = ({ outputs, referenceOutputs }) => ({ key: "correct", score: outputs.a === referenceOutputs.a });
const failing = () => {
  throw new Error("out of order");
};
const run = async (factor) =>
  evaluate(async ({ q }) => ({ a: q * factor }), {
    data: name,
    evaluators: [correct, failing],
    client,
    experimentPrefix: `x${factor}`,
  });
const first = await run(2);
const second = await run(3);
await client.awaitPendingTraceBatches();

const prefer = ({ runs }) => ({ key: "preferred", scores: { [runs[0].id]: 1, [runs[1].id]: 0 } });
const compared = await evaluateComparative([first.experimentName, second.experimentName], {
  evaluators: [prefer],
  client,
});
await client.awaitPendingTraceBatches();

const projects = [];
for (const done of [first, second]) {
  projects.push(await client.readProject({ projectName: done.experimentName, includeStats: true }));
}
const post = async (path, body) =>
  (await fetch(`${apiUrl}/datasets/${dataset.id}${path}`, { method: "POST", body: JSON.stringify(body) })).json();
const results = await post("/runs", { session_ids: projects.map((each) => each.id), limit: 100 });
const comparisons = await (await fetch(`${apiUrl}/datasets/${dataset.id}/comparative`)).json();
console.log(JSON.stringify({ projects, results, comparisons, compared: compared.results.length }));
