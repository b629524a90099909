// A replica's documents: what the server confirmed (base), what it has not (pending), what is being sent (in flight), and
// what became of edits (conflicts, rejections). Knows neither the network nor the disk: it collects the rows to be stored,
// and the changes to be told.

import { canonical, copy, read, uuid, write } from "./transit.js";

const FORMAT = 1;
const MAXIMUM_CONFLICTS = 10_000;
/** How many values that were sent, and may have been taken, are remembered for each document. */
const MAXIMUM_SENT = 8;
const key = { base: (id) => `b ${id}`, pending: (id) => `p ${id}`, rejection: (id) => `r ${id}`, conflict: (number) => `c ${number}` };

/** `undefined` stands for a document that is not there. */
const same = (a, b) => a === b || (a !== undefined && b !== undefined && canonical(a) === canonical(b));
const valueOf = (document) => (document === undefined || document.deleted ? undefined : document.value);

export class Content {
  base = new Map();
  pending = new Map();
  /** The frozen push: its message, and of each document the edit that it carries. */
  inFlight = null;
  conflicts = new Map();
  rejections = new Map();
  /** What is seen: base ⊕ pending. */
  visible = new Map();
  receipts = new Map();
  /** Versions that verdicts have told of and pages have not yet. */
  untold = new Map();
  /** Rows that are not stored yet, and what was visible before the changes that are not told yet. */
  rows = new Map();
  changes = new Map();

  constructor(rows, { group, user, merge }) {
    this.merge = merge;
    const kinds = { b: this.base, p: this.pending, r: this.rejections, c: this.conflicts };
    for (const [name, text] of rows) {
      if (name === "atom" || name === "push") continue;
      const id = name.slice(2);
      kinds[name[0]].set(name[0] === "c" ? Number(id) : id, read(text));
    }
    const stored = rows.has("atom") ? read(rows.get("atom")) : undefined;
    if (stored && stored.format !== FORMAT) throw new Error(`The store has the format ${stored.format}; this program knows ${FORMAT}.`);
    if (stored && stored.group !== group) throw new Error(`The store is of the group ${stored.group}.`);
    if (stored?.user !== undefined && user !== undefined && stored.user !== user) throw new Error(`The store is ${stored.user}'s.`);
    this.atom = stored ? { ...stored } : { format: FORMAT, group, user, client: uuid(), push: 0, edit: 0, conflict: 0 };
    if (rows.has("push")) this.inFlight = read(rows.get("push"));
    // Maps keep the order in which the edits were made.
    this.pending = new Map([...this.pending].sort(([, a], [, b]) => a.edit - b.edit));
    for (const id of new Set([...this.base.keys(), ...this.pending.keys()])) {
      const value = this.at(id);
      if (value !== undefined) this.visible.set(id, value);
    }
  }

  at(id) {
    return valueOf(this.pending.get(id) ?? this.base.get(id));
  }

  get isComplete() {
    return this.atom.isComplete === true;
  }

  get isQueued() {
    return this.inFlight === null && this.pending.size > 0;
  }

  /** The rows that have to be stored, once. */
  takeRows() {
    const rows = this.rows;
    this.rows = new Map();
    return rows;
  }

  /** What changed: ids with the values before and now. */
  takeChanges() {
    const changes = new Map();
    for (const [id, old] of this.changes) {
      const value = this.visible.get(id);
      if (!same(old, value)) changes.set(id, { old, value });
    }
    this.changes = new Map();
    return changes;
  }

  // Edits

  /** Takes a swap's changes: values by id, `undefined` to delete. The receipt ends when the server has decided on each. */
  edit(changes) {
    const edit = (this.atom.edit += 1);
    const receipt = { open: new Set(), verdicts: new Map(), isAccepted: true, confirmed: withResolvers() };
    for (const [id, value] of changes) {
      const before = this.pending.get(id);
      if (same(this.at(id), value)) {
        // What is pending already is decided when that is.
        if (before) this.await(id, before.edit, receipt);
        continue;
      }
      const base = this.base.get(id);
      const origin = before ?? { version: base && !base.deleted ? base.version : 0, base: valueOf(base) };
      this.setPending(id, { ...without(origin, "value", "deleted"), ...(value === undefined ? { deleted: true } : { value }), edit });
      this.await(id, edit, receipt);
    }
    this.saveAtom();
    if (receipt.open.size === 0) this.finish(receipt);
    return receipt;
  }

