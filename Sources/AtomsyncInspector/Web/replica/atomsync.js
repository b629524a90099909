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
import { abandoned, MemoryStorage, ownDatabase, streamPermit } from "./storage.js";
import { copy, hasLoneSurrogate } from "./transit.js";

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
 * - user: whose documents these are, where several people use one browser. They are kept apart, and sent with no other's
 *   token. Without it they belong to the user of the first token that the server knows.
 * - retry: the `shortest` and `longest` pause after a failure, and the `patience` with a request that is silent, in
 *   milliseconds.
 * - storage: by default IndexedDB. Each page has a database of its own; what a closed one has not sent is sent by another.
 */
export async function open({ server, group, token, user, merge, storage, fetch, retry }) {
  const url = new URL(server, globalThis.location?.href);
  if (url.pathname === "/") url.pathname = "/sync";
  url.search = url.hash = "";
  const options = { url: url.href, group: checked(group, 128, "A group"), token, user, merge, fetch, retry };
  const make = (storage, permit) => SyncedAtom.open({ ...options, storage, permit });
  if (storage) return make(storage, () => () => {});
  if (!globalThis.indexedDB || !navigator.locks) {
    throw new Error("This browser keeps nothing here: IndexedDB and locks need a page from https or localhost. Pass a storage.");
  }
  const name = `atomsync ${url.href} ${JSON.stringify([options.group, user])}`;
  const slot = await ownDatabase(name);
  let atom;
  try {
    atom = await make(slot.storage, () => streamPermit(url.href));
  } catch (error) {
    slot.close();
    throw error;
  }
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
    this.changes.set(checked(id, 256, "A document"), copy(value));
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

  /** The documents as they are when this begins. */
  [Symbol.iterator]() {
    const all = new Map(this.visible);
    for (const [id, value] of this.changes) value === undefined ? all.delete(id) : all.set(id, value);
    return all.entries();
  }
}

class SyncedAtom {
  watchers = new Set();
  news = [];
  statusWatchers = new Set();
  saves = Promise.resolve();
  isStoring = true;
  onClose = () => {};

  static async open(options) {
    const content = new Content(await options.storage.load(), options);
    return new SyncedAtom(content, options);
  }

  constructor(content, options) {
    const { storage, permit, retry } = options;
    this.content = content;
    this.storage = storage;
    const [save, tell] = [() => this.#changed(), () => this.#tellStatus()];
    this.session = new Session(content, new Transport(options), { save, tell, permit, retry });
    storage.lost.then((reason) => this.#stop(new Error(`What is changed here cannot be stored any more: ${reason}.`)));
    // Whatever has ended it: nobody waits for a verdict that does not come.
    this.running = this.session.run().finally(() => this.#endReceipts(this.session.error));
    this.online = () => this.session.goOn();
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
    if (this.content.isMerging) throw new Error("A merge decides by what it returns; it does not swap.");
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

  /** `state` (offline, waiting, syncing, live, polling or stopped), `pending` (how many documents are to be sent), `isComplete`
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
  sync() {
    return this.session.sync();
  }

  pause() {
    this.session.pause();
  }

  resume() {
    this.session.resume();
  }

  /** Stores what is not stored yet, and ends. What was not sent is sent when the atom is opened again. Throws what could not
   * be stored, once everything is closed. */
  async close() {
    this.session.close();
    this.watchers.clear();
    this.statusWatchers.clear();
    await this.saves.catch(() => {});
    const problem = this.unsaved && this.storageError;
    this.#stop();
    globalThis.removeEventListener?.("online", this.online);
    this.storage.close();
    await this.onClose();
    if (problem) throw problem;
  }

  #stop(error) {
    this.isStoring = false;
    this.session.close(error);
    this.#endReceipts(error);
  }

  #endReceipts(error) {
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
      this.#tell(changes);
    }
    this.#tellStatus();
    return this.#save();
  }

  /** In order, also when a watcher swaps. */
  #tell(changes) {
    this.news.push(changes);
    if (this.news.length > 1) return;
    for (; this.news.length > 0; this.news.shift()) {
      for (const watcher of this.watchers) guarded(() => watcher(this.news[0]));
    }
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
    // A page that is being reloaded may be about to take its own again.
    await new Promise((resolve) => {
      const check = () => ["live", "polling", "stopped"].includes(this.session.state) && resolve();
      this.watchStatus(check);
      check();
      this.running.then(resolve);
    });
    if (this.session.isClosed) return;
    const slots = await abandoned(name);
    await Promise.all(slots.map((slot) => this.#drain(slot, make).catch((error) => console.warn("Atomsync:", error))));
  }

  async #drain(slot, make) {
    const other = await make(slot.storage, () => undefined);
    other.onClose = () => slot.close();
    try {
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
    } finally {
      await other.close();
    }
  }
}

function guarded(body) {
  try {
    body();
  } catch (error) {
    globalThis.reportError ? reportError(error) : console.error(error);
  }
}
