// Calls every operation of agents, users, projects, sessions, secrets, files, jobs with Julep's JavaScript client and
// prints what came back, as JSON. Arguments: base URL, a text that nobody else uses.
import Julep from "@julep/sdk";

const [baseURL, tag] = process.argv.slice(2);
const julep = new Julep({ apiKey: "any", baseURL, environment: null, maxRetries: 0 });
const found = {};
const ids = async (page) => (await page).items.map((each) => each.id);
const refused = async (call) => call.then(() => null, (error) => ({ status: error.status, name: error.constructor.name }));
const filter = { tag };

found.health = await julep.healthz.check();

const agent = await julep.agents.create({
  name: "Ada",
  about: "a tutor",
  instructions: ["Be brief"],
  metadata: { tag, n: 5, yes: true, deep: { er: "x" }, list: [1, 2], nothing: null },
});
found.agent = await julep.agents.get(agent.id);
found.agentsBy = {
  number: await ids(julep.agents.list({ metadata_filter: { ...filter, n: 5 } })),
  truth: await ids(julep.agents.list({ metadata_filter: { ...filter, yes: true } })),
  nested: await ids(julep.agents.list({ metadata_filter: { ...filter, deep: { er: "x" } } })),
  list: await ids(julep.agents.list({ metadata_filter: { ...filter, list: [1, 2] } })),
  other: await ids(julep.agents.list({ metadata_filter: { ...filter, n: 6 } })),
};
found.agentChanged = await julep.agents.update(agent.id, { about: "a teacher" });
found.agentReset = await julep.agents.reset(agent.id, { name: "Bea", metadata: filter });
const second = await julep.agents.createOrUpdate(crypto.randomUUID(), { name: "Cid", metadata: filter });
found.tool = await julep.agents.tools.create(agent.id, { name: "t", type: "function", function: { parameters: {} } });
found.toolChanged = await julep.agents.tools.update(agent.id, found.tool.id, { description: "new" });
found.toolReset = await julep.agents.tools.reset(agent.id, found.tool.id, { name: "u", type: "bash_20241022" });
found.tools = (await julep.agents.tools.list(agent.id)).items;
found.toolGone = await julep.agents.tools.delete(agent.id, found.tool.id);

const user = await julep.users.create({ name: "Bob", metadata: filter });
found.user = await julep.users.get(user.id);
found.userChanged = await julep.users.update(user.id, { about: "x" });
found.userReset = await julep.users.reset(user.id, { name: "Bo", metadata: filter });
const other = await julep.users.createOrUpdate(crypto.randomUUID(), { name: "Eve", metadata: filter });
found.users = await ids(julep.users.list({ metadata_filter: filter }));
found.usersMade = [other.id, user.id];

found.project = await julep.projects.create({ name: `js ${tag}`, metadata: filter });
found.projects = await ids(julep.projects.list({ metadata_filter: filter }));

const session = await julep.sessions.create({ agent: agent.id, user: user.id, metadata: filter });
found.session = await julep.sessions.get(session.id);
found.sessionChanged = await julep.sessions.update(session.id, { situation: "s" });
found.sessionReset = await julep.sessions.reset(session.id, { token_budget: 7, metadata: filter });
const upserted = crypto.randomUUID();
await julep.sessions.createOrUpdate(upserted, { agents: [agent.id, second.id], metadata: filter });
found.upserted = await julep.sessions.createOrUpdate(upserted, { agent: second.id, metadata: filter });
found.sessions = [];
for await (const each of julep.sessions.list({ metadata_filter: filter, direction: "asc" })) found.sessions.push(each.id);
found.sessionsMade = [session.id, upserted];
found.history = await julep.sessions.history(session.id);
found.sessionGone = await julep.sessions.delete(session.id);
found.gone = await refused(julep.sessions.get(session.id));

found.secret = await julep.secrets.create({ name: `S_${tag}`, value: "v" });
found.secretChanged = await julep.secrets.update(found.secret.id, { name: `T_${tag}`, value: "w" });
found.secrets = (await julep.secrets.list()).map((each) => [each.id, each.value]);
found.secretGone = await julep.secrets.delete(found.secret.id);

found.file = await julep.files.create({ name: "f", content: Buffer.from(tag).toString("base64") });
found.fileRead = await julep.files.get(found.file.id);
found.files = (await julep.files.list()).map((each) => each.id);
found.fileGone = await julep.files.delete(found.file.id);

found.refused = {
  job: await refused(julep.jobs.get(crypto.randomUUID())),
  tasks: await refused(julep.tasks.get(crypto.randomUUID())),
  name: await refused(julep.agents.create({ name: "" })),
  twice: await refused(julep.projects.create({ name: `js ${tag}` })),
};
found.agentGone = await julep.agents.delete(agent.id);
found.userGone = await julep.users.delete(user.id);
console.log(JSON.stringify(found));
