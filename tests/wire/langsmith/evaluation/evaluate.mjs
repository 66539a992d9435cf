// Evaluates with the real JavaScript client: all kinds of evaluators, repetitions, continuing, comparing.
// Arguments: server URL, a name that nobody else uses. Prints what it made, as JSON.
import { Client } from "langsmith";
import { evaluate, evaluateComparative } from "langsmith/evaluation";

const [apiUrl, name] = process.argv.slice(2);
const client = new Client({ apiUrl, apiKey: "any", autoBatchTracing: true });
const dataset = await client.createDataset(name);
const questions = Array.from({ length: 20 }, (_, q) => q);
await client.createExamples(
  questions.map((q) => ({
    dataset_id: dataset.id,
    inputs: { q },
    outputs: { a: q },
    metadata: { rest: q % 3 },
    split: q % 2 ? "odd" : "even",
    attachments: { note: ["text/plain", new TextEncoder().encode(`note ${q}`)] },
  })),
);

const answer = ({ q }) => ({ a: q % 5 === 3 ? -1 : q });
const exact = ({ outputs, referenceOutputs }) => ({ key: "exact", score: outputs.a === referenceOutputs.a });
const several = () => [
  { key: "number", score: 0.5, comment: "half" },
  { key: "text", value: "good" },
];
const failing = () => {
  throw new Error("the judge is ill");
};
const byRun = async ({ run, example }) => ({ key: "by_run", score: Number(run.reference_example_id === example.id) });
const share = ({ outputs, referenceOutputs }) => ({
  key: "share",
  score: outputs.filter((each, place) => each.a === referenceOutputs[place].a).length / outputs.length,
});
const noted = async ({ inputs, attachments }) => {
  const text = await (await fetch(attachments.note.presigned_url)).text();
  return { key: "noted", score: text === `note ${inputs.q}` };
};

const first = await evaluate(answer, {
  data: name,
  evaluators: [exact, several, failing, byRun],
  summaryEvaluators: [share],
  metadata: { model: "none" },
  experimentPrefix: "first",
  numRepetitions: 2,
  maxConcurrency: 4,
  client,
});
const second = await evaluate((inputs) => ({ a: inputs.q }), {
  data: client.listExamples({ datasetId: dataset.id, includeAttachments: true }),
  evaluators: [exact, noted],
  includeAttachments: true,
  client,
});
const odd = await evaluate(answer, {
  data: client.listExamples({ datasetId: dataset.id, splits: ["odd"] }),
  evaluators: [exact],
  client,
});
await client.awaitPendingTraceBatches();
const prefer = ({ runs, outputs, referenceOutputs }) => ({
  key: "preferred",
  scores: Object.fromEntries(runs.map((run, place) => [run.id, Number(outputs[place].a === referenceOutputs.a)])),
});
const compared = await evaluateComparative([odd.experimentName, second.experimentName], {
  evaluators: [prefer],
  experimentPrefix: "which",
  randomizeOrder: true,
  maxConcurrency: 3,
  client,
});
await client.awaitPendingTraceBatches();

console.log(
  JSON.stringify({
    dataset: dataset.id,
    first: first.experimentName,
    rows: first.results.length,
    summary: first.summaryResults.results,
    second: second.experimentName,
    odd: odd.experimentName,
    compared: compared.results.length,
    url: await client.getDatasetUrl({ datasetId: dataset.id }),
    project: await client.readProject({ projectName: first.experimentName, includeStats: true }),
  }),
);
