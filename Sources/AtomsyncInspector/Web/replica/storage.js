// Where a replica keeps its rows: texts by keys. A storage has
//   load()                 all rows, as a Map
//   commit(rows)           stores a Map of rows, `null` for those that go; returns when they are durable, all or none
//   close()                gives it back
//   lost                   a promise that ends when the storage can no longer be used, with the reason

const STORE = "rows";

const settled = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/** Rows in an IndexedDB database, which only one page may have open. */
export class IndexedDBStorage {
  static async open(name) {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    return new IndexedDBStorage(await settled(request));
  }

  constructor(database) {
    this.database = database;
    this.lost = new Promise((resolve) => {
      database.onclose = () => resolve("the browser has removed the database");
      database.onversionchange = () => {
        database.close();
        resolve("somebody has deleted the database");
      };
    });
  }

  async load() {
    const store = this.database.transaction(STORE).objectStore(STORE);
    const [keys, values] = await Promise.all([settled(store.getAllKeys()), settled(store.getAll())]);
    return new Map(keys.map((key, index) => [key, values[index]]));
  }

  commit(rows) {
    return new Promise((resolve, reject) => {
      const transaction = this.database.transaction(STORE, "readwrite", { durability: "strict" });
      const store = transaction.objectStore(STORE);
      for (const [key, text] of rows) text === null ? store.delete(key) : store.put(text, key);
      // Not left to the page, which may be closed before it has heard of the last request.
      transaction.commit();
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error ?? new Error("The transaction was aborted."));
    });
  }

  close() {
    this.database.close();
  }
}

/** Rows in memory: for tests, and for Node. They end with the program. */
export class MemoryStorage {
  rows = new Map();
  lost = new Promise(() => {});

  async load() {
    return new Map(this.rows);
  }

  async commit(rows) {
    for (const [key, text] of rows) text === null ? this.rows.delete(key) : this.rows.set(key, text);
  }

  close() {}
}

// Pages and their databases. Each page of a site is a replica of its own: it takes the first database that no other page
// has, for as long as it lives.

const databaseName = (name, slot) => `${name} #${slot}`;

/** Holds a lock until `release` is called. `undefined` when somebody else holds it. */
function hold(name) {
  return new Promise((resolve, reject) => {
    navigator.locks
      .request(name, { ifAvailable: true }, (lock) => {
        if (!lock) return resolve(undefined);
        return new Promise((release) => resolve(release));
      })
      .catch(reject);
  });
}

/** A page's database, held. */
class Slot {
  constructor(name, number, storage, release) {
    Object.assign(this, { name, number, storage, release });
  }

  static async take(name, number) {
    const release = await hold(databaseName(name, number));
    if (!release) return undefined;
    try {
      return new Slot(name, number, await IndexedDBStorage.open(databaseName(name, number)), release);
    } catch (error) {
      release();
      throw error;
    }
  }

  close() {
    this.storage.close();
    this.release();
  }

  async remove() {
    this.storage.close();
    await settled(indexedDB.deleteDatabase(databaseName(this.name, this.number)));
    this.release();
  }
}

/** How long a page that is reloaded waits for its database, which the page before may not have given back yet. */
const RELOAD = 3_000;

/** The database that this tab had before it was reloaded, or the first one that no other page has. */
export async function ownDatabase(name) {
  const slot = (await before(name)) ?? (await firstFree(name));
  try {
    sessionStorage.setItem(name, slot.number);
  } catch {
    // Without it, a reload may find another database. Nothing is lost by that.
  }
  return slot;
}

async function before(name) {
  let number;
  try {
    number = sessionStorage.getItem(name);
  } catch {
    // As above.
  }
  if (number === undefined || number === null) return undefined;
  for (const end = Date.now() + RELOAD; Date.now() < end; ) {
    const slot = await Slot.take(name, Number(number));
    if (slot) return slot;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return undefined;
}

async function firstFree(name) {
  for (let number = 0; ; number++) {
    const slot = await Slot.take(name, number);
    if (slot) return slot;
  }
}

/** A browser lets a site have six connections to a server by HTTP/1.1; pushes and pulls need some. */
const STREAMS = 4;

/** Leave to open a live stream to a server, for one of a few at once in all pages of a site: a function that gives it back.
 * `undefined` where there is none left. */
export async function streamPermit(url) {
  for (let number = 0; number < STREAMS; number++) {
    const release = await hold(`atomsync stream ${new URL(url).origin} #${number}`);
    if (release) return release;
  }
  return undefined;
}

/** The databases of pages that are closed. They may hold edits that were never sent. */
export async function abandoned(name) {
  const slots = [];
  for (const database of await indexedDB.databases()) {
    const [own, number] = database.name.split(/ #(?=\d+$)/);
    if (own !== name) continue;
    const slot = number === undefined ? undefined : await Slot.take(name, Number(number));
    if (slot) slots.push(slot);
  }
  return slots;
}
