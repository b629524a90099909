// A replica of a group of documents, for browsers and Node:
//
//   import { open } from "./atomsync.js";
//
//   const todos = await open({ server: "https://sync.example", group: "todo", token });
//   todos.swap((docs) => docs.set("todo:1", { text: "Buy milk", done: false }));
//   todos.get("todo:1").text;
//   todos.watch((changes) => render(todos.value));
//
// What is swapped is seen at once, stored at once in this browser's IndexedDB, and sent when the server can be reached.

import { Content } from "./content.js";
import { Transport } from "./http.js";
import { Session } from "./session.js";
import { abandoned, MemoryStorage, ownDatabase } from "./storage.js";
import { hasLoneSurrogate, read, write } from "./transit.js";

export { MemoryStorage } from "./storage.js";
export { ServerError } from "./http.js";
export * from "./transit.js";

/**
 * Opens an atom.
 *
 * - server: the server's URL; `/sync` is added to one without a path.
 * - group: which documents.
 * - token: who asks: a text, or a function that gives one.
 * - merge: what becomes of an edit whose document was changed elsewhere: a function of `{id, base, local, remote}` that
 *   gives the value to be (`undefined`: deleted). Without it the server's document stands. Either way the conflict is listed.
 * - retry: the `shortest` and `longest` pause after a failure, and the `patience` with a request that is silent, in
 *   milliseconds.
 * - storage: by default IndexedDB. Each page has a database of its own; what a closed one has not sent is sent by another.
 */
export async function open({ server, group, token, merge, storage, fetch, retry }) {
  const url = new URL(server, globalThis.location?.href);
  if (url.pathname === "/") url.pathname = "/sync";
  url.search = url.hash = "";
  const options = { url: url.href, group: checked(group, 128, "A group"), token, merge, fetch, retry };
  const make = (storage) => SyncedAtom.open({ ...options, storage });
  if (storage) return make(storage);
  if (!globalThis.indexedDB || !navigator.locks) {
    throw new Error("This browser keeps nothing here: IndexedDB and locks need a page from https or localhost. Pass a storage.");
  }
  const name = `atomsync ${url.href} ${group}`;
  const slot = await ownDatabase(name);
  const atom = await make(slot.storage);
  atom.onClose = () => slot.close();
  atom.drain(name, make).catch((error) => console.warn("Atomsync:", error));
  return atom;
}

/** A name as the protocol has it. */
function checked(name, limit, what) {
  if (typeof name !== "string" || hasLoneSurrogate(name)) throw new TypeError(`${what}'s name is a text.`);
  const composed = name.normalize("NFC");
  const length = new TextEncoder().encode(composed).length;
  if (length === 0 || length > limit) throw new RangeError(`${what}'s name has 1 to ${limit} bytes of UTF-8, not ${length}.`);
  if (/\p{Cc}/u.test(composed)) throw new RangeError(`${what}'s name has no control characters.`);
  return composed;
}

/** The documents, as a swap changes them. */
class Draft {
  changes = new Map();

  constructor(visible) {
    this.visible = visible;
  }

  get(id) {
    const name = id.normalize("NFC");
    return this.changes.has(name) ? this.changes.get(name) : this.visible.get(name);
  }

  has(id) {
    return this.get(id) !== undefined;
  }

  /** Sets a document to a copy of a value. */
  set(id, value) {
    if (value === undefined) throw new TypeError("A document's value is not undefined. To remove it, delete it.");
    this.changes.set(checked(id, 256, "A document"), read(write(value)));
    return this;
  }

  /** Sets a document to what a function makes of its value. */
  update(id, change) {
    return this.set(id, change(this.get(id)));
  }

  delete(id) {
    this.changes.set(checked(id, 256, "A document"), undefined);
    return this;
  }

  *[Symbol.iterator]() {
    for (const [id, value] of this.visible) if (!this.changes.has(id)) yield [id, value];
    for (const [id, value] of this.changes) if (value !== undefined) yield [id, value];
  }
}

class SyncedAtom {
  watchers = new Set();
  statusWatchers = new Set();
  saves = Promise.resolve();
  isStoring = true;
  onClose = () => {};

  static async open(options) {
    const content = new Content(await options.storage.load(), options.group, options.merge);
    return new SyncedAtom(content, options);
  }