  await(id, edit, receipt) {
    receipt.open.add(id);
    this.receipts.set(id, [...(this.receipts.get(id) ?? []), { edit, receipt }]);
  }

  /** An edit up to a number is decided. */
  decide(id, edit, verdict) {
    const waiting = this.receipts.get(id) ?? [];
    const later = waiting.filter((each) => each.edit > edit);
    later.length ? this.receipts.set(id, later) : this.receipts.delete(id);
    for (const { edit: number, receipt } of waiting) {
      if (number > edit) continue;
      receipt.open.delete(id);
      receipt.verdicts.set(id, verdict);
      receipt.isAccepted &&= verdict === "accepted";
      if (receipt.open.size === 0) this.finish(receipt);
    }
  }

  finish(receipt) {
    receipt.confirmed.resolve({ isAccepted: receipt.isAccepted, verdicts: receipt.verdicts });
  }

  // Pushing

  /** Freezes a push of some pending documents. It is sent when its row is stored, and after an unknown outcome as it is. */
  freeze(count, bytes) {
    const docs = [];
    const edits = new Map();
    let size = 0;
    for (const [id, { version, value, deleted, edit }] of this.pending) {
      const document = deleted ? { id, version, deleted: true } : { id, version, value };
      size += write(document).length;
      if (docs.length > 0 && (docs.length === count || size > bytes)) break;
      docs.push(document);
      edits.set(id, edit);
    }
    const { group, client, user, cursor, seen } = this.atom;
    const push = (this.atom.push += 1);
    this.saveAtom();
    const frozen = { message: { group, client, push, user, cursor, seen, docs }, edits };
    this.rows.set("push", write(frozen));
    this.inFlight = frozen;
  }

  /** Takes the verdicts on what is in flight. */
  settle(answer) {
    const sent = new Map(this.inFlight.message.docs.map((document) => [document.id, document]));
    const { edits } = this.inFlight;
    const verdicts = [...answer.accepted, ...answer.rejected].map(({ id }) => id);
    if (verdicts.length !== sent.size || verdicts.some((id) => !sent.has(id))) {
      throw new Error("The server's answer does not name the documents that were sent.");
    }
    this.land();
    for (const { id, version, updated } of answer.accepted) this.accept(id, sent.get(id), edits.get(id), version, updated);
    let isBehind = false;
    for (const document of answer.rejected) {
      const reason = document.reason.rep;
      if (reason === "stale") {
        // An earlier attempt of ours may be what the server has.
        this.rememberSent(sent.get(document.id));
        // What a store of another history shows is no base: it may be put back once more. Everything is read anew.
        isBehind = answer.reset || this.meet(document, true) || isBehind;
      } else if (reason === "invalid" || reason === "too-large") this.reject(document.id, sent.get(document.id), edits.get(document.id), reason, document.message);
      else isBehind = true;
    }
    if (answer.reset) this.startAnew();
    else this.atom.seen = answer.seen;
    this.saveAtom();
    return isBehind;
  }

  accept(id, sent, edit, version, updated) {
    if (!version) this.setBase(id, undefined);
    else this.setBase(id, sent.deleted ? { version, deleted: true, updated } : { version, value: sent.value, updated });
    if (version) this.untold.set(id, version);
    const pending = this.pending.get(id);
    if (pending?.edit === edit) this.setPending(id, undefined);
    else if (pending) this.setPending(id, { ...without(pending, "sent"), version: version ?? 0, base: valueOf(sent) });
    this.decide(id, edit, "accepted");
    if (this.rejections.has(id)) this.overtake(id);
  }

