// Tests of the replica in JavaScript, against a server that does what it is told. Run by run.sh.
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { canonical, keyword, MemoryStorage, open } from "../../Sources/AtomsyncInspector/Web/replica/atomsync.js";
import { FakeServer, lose, refuse, reply } from "./server.mjs";

const atoms = [];
const settings = { server: "http://server", group: "g", retry: { shortest: 1, longest: 5, patience: 1000 } };

async function start(server, options = {}) {
  const atom = await open({ ...settings, fetch: server.fetch, storage: new MemoryStorage(), ...options });
  atoms.push(atom);
  return atom;
}
afterEach(() => Promise.all(atoms.splice(0).map((atom) => atom.close())));

/** Until a condition holds. Whatever could make it true says so at once or never. */
async function until(condition) {
  for (let turn = 0; !condition(); turn++) {
    if (turn > 2000) throw new Error(`never: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
const pushes = (server) => server.asked.filter((each) => each.docs);
const at = (server, id) => server.documents.get(id)?.value;

test("a change is seen at once, stored, sent and confirmed", async () => {
  const server = new FakeServer();
  const atom = await start(server);
  const seen = [];
  atom.watch((changes) => seen.push(...changes));
  const { saved, confirmed } = atom.swap((docs) => docs.set("a", { n: 1 }));
  assert.equal(atom.get("a").n, 1);
  assert.deepEqual(seen.map(([id, { old, value }]) => [id, old, value.n]), [["a", undefined, 1]]);
  await saved;
  assert.equal((await confirmed).isAccepted, true);
  assert.equal(at(server, "a").n, 1);
  assert.equal(atom.describe("a").version, 1);
});

test("a lost answer is no conflict with oneself, also after a kill and another edit", async () => {
  const server = new FakeServer();
  const storage = new MemoryStorage();
  const atom = await start(server, { storage });
  await atom.sync();
  // The server takes the push, and nobody hears of it.
  server.faults.push((message) => { server.push(message); lose(); });
  atom.swap((docs) => docs.set("a", 1));
  await until(() => at(server, "a") === 1);
  const copy = new MemoryStorage();
  copy.rows = new Map(storage.rows);
  await atom.close();
  const again = await start(server, { storage: copy });
  again.swap((docs) => docs.set("a", 2));
  await again.sync();
  assert.equal(at(server, "a"), 2);
  assert.deepEqual(again.conflicts, []);
  const [first, second] = pushes(server);
  assert.equal(canonical(first), canonical(second));
});

test("an edit during a push stays pending on top of what was accepted", async () => {
  const server = new FakeServer();
  const atom = await start(server);
  await atom.sync();
  server.faults.push(() => { atom.swap((docs) => docs.set("a", 2)); });
  const { confirmed } = atom.swap((docs) => docs.set("a", 1));
  await confirmed;
  await atom.sync();
  assert.deepEqual(pushes(server).map(({ docs: [{ version, value }] }) => [version, value]), [[0, 1], [1, 2]]);
  assert.equal(at(server, "a"), 2);
});

test("a page from before a verdict changes nothing", async () => {
  const server = new FakeServer();
  server.set("a", "old");
  const atom = await start(server);
  await atom.sync();
  const shown = [];
  atom.watch((changes) => shown.push(changes.get("a").value));
  const before = server.page(new URLSearchParams());
  await atom.swap((docs) => docs.set("a", "new")).confirmed;
  await atom.swap((docs) => docs.delete("a")).confirmed;
  server.faults.push(() => reply({ ...before, cursor: server.cursor() }));
  await atom.sync();
  assert.deepEqual(shown, ["new", undefined]);
  assert.equal(atom.get("a"), undefined);
});

test("no page is applied while the outcome of a push is unknown", async () => {
  const server = new FakeServer();
  const atom = await start(server);
  await atom.sync();
  await until(() => atom.status.state === "live");
  let shown;
  server.faults.push((message) => {
    server.push(message);
    server.set("b", "theirs");
    return new Promise((resolve) => setTimeout(() => {
      shown = atom.get("b");
      resolve();
    }, 20));
  });
  await atom.swap((docs) => docs.set("a", 1)).confirmed;
  assert.equal(shown, undefined);
  await until(() => atom.get("b") === "theirs");
});

test("a conflict: the server's document stands and is listed; a merge decides", async () => {
  const server = new FakeServer();
  server.set("a", { text: "base" });
  const [plain, merging] = [await start(server), await start(server, { merge: ({ base, local, remote }) => ({ text: `${base.text} ${local.text} ${remote.text}` }) })];
  for (const atom of [plain, merging]) {
    await atom.sync();
    atom.pause();
    await until(() => atom.status.state === "offline");
    atom.swap((docs) => docs.set("a", { text: "mine" }));
    server.set("a", { text: "theirs" });
    atom.resume();
    await atom.sync();
  }
  const [conflict] = plain.conflicts;
  assert.deepEqual([conflict.base.text, conflict.local.text, conflict.remote.text, conflict.resolution], ["base", "mine", "theirs", "superseded"]);
  assert.equal(at(server, "a").text, "theirs mine theirs");
  await until(() => plain.get("a").text === "theirs mine theirs");
});

test("who fails to merge loses nothing silently", async () => {
  const server = new FakeServer();
  const atom = await start(server, { merge: () => { throw new Error("cannot"); } });
  await atom.sync();
  atom.pause();
  await until(() => atom.status.state === "offline");
  const { confirmed } = atom.swap((docs) => docs.set("a", "mine"));
  server.set("a", "theirs");
  atom.resume();
  assert.equal((await confirmed).verdicts.get("a"), "superseded");
  assert.deepEqual(atom.conflicts.map(({ local, error }) => [local, error]), [["mine", "Error: cannot"]]);
});

test("a reset shows no empty atom, drops what is gone, and keeps what is pending", async () => {
  const server = new FakeServer();
  for (const id of ["a", "b", "c"]) server.set(id, "old");
  const atom = await start(server);
  await atom.sync();
  atom.pause();
  await until(() => atom.status.state === "offline");
  atom.swap((docs) => docs.set("b", "mine").set("c", "mine"));
  server.documents.delete("a");
  server.documents.delete("b");
  server.epoch += 1;
  const sizes = [];
  atom.watch(() => sizes.push(atom.value.size));
  atom.resume();
  await atom.sync();
  assert.deepEqual([...atom.value].sort(), [["b", "mine"], ["c", "mine"]]);
  assert.deepEqual([at(server, "b"), at(server, "c")], ["mine", "mine"]);
  assert.ok(Math.min(...sizes) >= 2);
  assert.deepEqual(atom.conflicts, []);
});

test("the same version with another value is another history", async () => {
  const server = new FakeServer();
  server.set("a", 1);
  const atom = await start(server);
  await atom.sync();
  server.documents.set("a", { id: "a", version: 1, updated: ++server.counter, value: 2 });
  await atom.sync();
  assert.equal(atom.get("a"), 2);
});

test("a number that the server knows with other documents: the client takes a new name", async () => {
  const server = new FakeServer();
  const atom = await start(server);
  await atom.sync();
  server.faults.push(refuse(409, "stale-push"));
  await atom.swap((docs) => docs.set("a", 1)).confirmed;
  const [first, second] = pushes(server);
  assert.notEqual(first.client.rep, second.client.rep);
  assert.equal(at(server, "a"), 1);
});

test("what is too large alone is rejected, and holds up nothing else", async () => {
  const server = new FakeServer();
  const atom = await start(server);
  await atom.sync();
  const refuseLarge = (message) => (message?.docs.some(({ id }) => id === "c") ? refuse(413, "too-large", "Too large.")() : undefined);
  server.faults = Array.from({ length: 20 }, () => refuseLarge);
  const { confirmed } = atom.swap((docs) => { for (const id of "abcdefg") docs.set(id, id); });
  const { isAccepted, verdicts } = await confirmed;
  assert.equal(isAccepted, false);
  assert.equal(verdicts.get("c"), "rejected");
  assert.equal(verdicts.get("g"), "accepted");
  assert.deepEqual([...atom.rejections.keys()], ["c"]);
  assert.equal(atom.rejections.get("c").value, "c");
  assert.equal(atom.get("c"), undefined);
  server.faults = [];
  await atom.swap((docs) => docs.set("c", "smaller")).confirmed;
  assert.equal(atom.rejections.size, 0);
  assert.deepEqual(atom.conflicts.map(({ id, local }) => [id, local]), [["c", "c"]]);
});

test("only the server's word drops an edit", async () => {
  const server = new FakeServer();
  const atom = await start(server);
  await atom.sync();
  const foreign = (status) => () => new Response("<html>", { status });
  server.faults.push(lose, foreign(413), foreign(400), foreign(200), refuse(500, "internal"), refuse(401, "unauthorized"), refuse(429, "too-many-requests"), () => reply({ group: "g", accepted: [], rejected: [] }));
  const { isAccepted } = await atom.swap((docs) => docs.set("a", 1)).confirmed;
  assert.equal(isAccepted, true);
  assert.equal(server.documents.get("a").version, 1);
});

/** A server that has just refused an edit of "a", because its user may only read. */
async function reader() {
  const server = new FakeServer();
  const atom = await start(server, { retry: { ...settings.retry, longest: 60_000 } });
  await atom.sync();
  server.faults.push(refuse(403, "forbidden", "You may read."));
  atom.swap((docs) => docs.set("a", 1));
  await until(() => atom.status.error);
  return { server, atom };
}

test("who may not write goes on reading", async () => {
  const { server, atom } = await reader();
  assert.equal(atom.status.error.message, "You may read.");
  server.set("b", 2);
  await until(() => atom.get("b") === 2);
  assert.equal(atom.status.pending, 1);
});

test("a withdrawn permission removes what was read, and keeps what is pending", async () => {
  const server = new FakeServer();
  server.set("a", 1);
  server.set("c", 1);
  const atom = await start(server);
  await atom.sync();
  atom.pause();
  await until(() => atom.status.state === "offline");
  atom.swap((docs) => docs.set("a", 2).set("b", 2));
  server.faults = Array.from({ length: 3 }, () => refuse(403, "forbidden"));
  atom.resume();
  await until(() => atom.get("c") === undefined);
  assert.deepEqual([...atom.value.keys()].sort(), ["a", "b"]);
  await until(() => server.faults.length === 0);
  await atom.sync();
  assert.equal(atom.get("c"), 1);
  assert.deepEqual([at(server, "a"), at(server, "b")], [2, 2]);
  assert.deepEqual(atom.conflicts, []);
});

test("another user's token stops it", async () => {
  const server = new FakeServer();
  const storage = new MemoryStorage();
  server.user = "alice";
  const atom = await start(server, { storage });
  await atom.sync();
  atom.pause();
  await until(() => atom.status.state === "offline");
  await atom.swap((docs) => docs.set("a", 1)).saved;
  const copy = new MemoryStorage();
  copy.rows = new Map(storage.rows);
  server.user = "bob";
  const other = await start(server, { storage: copy });
  await until(() => other.status.state === "stopped");
  assert.match(other.status.error.message, /bob/);
  assert.equal(pushes(server).length, 0);
  assert.equal(copy.rows.has("p a"), true);
  assert.throws(() => other.swap((docs) => docs.set("a", 2)));
});

test("nothing is sent before it is stored, and a storage that fails is tried again", async () => {
  const server = new FakeServer();
  const storage = new MemoryStorage();
  const atom = await start(server, { storage });
  await atom.sync();
  await until(() => atom.status.state === "live");
  let isFull = true;
  const stored = new Set();
  const commit = storage.commit.bind(storage);
  storage.commit = async (rows) => {
    if (isFull) throw new Error("the disk is full");
    for (const key of rows.keys()) stored.add(key);
    await commit(rows);
  };
  const { saved, confirmed } = atom.swap((docs) => docs.set("a", 1));
  await until(() => atom.status.error);
  assert.match(atom.status.error.message, /disk is full/);
  assert.equal(pushes(server).length, 0);
  assert.equal(atom.get("a"), 1);
  isFull = false;
  await saved;
  assert.ok(stored.has("p a"));
  await confirmed;
  assert.equal(atom.status.error, undefined);
});

test("what is closed is sent when it is opened again, and its waits end", async () => {
  const server = new FakeServer();
  const storage = new MemoryStorage();
  const atom = await start(server, { storage });
  await atom.sync();
  atom.pause();
  const { saved, confirmed } = atom.swap((docs) => docs.set("a", 1));
  const end = assert.rejects(confirmed, /closed/);
  await atom.close();
  await saved;
  await end;
  assert.equal(at(server, "a"), undefined);
  const again = await start(server, { storage });
  await again.sync();
  assert.equal(at(server, "a"), 1);
});

test("bad names and values are refused, and change nothing", async () => {
  const atom = await start(new FakeServer());
  for (const change of [
    (docs) => docs.set("", 1), (docs) => docs.set("x".repeat(257), 1), (docs) => docs.set("a\nb", 1), (docs) => docs.set("\ud800", 1),
    (docs) => docs.set("a", undefined), (docs) => docs.set("a", () => 1), async (docs) => docs.set("a", 1),
    (docs) => { docs.set("a", 1); throw new Error("no"); },
  ]) assert.throws(() => atom.swap(change));
  assert.equal(atom.value.size, 0);
  atom.swap((docs) => docs.set("e\u0301", 1));
  assert.deepEqual([...atom.value.keys()], ["\u00e9"]);
  assert.equal(atom.get("e\u0301"), 1);
  await assert.rejects(open({ ...settings, group: "", storage: new MemoryStorage() }), RangeError);
});

test("a store of another group or of a newer format is refused", async () => {
  const storage = new MemoryStorage();
  await (await start(new FakeServer(), { storage })).swap((docs) => docs.set("a", 1)).saved;
  await assert.rejects(open({ ...settings, group: "h", storage }), /group g/);
  storage.rows.set("atom", storage.rows.get("atom").replace('"~:format",1', '"~:format",2'));
  await assert.rejects(open({ ...settings, storage }), /format 2/);
});

test("what closes it is told, whatever comes meanwhile", async () => {
  const server = new FakeServer();
  const storage = new MemoryStorage();
  let lose;
  storage.lost = new Promise((resolve) => { lose = resolve; });
  const atom = await start(server, { storage });
  await atom.sync();
  await until(() => atom.status.state === "live");
  const commit = storage.commit.bind(storage);
  storage.commit = async (rows) => {
    lose("it is gone");
    await new Promise((resolve) => setTimeout(resolve, 5));
    await commit(rows);
  };
  server.set("a", 1);
  await until(() => atom.status.state === "stopped");
  assert.match(atom.status.error.message, /it is gone/);
});

test("a swap sees the documents as they were when it begins to look", async () => {
  const atom = await start(new FakeServer());
  atom.swap((docs) => docs.set("a", 1).set("b", 2));
  atom.swap((docs) => { for (const [id, value] of docs) docs.set(id, value + 1).set(`${id}-copy`, value); });
  assert.deepEqual([...atom.value].sort(), [["a", 2], ["a-copy", 1], ["b", 3], ["b-copy", 2]]);
});

test("what nests too deeply is refused, and nothing of its swap is left", async () => {
  const server = new FakeServer();
  const atom = await start(server);
  const nested = (depth) => Array.from({ length: depth }).reduce((value) => [value], 1);
  assert.throws(() => atom.swap((docs) => docs.set("ok", 1).set("deep", nested(1022)).set("later", 2)), TypeError);
  assert.equal(atom.value.size, 0);
  await atom.swap((docs) => docs.set("deep", nested(400))).confirmed;
  assert.equal(atom.status.pending, 0);
});

test("a swap to what is pending already is confirmed with it", async () => {
  const server = new FakeServer();
  const atom = await start(server);
  await atom.sync();
  atom.pause();
  await until(() => atom.status.state === "offline");
  atom.swap((docs) => docs.set("a", "mine"));
  const { confirmed } = atom.swap((docs) => docs.set("a", "mine"));
  server.set("a", "theirs");
  atom.resume();
  assert.equal((await confirmed).isAccepted, false);
});

test("sync says what keeps it from pushing", async () => {
  const { atom } = await reader();
  await assert.rejects(atom.sync(), /You may read/);
});

test("sync reads what was there when it was called", async () => {
  const server = new FakeServer();
  const atom = await start(server);
  await atom.sync();
  let second;
  server.faults.push(() => {
    const page = server.page(new URLSearchParams({ cursor: server.cursor() }));
    server.isHeld = true;
    server.set("a", 1);
    second = atom.sync();
    return reply(page);
  });
  await atom.sync().catch(() => {});
  await second;
  assert.equal(atom.get("a"), 1);
});

test("a page of an older stream does not move the cursor back", async () => {
  const server = new FakeServer();
  server.set("x", 1);
  const atom = await start(server);
  await atom.sync();
  await until(() => atom.status.state === "live");
  server.isHeld = true;
  server.set("x", 2);
  const [stream] = server.streams;
  server.set("x", undefined);
  await atom.sync();
  assert.equal(atom.get("x"), undefined);
  assert.equal(server.streams.has(stream), false);
});

test("without streams it looks now and then, ever more rarely", async () => {
  const server = new FakeServer();
  server.live = () => new Response("no", { status: 502 });
  const atom = await start(server, { retry: { shortest: 10, longest: 10_000, patience: 1000 } });
  await atom.sync();
  const streams = () => server.asked.filter((each) => each.live).length;
  // How many come in a while is what is tested; a slow machine only makes them fewer, and two come in the end.
  await new Promise((resolve) => setTimeout(resolve, 400));
  await until(() => streams() >= 2);
  const count = streams();
  assert.ok(count >= 2 && count <= 8, `${count}`);
  await atom.swap((docs) => docs.set("a", 1)).confirmed;
});

test("where it may have no stream it polls", async () => {
  const server = new FakeServer();
  const atom = await start(server, { retry: { ...settings.retry, poll: 5 } });
  atom.session.permit = async () => undefined;
  atom.session.closeStream();
  atom.session.wake.send();
  await until(() => atom.status.state === "polling");
  server.set("a", 1);
  await until(() => atom.get("a") === 1);
});

test("after the end nobody hears of anything", async () => {
  const server = new FakeServer();
  const atom = await start(server);
  await atom.sync();
  let heard = 0;
  let answer;
  server.faults.push(() => new Promise((resolve) => { answer = resolve; }));
  atom.sync().catch(() => {});
  await until(() => answer);
  server.set("a", 1);
  atom.watch(() => (heard += 1));
  atom.watchStatus(() => (heard += 1));
  const closing = atom.close();
  answer(reply(server.page(new URLSearchParams())));
  await closing;
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(heard, 0);
});

test("whoever waits for a verdict hears that it stops", async () => {
  const server = new FakeServer();
  const atom = await start(server);
  await atom.sync();
  server.faults.push(refuse(403, "wrong-user", "The token is another's."));
  await assert.rejects(atom.swap((docs) => docs.set("a", 1)).confirmed, /another's/);
  assert.equal(atom.status.state, "stopped");
});

test("a close that could not store says so", async () => {
  const storage = new MemoryStorage();
  const atom = await open({ ...settings, fetch: new FakeServer().fetch, storage });
  await atom.sync();
  storage.commit = async () => { throw new Error("the disk is gone"); };
  atom.swap((docs) => docs.set("a", 1)).confirmed.catch(() => {});
  await assert.rejects(atom.close(), /disk is gone/);
});

test("it is complete when all pages have come", async () => {
  const server = new FakeServer();
  server.set("a", 1);
  const seen = [];
  let other;
  server.faults.push(() => reply({ ...server.page(new URLSearchParams()), more: true }), () => { seen.push(other.status.isComplete); });
  other = await start(server);
  await other.sync();
  assert.deepEqual([...seen, other.status.isComplete], [false, true]);
});

test("a merge does not swap, and watchers hear in order", async () => {
  const server = new FakeServer();
  let atom;
  let refusal;
  atom = await start(server, { merge: ({ local }) => {
    try { atom.swap((docs) => docs.set("b", 1)); } catch (error) { refusal = error; }
    return local;
  } });
  await atom.sync();
  atom.pause();
  await until(() => atom.status.state === "offline");
  atom.swap((docs) => docs.set("a", 1));
  server.set("a", 2);
  atom.resume();
  await atom.sync();
  assert.match(refusal.message, /merge/);
  const heard = [];
  atom.watch((changes) => { if (changes.get("n")?.value === 1) atom.swap((docs) => docs.set("n", 2)); });
  atom.watch((changes) => heard.push(changes.get("n")?.value));
  atom.swap((docs) => docs.set("n", 1));
  assert.deepEqual(heard, [1, 2]);
});

test("a user's edits are sent with no other's token", async () => {
  const server = new FakeServer();
  server.user = "bob";
  const storage = new MemoryStorage();
  const atom = await start(server, { storage, user: "alice" });
  atom.swap((docs) => docs.set("a", 1)).confirmed.catch(() => {});
  await until(() => atom.status.state === "stopped");
  assert.equal(pushes(server).length, 0);
  await assert.rejects(open({ ...settings, storage, user: "carol" }), /alice/);
});

test("an edit goes on top of what it was made on, also where versions say nothing", async () => {
  const server = new FakeServer();
  server.set("a", "base");
  const atom = await start(server);
  await atom.sync();
  atom.pause();
  await until(() => atom.status.state === "offline");
  const { confirmed } = atom.swap((docs) => docs.set("a", "mine").set("new", "mine"));
  // Somebody has made and deleted the one, and the store that is put back has the other in a later version.
  server.set("new", 1);
  server.set("new", undefined);
  server.set("a", "other");
  server.set("a", "base");
  server.epoch += 1;
  atom.resume();
  assert.equal((await confirmed).isAccepted, true);
  assert.deepEqual([at(server, "a"), at(server, "new")], ["mine", "mine"]);
  assert.deepEqual(atom.conflicts, []);
});

test("to create what another has made and deleted is no conflict", async () => {
  const server = new FakeServer();
  server.set("first", 1);
  const atom = await start(server);
  await atom.sync();
  atom.pause();
  await until(() => atom.status.state === "offline");
  const { confirmed } = atom.swap((docs) => docs.set("new", "mine"));
  server.set("new", 1);
  server.set("new", undefined);
  atom.resume();
  assert.equal((await confirmed).isAccepted, true);
  assert.deepEqual(atom.conflicts, []);
});

test("what the answer of another history shows is no base", async () => {
  const server = new FakeServer();
  server.set("a", "base");
  const atom = await start(server);
  await atom.sync();
  // It was put back, and is put back once more before everything is read: then it is as it was.
  server.faults.push(({ docs }) => reply({
    group: "g", accepted: [], rejected: docs.map(({ id }) => ({ id, reason: keyword("stale"), version: 7, value: "passing" })), reset: true, now: 1,
  }));
  const { isAccepted } = await atom.swap((docs) => docs.set("a", "mine")).confirmed;
  assert.equal(isAccepted, true);
  assert.equal(at(server, "a"), "mine");
  assert.deepEqual(atom.conflicts, []);
});

test("a server that never gets to the end of its pages is left alone for a while", async () => {
  const server = new FakeServer();
  server.set("a", 1);
  const endless = () => reply({ ...server.page(new URLSearchParams()), more: true });
  server.faults = Array.from({ length: 1000 }, () => endless);
  const atom = await start(server, { retry: { ...settings.retry, shortest: 60_000, longest: 60_000 } });
  await until(() => atom.status.error);
  assert.match(atom.status.error.message, /same page/);
  assert.equal(server.asked.length, 2);
});

test("what is too large for the way holds up nothing else, and is not dropped", async () => {
  const server = new FakeServer();
  const atom = await start(server);
  await atom.sync();
  const way = (message) => (message?.docs.some(({ id }) => id === "large") ? new Response("<html>", { status: 413 }) : undefined);
  server.faults = Array.from({ length: 1000 }, () => way);
  atom.swap((docs) => docs.set("large", 1).set("a", 1).set("b", 1)).confirmed.catch(() => {});
  await until(() => atom.status.pending === 1);
  assert.deepEqual([at(server, "a"), at(server, "b"), at(server, "large")], [1, 1, undefined]);
  server.faults = [];
  await until(() => at(server, "large") === 1);
  assert.equal(atom.rejections.size, 0);
});