  constructor(content, options) {
    const { storage, retry } = options;
    this.content = content;
    this.storage = storage;
    const [save, tell] = [() => this.#changed(), () => this.#tellStatus()];
    this.session = new Session(content, new Transport(options), { save, tell, retry });
    storage.lost.then((reason) => this.#stop(new Error(`What is changed here cannot be stored any more: ${reason}.`)));
    this.running = this.session.run();
    this.online = () => this.#hurry();
    globalThis.addEventListener?.("online", this.online);
  }

  // Reading

  /** All documents, as a Map that stays as it is. */
  get value() {
    return (this.snapshot ??= new Map(this.content.visible));
  }

  /** One document's value, or `undefined`. */
  get(id) {
    return this.content.visible.get(id.normalize("NFC"));
  }

  /** A document's `version` and `updated` (milliseconds since 1970) on the server, and whether a change of it `isPending`. */
  describe(id) {
    const name = id.normalize("NFC");
    const { version, updated } = this.content.base.get(name) ?? {};
    return { version, updated, isPending: this.content.pending.has(name) };
  }

  /** Calls a function after each change, with a Map of ids to `{old, value}`. Returns a function that ends it. */
  watch(watcher) {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  // Changing

  /**
   * Changes documents: `swap(docs => docs.set(id, value))`. The change is seen when this returns. The receipt has two
   * promises: `saved`, when it is on this machine's disk, and `confirmed`, when the server has decided on each document.
   */
  swap(change) {
    if (this.session.isClosed) throw this.session.error ?? new Error("The atom is closed.");
    const draft = new Draft(this.content.visible);
    const result = change(draft);
    if (typeof result?.then === "function") throw new TypeError("A swap's function is not asynchronous.");
    const receipt = this.content.edit(draft.changes);
    const saved = this.#changed();
    this.session.wake.send();
    // Who does not look at a receipt is not told of its failure twice.
    saved.catch(() => {});
    return { saved, confirmed: receipt.confirmed.promise };
  }

  // What became of edits

  /** The newest conflicts: `{id, base, local, remote, resolution, at}`. */
  get conflicts() {
    return [...this.content.conflicts.values()];
  }

  /** Edits that the server will never take, by id: `{value, deleted, reason, message, at}`. */
  get rejections() {
    return new Map(this.content.rejections);
  }

  /** Forgets a rejected edit. */
  discardRejection(id) {
    this.content.forgetRejection(id);
    return this.#changed();
  }

  // Syncing

  /** `state` (offline, waiting, syncing, live or stopped), `pending` (how many documents are to be sent), `isComplete`
   * (whether everything was read once), `group`, `user` and `error`. */
  get status() {
    const { state, error } = this.session;
    const { pending, isComplete, atom } = this.content;
    return { state, error: (this.isStoring && this.storageError) || error, pending: pending.size, isComplete, group: atom.group, user: atom.user };
  }

  watchStatus(watcher) {
    this.statusWatchers.add(watcher);
    return () => this.statusWatchers.delete(watcher);
  }

  /** Sends and reads everything now. Throws what keeps it from that. */
  async sync() {
    const pass = this.session.sync();
    this.session.hurry.send();
    await pass;
  }

  pause() {
    this.session.isPaused = true;
    this.session.closeStream();
    this.session.isCurrent = false;
    this.#hurry();
  }

  resume() {
    this.session.isPaused = false;
    this.#hurry();
  }

  #hurry() {
    this.session.wake.send();
    this.session.hurry.send();
  }

  /** Stores what is not stored yet, and ends. What was not sent is sent when the atom is opened again. */
  async close() {
    this.session.close();
    this.#hurry();
    await this.saves.catch(() => {});
    this.#stop();
    globalThis.removeEventListener?.("online", this.online);
    this.storage.close();
    await this.onClose();
  }

  #stop(error) {
    this.isStoring = false;
    this.session.close(error);
    this.#hurry();
    for (const waiting of this.content.receipts.values()) {
      for (const { receipt } of waiting) {
        receipt.confirmed.promise.catch(() => {});
        receipt.confirmed.reject(error ?? new Error("The atom was closed before the server had decided."));
      }
    }
    this.content.receipts.clear();
  }

  // Storing and telling

  #changed() {
    const changes = this.content.takeChanges();
    if (changes.size > 0) {
      this.snapshot = undefined;
      for (const watcher of this.watchers) guarded(() => watcher(changes));
    }
    this.#tellStatus();
    return this.#save();
  }

  /** One commit after the other; a failed one is repeated, with what has come meanwhile, until it succeeds. */
  #save() {
    const rows = this.content.takeRows();
    if (rows.size > 0) this.unsaved = new Map([...(this.unsaved ?? []), ...rows]);
    return (this.saves = this.saves.catch(() => {}).then(async () => {
      for (let pause = 100; this.unsaved; pause = Math.min(2 * pause, 10_000)) {
        if (!this.isStoring) throw this.session.error ?? new Error("The atom is closed.");
        const batch = this.unsaved;
        this.unsaved = undefined;
        try {
          await this.storage.commit(batch);
          this.#setStorageError(undefined);
        } catch (error) {
          this.unsaved = new Map([...batch, ...(this.unsaved ?? [])]);
          this.#setStorageError(new Error(`Changes cannot be stored: ${error.message}`));
          if (this.session.isClosed) throw this.storageError;
          await new Promise((resolve) => setTimeout(resolve, pause));
        }
      }
    }));
  }

  #setStorageError(error) {
    if (this.storageError === error) return;
    this.storageError = error;
    this.#tellStatus();
  }

  #tellStatus() {
    const status = this.status;
    const text = `${status.state} ${status.pending} ${status.isComplete} ${status.user} ${status.error?.message}`;
    if (text === this.told) return;
    this.told = text;
    for (const watcher of this.statusWatchers) guarded(() => watcher(status));
  }

  // Closed pages

  /** Sends what closed pages have not sent, takes over what became of their edits, and removes their databases. */
  async drain(name, make) {
    const slots = await abandoned(name);
    await Promise.all(slots.map((slot) => this.#drain(slot, make).catch((error) => console.warn("Atomsync:", error))));
  }

  async #drain(slot, make) {
    const other = await make(slot.storage);
    other.onClose = () => slot.close();
    await new Promise((resolve) => {
      const check = () => other.status.pending === 0 && resolve();
      other.watchStatus(check);
      check();
      this.running.then(resolve);
      other.running.then(resolve);
    });
    if (other.status.pending === 0 && this.isStoring) {
      this.content.adopt(other.content);
      await this.#changed();
      other.onClose = () => slot.remove();
    }
    await other.close();
  }
}

function guarded(body) {
  try {
    body();
  } catch (error) {
    globalThis.reportError ? reportError(error) : console.error(error);
  }
}
