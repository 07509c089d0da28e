// What the published JavaScript client of PocketBase does against a hub, told as one JSON document.
// Its arguments: the hub's URL, an e-mail address and a password, the id of a system that an agent streams to.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [modules, url, email, password, streaming] = process.argv.slice(2);
const path = createRequire(`${modules}/`).resolve("pocketbase");
const { default: PocketBase, BaseAuthStore } = await import(pathToFileURL(path.replace(/cjs\.js$/, "es.mjs")));

const told = {};
const pb = new PocketBase(url, new BaseAuthStore());
pb.autoCancellation(false);

const refusal = async (promise) => {
  try {
    await promise;
    return null;
  } catch (error) {
    return { status: error.status, data: error.response.data };
  }
};

// The next event of a subscription, or a mark that there was none in time.
const hear = (events, milliseconds = 5000) =>
  new Promise((resolve) => {
    const started = Date.now();
    const look = () => {
      if (events.length) resolve(events.shift());
      else if (Date.now() - started > milliseconds) resolve("nothing");
      else setTimeout(look, 10);
    };
    look();
  });

told.health = (await pb.health.check()).code;
told.methods = (await pb.collection("users").listAuthMethods()).password;
told.wrong = await refusal(pb.collection("users").authWithPassword(email, "wrong password"));
const login = await pb.collection("users").authWithPassword(email, password);
told.login = { email: login.record.email, collection: login.record.collectionName, valid: pb.authStore.isValid };
told.refresh = (await pb.collection("users").authRefresh()).record.email;

const systems = pb.collection("systems");
const before = await systems.getFullList();
told.before = before.map((system) => system.name);
const made = await systems.create({ name: "made", host: "192.0.2.1", port: 45876, users: [login.record.id] });
told.made = { port: made.port, status: made.status, users: made.users.length, id: made.id.length };
told.updated = (await systems.update(made.id, { name: "renamed", "tags": ["a", "b"] })).tags;
told.one = (await systems.getOne(made.id, { expand: "users", fields: "name,expand.users.email" }));
told.filtered = (await systems.getList(1, 5, {
  filter: pb.filter("name = {:name} && created <= {:now} && users.id ?= {:me}", {
    name: "renamed", now: new Date(Date.now() + 60000), me: login.record.id,
  }),
  sort: "-created,name",
})).totalItems;
told.first = (await systems.getFirstListItem("name = 'renamed'")).name;
told.missing = await refusal(systems.getOne("doesnotexist123"));
told.invalid = await refusal(systems.create({ name: "" }));
told.badFilter = (await refusal(systems.getList(1, 5, { filter: "nope = 1" }))).status;

const batch = pb.createBatch();
batch.collection("systems").create({ id: "madeinonebatch1", name: "one" });
batch.collection("systems").upsert({ id: "madeinonebatch1", name: "two" });
batch.collection("systems").update(made.id, { name: "in a batch" });
batch.collection("systems").delete("madeinonebatch1");
told.batch = (await batch.send()).map((result) => [result.status, result.body?.name ?? null]);
const bad = pb.createBatch();
bad.collection("systems").update(made.id, { name: "undone" });
bad.collection("systems").create({ name: "" });
told.badBatch = Object.keys((await refusal(bad.send())).data.requests);
told.afterBadBatch = (await systems.getOne(made.id)).name;

const events = [];
const stop = await systems.subscribe("*", (event) => events.push([event.action, event.record.name]), {
  filter: `id = '${made.id}'`,
});
await systems.update(made.id, { name: "heard" });
told.heard = await hear(events);
await systems.delete(made.id);
told.deleted = await hear(events);
await stop();
const later = await systems.create({ name: "unheard" });
told.afterUnsubscribe = await hear(events, 200);
await systems.delete(later.id);

const samples = [];
await pb.realtime.subscribe("rt_metrics", (sample) => samples.push(sample), { query: { system: streaming } });
const sample = await hear(samples);
told.sample = { cpu: sample.stats.cpu, info: sample.info.cpu, container: sample.container };
await pb.realtime.unsubscribe();
told.connected = pb.realtime.isConnected;

await pb.collection("users").update(login.record.id, {
  oldPassword: password, password: `${password} 2`, passwordConfirm: `${password} 2`,
});
told.oldToken = (await refusal(pb.collection("users").authRefresh())).status;
told.left = (await pb.collection("users").authWithPassword(email, `${password} 2`)).record.email;
pb.authStore.clear();
told.loggedOut = (await systems.getFullList()).length;

console.log(JSON.stringify(told));
process.exit(0);
