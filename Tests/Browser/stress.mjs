// A replica in JavaScript under load, as Tests/AtomsyncStress is one in Swift, with the same arguments, journal and report.
import { appendFileSync, closeSync, existsSync, fdatasyncSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from "node:fs";
import { parseArgs } from "node:util";
import { MemoryStorage, open } from "../../Sources/AtomsyncInspector/Web/replica/atomsync.js";

const text = (fallback) => ({ type: "string", default: fallback });
const { positionals: [mode], values: options } = parseArgs({
  allowPositionals: true,
  options: {
    server: text(), group: text("stress"), store: text(), storage: text("sqlite"), journal: text(), report: text(), client: text("c1"),
    run: text("1"), policy: text("server"), rate: text("200"), seconds: text("60"), seed: text("1"), small: text("8"), large: text("400"),
  },
});
const run = Number(options.run);
const seconds = Number(options.seconds);

/** Rows in a file: each commit is a line that is durable before it is done. */
class FileStorage extends MemoryStorage {
  constructor(path) {
    super();
    const lines = existsSync(path) ? readFileSync(path, "utf8").split("\n") : [];
    for (const line of lines) {
      if (!line.endsWith("]")) continue; // the end of what a kill has cut off
      this.keep(new Map(JSON.parse(line)));
    }
    writeFileSync(path + ".new", JSON.stringify([...this.rows]) + "\n", { flush: true });
    renameSync(path + ".new", path);
    this.file = openSync(path, "a");
  }

  keep(rows) {
    for (const [key, value] of rows) value === null ? this.rows.delete(key) : this.rows.set(key, value);
  }

  async load() {
    return new Map([...this.rows].filter(([key]) => !key.startsWith("x ")));
  }

  async commit(rows) {
    writeSync(this.file, JSON.stringify([...rows]) + "\n");
    fdatasyncSync(this.file);
    this.keep(rows);
  }

  close() {
    closeSync(this.file);
  }
}

const merges = {
  server: undefined,
  local: ({ local }) => local,
  merge: ({ local, remote }) => (local === undefined || remote === undefined ? (local ?? remote) : local > remote ? local : remote),
};
const retry = { shortest: 10, longest: 200, patience: 10_000 };
const storage = new FileStorage(options.store);
const atom = await open({ server: options.server, group: options.group, storage, merge: merges[options.policy], retry });
const { content } = atom;

// What became of each edit is stored in the commit that says so.
const decide = content.decide.bind(content);
content.decide = (id, edit, verdict) => {
  const version = content.base.get(id)?.version ?? 0;
  const outcome = verdict === "superseded" ? { outcome: verdict, number: content.atom.conflict } : { outcome: verdict, version };
  content.rows.set(`x ${id}\n${edit}`, JSON.stringify(outcome));
  decide(id, edit, verdict);
};

/** Finds what became of edits. */
function verdicts() {
  const edits = new Map();
  for (const key of storage.rows.keys()) {
    if (!key.startsWith("x ")) continue;
    const [id, edit] = key.slice(2).split("\n");
    edits.set(id, [...(edits.get(id) ?? []), Number(edit)].sort((a, b) => a - b));
  }
  return (id, edit) => {
    const decided = edits.get(id)?.find((each) => each >= edit);
    return decided === undefined ? undefined : JSON.parse(storage.rows.get(`x ${id}\n${decided}`));
  };
}

function journal(kind, fields) {
  appendFileSync(options.journal, JSON.stringify({ kind, run, ...fields }) + "\n");
}

const read = (path) => (existsSync(path) ? readFileSync(path, "utf8") : "").split("\n").flatMap((line) => {
  try {
    return [JSON.parse(line)];
  } catch {
    return []; // empty, or cut off by a kill
  }
});

/** Repeats a choice for each seed. (Mulberry32, by Tommy Ettinger.) */
function generator(seed) {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}

async function write() {
  appendFileSync(options.journal, "\n");
  const verdict = verdicts();
  for (const { kind, receipt, writes } of read(options.journal)) {
    if (kind !== "saved") continue;
    for (const id of Object.keys(writes)) {
      const isKnown = content.pending.has(id) || verdict(id, receipt.edit) || writes[id] === null;
      if (!isKnown) journal("lost", { message: `Edit ${receipt.edit} of ${id} is not known.` });
    }
  }
  journal("start", { pending: content.pending.size });
  console.log("ready");
  const random = generator(Number(options.seed) * 65537 + run);
  const [hot, cool] = [() => `hot:${random(Number(options.small))}`, () => `cool:${random(Number(options.large))}`];
  const began = performance.now();
  for (let made = 0; performance.now() - began < 1000 * seconds; made += 1) {
    const due = began + (1000 * made) / Number(options.rate);
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
    if (content.pending.size > 2000) continue;
    const value = `${options.client}.${run}.${made}`;
    const own = `own:${options.client}:${run}:${made}`;
    const choice = random(20);
    const writes =
      choice < 5 ? { [hot()]: value } : choice < 6 ? { [hot()]: null } : choice < 11 ? { [cool()]: value }
      : choice < 12 ? { [cool()]: null } : choice < 18 ? { [own]: value } : { [hot()]: value, [cool()]: value, [own]: value };
    journal("made", { writes });
    const { saved } = atom.swap((docs) => {
      for (const [id, each] of Object.entries(writes)) each === null ? docs.delete(id) : docs.set(id, each);
    });
    const { edit } = content.atom;
    saved.then(() => journal("saved", { receipt: { edit }, writes }), () => {});
  }
  console.log("done");
  await new Promise(() => {});
}

async function drain() {
  const deadline = performance.now() + 1000 * seconds;
  let error;
  for (let isSettled = false; !isSettled && performance.now() < deadline; ) {
    try {
      await atom.sync();
      isSettled = atom.status.pending === 0;
      error = undefined;
    } catch (thrown) {
      error = String(thrown);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  const lookups = [];
  const verdict = verdicts();
  for (const { kind, receipt, writes } of read(options.journal)) {
    if (kind !== "saved") continue;
    for (const [id, value] of Object.entries(writes)) {
      const entry = verdict(id, receipt.edit);
      if (entry || value !== null) lookups.push({ edit: receipt.edit, id, ...(entry ?? { outcome: "unknown" }) });
    }
  }
  writeFileSync(options.report, JSON.stringify({
    isSettled: error === undefined && atom.status.pending === 0, error, documents: Object.fromEntries(atom.value),
    pending: [...content.pending.keys()],
    conflicts: [...content.conflicts].map(([number, { id, resolution, local, remote }]) => ({ id, outcome: resolution, number, local, remote })),
    rejections: [...atom.rejections].map(([id, { reason, value }]) => ({ id, outcome: reason, local: value })), lookups,
  }));
  await atom.close();
}

await (mode === "drain" ? drain() : write());
