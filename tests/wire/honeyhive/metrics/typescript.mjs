// HoneyHive's own TypeScript client keeps metrics. Prints a report as the last line.
import { createRequire } from "node:module";
const { HoneyHive } = createRequire(import.meta.url)("honeyhive");
const [url, project] = process.argv.slice(2);
const client = new HoneyHive({ bearerAuth: "any", serverURL: url });

await client.metrics.createMetric({
  name: `length ${project}`,
  task: project,
  type: "custom",
  codeSnippet: "return len(event['outputs']['content'])",
  description: "how long",
  returnType: "float",
  enabledInProd: true,
  eventName: "chat",
  eventType: "model",
  threshold: { min: 1, max: 5 },
});
await client.metrics.createMetric({
  name: `judged ${project}`,
  task: project,
  type: "model",
  prompt: "Rate {{outputs.content}}",
  description: "how good",
  returnType: "boolean",
  passWhen: true,
});
const listed = await client.metrics.getMetrics(project);
const judged = listed.find((each) => each.name.startsWith("judged"));
await client.metrics.updateMetric({ metricId: judged.id, description: "better", passWhen: false });
const changed = await client.metrics.getMetrics(project);
await client.metrics.deleteMetric(judged.id);
const left = await client.metrics.getMetrics(project);
console.log(JSON.stringify({ listed, changed, left }));