  /** The server will never take it. */
  reject(id, sent, edit, reason, message) {
    this.overtake(id);
    this.setRow(this.rejections, key.rejection(id), id, { value: sent.value, deleted: sent.deleted, reason, message, at: new Date() });
    if (this.pending.get(id)?.edit === edit) this.setPending(id, undefined);
    this.decide(id, edit, "rejected");
  }

  /** A rejected edit that another one has replaced is kept with the conflicts. */
  overtake(id) {
    const rejection = this.rejections.get(id);
    if (!rejection) return;
    this.remember(id, { local: valueOf(rejection), remote: this.at(id), resolution: "rejected" });
    this.forgetRejection(id);
  }

  forgetRejection(id) {
    this.setRow(this.rejections, key.rejection(id), id, undefined);
  }

  /** The push is over, or was refused as a whole: its documents wait again. */
  land() {
    this.inFlight = null;
    this.rows.set("push", null);
  }

  /** Gives a push up of which the server may have heard, now or by another way. */
  giveUp() {
    for (const document of this.inFlight.message.docs) this.rememberSent(document);
    this.land();
  }

  /** Has a document wait behind the others. */
  postpone(id) {
    const pending = this.pending.get(id);
    this.pending.delete(id);
    if (pending) this.pending.set(id, pending);
  }

  rememberSent(document) {
    const pending = this.pending.get(document.id);
    if (!pending) return;
    const sent = [...(pending.sent ?? []), canonical([valueOf(document) ?? null, document.deleted ?? false])].slice(-MAXIMUM_SENT);
    this.setPending(document.id, { ...pending, sent });
  }

  /** The server knows the number of a push with other documents: this store was put back to an earlier state. */
  takeNewClient() {
    this.giveUp();
    this.atom.client = uuid();
    this.atom.push = 0;
    this.saveAtom();
  }

  // Pages

  /** Takes a page of changes. Returns false when it contradicts what is known: then everything is to be read anew.
   *
   * - asked: with which place that was `seen` the page was asked for: it is beyond that. */
  apply(page, asked) {
    let isSound = true;
    for (const document of page.docs) {
      const known = this.base.get(document.id);
      if (document.version >= this.untold.get(document.id)) this.untold.delete(document.id);
      if (!known || document.version > known.version) {
        this.meet(document, false);
      } else if (document.version === known.version) {
        if (!same(valueOf(known), valueOf(document))) isSound = false;
        // A verdict's tombstone has served its purpose: it kept older pages out.
        if (known.deleted) this.setBase(document.id, undefined);
      }
    }
    if (asked && asked.seen === this.atom.seen) this.untold.clear();
    this.reached(page);
    return isSound;
  }

  /** Takes everything, after a reset: what it does not name is not there. */
  replace(documents, page) {
    for (const id of [...this.base.keys()]) if (!documents.has(id)) this.setBase(id, undefined);
    for (const [id, pending] of [...this.pending]) {
      if (documents.has(id)) continue;
      // What the server does not have any more is created again rather than given up.
      if (pending.deleted) this.drop(id, pending, "accepted");
      else this.setPending(id, { ...without(pending, "base"), version: 0 });
    }
    for (const document of documents.values()) this.meet(document, false, true);
    this.untold.clear();
    this.reached(page);
  }

  reached(page) {
    this.atom.cursor = page.cursor;
    // The cursor is beyond it.
    if (this.untold.size === 0) this.atom.seen = undefined;
    this.atom.store = page.store;
    if (!page.more) this.atom.isComplete = true;
    if (page.user !== undefined) this.atom.user = page.user;
    this.saveAtom();
  }

  /** Everything is to be read again. */
  startAnew() {
    this.atom.cursor = this.atom.seen = this.atom.isComplete = undefined;
    this.untold.clear();
    this.saveAtom();
  }

  /** The permission to read was withdrawn: what was read goes, edits stay. */
  withdraw() {
    for (const id of [...this.base.keys()]) this.setBase(id, undefined);
    this.startAnew();
  }

