// Docs of agents and users with Julep's JavaScript client: made, listed, searched in each mode, deleted. Prints what came
// back, as JSON. Argument: base URL.
import Julep from "@julep/sdk";

const [baseURL] = process.argv.slice(2);
const julep = new Julep({ apiKey: "any", baseURL, environment: null, maxRetries: 0 });
const refused = async (call) => call.then(() => null, (error) => ({ status: error.status, name: error.constructor.name }));
const titles = async (search) => (await search).docs.map((each) => each.title);
const found = {};

for (const kind of ["agents", "users"]) {
  const owner = await julep[kind].create({ name: "Ada" });
  const docs = julep[kind].docs;
  const told = (found[kind] = {});
  told.owner = owner.id;
  told.made = await docs.create(owner.id, {
    title: "Refunds",
    content: ["Refunds are paid within five days.", "They need a receipt."],
    metadata: { n: 1, yes: true, deep: { er: "x" } },
  });
  const parking = await docs.create(owner.id, { title: "Parking", content: "Cars are left behind the house.", metadata: { n: 2 } });
  told.read = await julep.docs.get(told.made.id);
  told.plain = await julep.docs.get(told.made.id, { include_embeddings: false });
  told.listed = [];
  for await (const each of docs.list(owner.id, { direction: "asc" })) told.listed.push(each.title);
  told.byMetadata = (await docs.list(owner.id, { metadata_filter: { n: 1, yes: true, deep: { er: "x" } } })).items.map((each) => each.title);
  const vector = (await julep.docs.embed({ text: "when do I get my money back" })).vectors[0];
  told.words = await docs.search(owner.id, { text: "refunds paid" });
  told.meaning = await titles(docs.search(owner.id, { vector, mmr_strength: 0 }));
  told.both = await titles(docs.search(owner.id, { text: "cars", vector, alpha: 0.1, mmr_strength: 0, limit: 1 }));
  told.sure = await titles(docs.search(owner.id, { vector, confidence: 0.9 }));
  told.varied = await titles(docs.search(owner.id, { text: "refunds", vector, mmr_strength: 0.5, include_embeddings: false }));
  told.narrowed = await titles(docs.search(owner.id, { text: "refunds cars", metadata_filter: { n: 2 } }));
  told.refused = {
    twice: await refused(docs.create(owner.id, { title: "Parking", content: "Cars are left behind the house." })),
    empty: await refused(docs.create(owner.id, { title: "t", content: [] })),
    short: await refused(docs.search(owner.id, { vector: [1] })),
    gone: await refused(docs.create(crypto.randomUUID(), { title: "t", content: "c" })),
  };
  told.deleted = await docs.delete(owner.id, parking.id);
  told.nothing = await docs.bulkDelete(owner.id, { metadata_filter: { n: 2 } });
  told.many = await docs.bulkDelete(owner.id, { metadata_filter: { yes: true } });
  told.left = (await docs.list(owner.id)).items;
}
console.log(JSON.stringify(found));
