// HoneyHive's TypeScript client reads events: node reading.mjs BASE KEY. The last line of its output is JSON.
import { HoneyHive } from "honeyhive";

const [base, key] = process.argv.slice(2);
const client = new HoneyHive({ bearerAuth: key, serverURL: base });
const session = { field: "session_id", operator: "is", value: "SESSION", type: "id" };
const read = (more = {}, ...filters) =>
  client.events.getEvents({ project: "default", filters: [hello, ...filters], ...more });

const everything = await client.events.getEvents({
  project: "default",
  filters: [{ field: "event_name", operator: "is", value: "hello", type: "string" }],
});
const hello = { ...session, value: everything.events[0].sessionId };

console.log(
  JSON.stringify({
    all: await read(),
    legacy: await read({}, { field: "metadata.cost", operator: "greater than", value: "0.2", type: "number" }),
    untyped: await read({}, { field: "error", operator: "contains", value: "timeout" }),
    paged: await read({ limit: 1, page: 2, dateRange: { dollarGte: "2026-01-01T00:00:00.000Z" } }),
    projected: await read(
      { projections: ["event_name", "config.model"] },
      { field: "event_type", operator: "is", value: "model", type: "string" },
    ),
    elsewhere: await client.events.getEvents({ project: "no such project", filters: [] }),
  }),
);
