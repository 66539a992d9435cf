// Drives projects, tools and configurations with HoneyHive's own TypeScript client and prints what it saw, as JSON.
// Arguments: server URL with HoneyHive's prefix, a name that nobody else uses.
import { HoneyHive } from "honeyhive";

const [serverURL, name] = process.argv.slice(2);
const client = new HoneyHive({ bearerAuth: "any", serverURL });
const report = { offered: {} };
for (const noun of ["projects", "tools", "configurations"]) {
  report.offered[noun] = Object.getOwnPropertyNames(Object.getPrototypeOf(client[noun]));
}
const refused = (call) => call.then(() => null, (error) => ({ status: error.statusCode, body: error.body }));

report.project = await client.projects.createProject({ name, description: "words" });
report.bare = await client.projects.createProject({ name: `${name}, bare` });
report.taken = await refused(client.projects.createProject({ name }));
report.found = await client.projects.getProjects(name);
report.all = (await client.projects.getProjects()).map((project) => project.name);
await client.projects.updateProject({ projectId: report.project.id, name: `${name}!`, description: "others" });
report.updated = await client.projects.getProjects(`${name}!`);
await client.projects.deleteProject(`${name}!`);
report.left = await client.projects.getProjects(`${name}!`);
report.gone = await refused(client.projects.deleteProject(`${name}!`));

const parameters = { type: "object", properties: { q: { type: "string" } } };
report.tool = await client.tools.createTool({ task: name, name, description: "words", parameters, type: "tool" });
await client.tools.createTool({ task: name, name: `${name}, bare`, parameters: {}, type: "function" });
const tools = async () => (await client.tools.getTools()).filter((tool) => tool.task === name);
report.tools = await tools();
const toolId = report.tool.result.insertedId;
await client.tools.updateTool({ id: toolId, name: `${name}!`, parameters: { n: 1 } });
report.updatedTools = await tools();
await client.tools.deleteTool(toolId);
report.leftTools = await tools();
report.goneTool = await refused(client.tools.deleteTool(toolId));

await client.configurations.createConfiguration({
  project: name, name, provider: "openai", env: ["dev"], userProperties: { who: 1 },
  parameters: {
    callType: "chat", model: "gpt-4", hyperparameters: { temperature: 0 }, responseFormat: { type: "text" },
    selectedFunctions: [{ name: "search" }], functionCallParams: "none",
    additionalProperties: { template: [{ role: "user", content: "{{q}}" }] },
  },
});
await client.configurations.createConfiguration({
  project: name, name: `${name}, bare`, provider: "openai", parameters: { callType: "completion", model: "m", additionalProperties: {} },
});
// Others are every project's.
const configurations = async (...asked) =>
  (await client.configurations.getConfigurations(...asked)).filter((found) => found.name.startsWith(name));
report.configurations = await configurations(name);
report.byName = await configurations(name, undefined, name);
report.byEnv = await configurations(name, "prod");
report.elsewhere = await configurations(`${name}, nowhere`);
const id = report.byName[0].id;
await client.configurations.updateConfiguration({
  project: name, name: `${name}!`, provider: "anthropic", type: "pipeline", env: ["prod"],
  parameters: { callType: "chat", model: "claude", additionalProperties: {} },
}, id);
report.updatedConfigurations = await configurations(name, "prod");
await client.configurations.deleteConfiguration(id);
report.leftConfigurations = await configurations(name);
report.goneConfiguration = await refused(client.configurations.deleteConfiguration(id));
console.log(JSON.stringify(report));