  /** The server's document meets this replica's. Returns true when it does not show what it has. */
  meet(document, isVerdict, isReset = false) {
    const { id, version, value, deleted, updated } = document;
    if (isVerdict && value === undefined && !deleted && version > 0) return true;
    const isThere = value !== undefined && !deleted;
    if (isVerdict && version > 0) this.untold.set(id, version);
    const pending = this.pending.get(id);
    this.setBase(id, isThere ? { version, value, updated } : isVerdict && version > 0 ? { version, deleted: true, updated } : undefined);
    if (pending) this.resolve(id, pending, { version, value: isThere ? value : undefined }, isReset);
    return false;
  }

  /** A pending edit goes on top of the server's document, unless that is another than the one that it was made on. Versions of
   * another history, and those of deletions, say nothing: there the value decides. */
  resolve(id, pending, remote, isReset) {
    const local = valueOf(pending);
    const next = { version: remote.value === undefined ? 0 : remote.version, base: remote.value };
    if (same(local, remote.value)) return this.drop(id, pending, "accepted");
    const isOwn = pending.sent?.includes(canonical([remote.value ?? null, remote.value === undefined]));
    const isMadeOnIt = isReset || remote.value === undefined ? same(pending.base, remote.value) : pending.version === remote.version;
    if (isMadeOnIt || isOwn) {
      // While the document has the version that a push names, that push may still arrive.
      const kept = pending.version === next.version ? pending : without(pending, "sent");
      return this.setPending(id, { ...kept, ...next });
    }
    let merged = remote.value;
    let error;
    if (this.merge) {
      this.isMerging = true;
      try {
        merged = this.merge({ id, base: pending.base, local, remote: remote.value });
        if (merged !== undefined) merged = copy(merged);
      } catch (thrown) {
        merged = remote.value;
        error = String(thrown);
      } finally {
        this.isMerging = false;
      }
    }
    const isKept = !same(merged, remote.value);
    this.remember(id, { base: pending.base, local, remote: remote.value, resolution: isKept ? "merged" : "superseded", error });
    if (!isKept) return this.drop(id, pending, same(local, merged) ? "accepted" : "superseded");
    this.setPending(id, { ...(merged === undefined ? { deleted: true } : { value: merged }), ...next, edit: pending.edit });
  }

  remember(id, conflict) {
    const number = (this.atom.conflict += 1);
    this.setRow(this.conflicts, key.conflict(number), number, { id, at: new Date(), ...conflict });
    const oldest = number - MAXIMUM_CONFLICTS;
    if (this.conflicts.has(oldest)) this.setRow(this.conflicts, key.conflict(oldest), oldest, undefined);
    this.saveAtom();
  }

  drop(id, pending, verdict) {
    this.setPending(id, undefined);
    this.decide(id, pending.edit, verdict);
  }

  /** Takes over what became of the edits of a page that is closed. */
  adopt(other) {
    for (const conflict of other.conflicts.values()) this.remember(conflict.id, conflict);
    for (const [id, rejection] of other.rejections) {
      this.overtake(id);
      this.setRow(this.rejections, key.rejection(id), id, rejection);
    }
  }

  // Rows

  saveAtom() {
    this.rows.set("atom", write(this.atom));
  }

  setBase(id, document) {
    this.change(id, () => this.setRow(this.base, key.base(id), id, document));
  }

  setPending(id, document) {
    this.change(id, () => this.setRow(this.pending, key.pending(id), id, document));
  }

  setRow(rows, name, id, value) {
    const text = value === undefined ? null : write(value);
    value === undefined ? rows.delete(id) : rows.set(id, value);
    this.rows.set(name, text);
  }

  change(id, body) {
    if (!this.changes.has(id)) this.changes.set(id, this.visible.get(id));
    body();
    const value = this.at(id);
    value === undefined ? this.visible.delete(id) : this.visible.set(id, value);
  }
}

function without(object, ...names) {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)));
}

/** A promise, and what settles it. (`Promise.withResolvers` is younger than the browsers that this is for.) */
function withResolvers() {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
}
