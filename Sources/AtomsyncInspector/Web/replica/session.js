// The conversation of a replica with its server: one thing after the other, and nothing is sent before it is stored.

import { ServerError } from "./http.js";

const MAXIMUM_COUNT = 1000;
const MAXIMUM_BYTES = 1 << 20;
const RETRY = { shortest: 250, longest: 30_000, patience: 60_000, poll: 5_000 };
/** A stream that has lived for so long worked. */
const STEADY = 5_000;
/** Timers take no more. */
const LONGEST_WAIT = 2 ** 31 - 1;
/** Refusals by which the server says that it has read a push and will never take it. */
const DEFINITE = ["too-large", "malformed", "invalid-id", "duplicate-id"];

const TIMEOUT = Symbol("timeout");

/** Something to wait for. */
class Signal {
  waiters = new Set();

  send() {
    for (const resolve of this.waiters) resolve();
    this.waiters.clear();
  }

  /** Until the signal, or until some milliseconds have passed. */
  wait(milliseconds) {
    return new Promise((resolve) => {
      const timer = milliseconds === undefined ? undefined : setTimeout(() => done(TIMEOUT), Math.min(milliseconds, LONGEST_WAIT));
      const done = (result) => {
        clearTimeout(timer);
        this.waiters.delete(done);
        resolve(result);
      };
      this.waiters.add(done);
    });
  }
}

export class Session {
  state = "offline";
  error = undefined;
  isPaused = false;
  isClosed = false;
  /** Whether everything was read since the last failure. */
  isCurrent = false;
  failures = 0;
  streamFailures = 0;
  timeouts = 0;
  count = MAXIMUM_COUNT;
  /** Until then nothing is pushed, because the server forbids it. */
  pushesFrom = 0;
  passes = [];
  /** There is something to do. */
  wake = new Signal();
  /** What failed is to be tried again at once. */
  hurry = new Signal();

  /** - save: stores the content's rows and tells its changes.
   *  - tell: is called when the status has changed.
   *  - permit: gives a function that gives it back, or `undefined` where no further stream may be opened. */
  constructor(content, transport, { save, tell, permit, retry }) {
    Object.assign(this, { content, transport, save, tell, permit, retry: { ...RETRY, ...retry } });
  }

  async run() {
    while (!this.isClosed) {
      if (this.isPaused) {
        this.be("offline");
        await this.wake.wait();
        continue;
      }
      try {
        await this.step().catch((error) => this.fail(error));
      } catch (error) {
        // Not even the failure could be stored.
        this.error ??= error;
        if (!this.isClosed) await this.rest();
      }
    }
    this.closeStream();
    this.be("stopped");
  }

  /** An answer that comes after the end is void. */
  async answer(request) {
    const answer = await request;
    if (this.isClosed) throw new Error("The atom is closed.");
    return answer;
  }

  /** Everything that is pending is pushed, and everything read, or an error says why not. */
  sync() {
    return new Promise((resolve, reject) => {
      if (this.isClosed) return reject(this.error ?? new Error("The atom is closed."));
      if (this.isPaused) return reject(new Error("The atom is paused."));
      this.passes.push({ resolve, reject });
      this.isCurrent = false;
      this.goOn();
    });
  }

  pause() {
    this.isPaused = true;
    this.readAgain();
    this.goOn();
  }

  resume() {
    this.isPaused = false;
    this.goOn();
  }

  /** Whatever is waited for but an answer: it looks at once what there is to do. */
  goOn() {
    this.wake.send();
    this.hurry.send();
  }

  close(error) {
    this.isClosed = true;
    this.error ??= error;
    this.endPasses(error ?? new Error("The atom is closed."));
    this.closeStream();
    this.transport.close();
    this.goOn();
  }

  get canPush() {
    return this.content.isQueued && performance.now() >= this.pushesFrom;
  }

  async step() {
    if (this.content.inFlight) return this.push();
    if (!this.isCurrent) return this.pull();
    if (!this.canPush) return this.follow();
    this.content.freeze(this.count, MAXIMUM_BYTES);
    await this.save();
  }

  async pull() {
    this.be("syncing");
    // A page of an older stream would move the cursor back.
    this.closeStream();
    const { atom, base } = this.content;
    const { seen } = atom;
    // Whoever asks for another look meanwhile gets it.
    this.isCurrent = true;
    const page = await this.page(atom);
    if (page.reset || (atom.cursor === undefined && base.size > 0)) return this.readAnew(page);
    if (page.more) this.isCurrent = false;
    this.take(page, { seen });
    await this.save();
    this.succeed();
  }

  async page(place) {
    const asked = place.cursor;
    const page = await this.answer(this.transport.pull(place));
    this.check(page);
    if (page.more && page.cursor === asked) throw new ServerError("The server answers the same page again and again.");
    return page;
  }

  /** Takes everything at once, so that nothing is missing meanwhile. */
  async readAnew(first) {
    const documents = new Map();
    let page = first;
    for (;;) {
      for (const document of page.docs) document.deleted ? documents.delete(document.id) : documents.set(document.id, document);
      if (!page.more) break;
      page = await this.page({ cursor: page.cursor });
      // It was put back once more.
      if (page.reset) documents.clear();
    }
    this.content.replace(documents, page);
    await this.save();
    this.succeed();
  }

  async push() {
    this.be("syncing");
    let answer;
    try {
      answer = await this.answer(this.transport.push(this.content.inFlight.message, this.retry.patience * 2 ** Math.min(this.timeouts, 6)));
    } catch (error) {
      if (!(error instanceof ServerError) || this.isClosed) throw error;
      if (error.status === 0) this.timeouts += 1;
      return this.refused(error);
    }
    const isBehind = this.content.settle(answer);
    this.timeouts = 0;
    this.count = Math.min(MAXIMUM_COUNT, this.count * 2);
    if (isBehind || answer.reset) this.readAgain();
    await this.save();
    if (!isBehind) this.succeed();
    else if (this.content.isQueued) await this.rest();
  }

  /** Only the server's own word takes a push back; everything else sends it again. */
  async refused(error) {
    const { docs } = this.content.inFlight.message;
    if (error.isServers && error.code === "stale-push") {
      this.content.takeNewClient();
      this.readAgain();
    } else if (error.isServers && error.code === "wrong-user") {
      this.close(error);
    } else if (error.isServers && error.status === 403) {
      this.content.giveUp();
      this.pushesFrom = performance.now() + this.retry.longest;
      this.error = error;
    } else if ((error.isServers && DEFINITE.includes(error.code)) || error.status === 413) {
      this.count = Math.ceil(docs.length / 2);
      const [document] = docs;
      const edit = this.content.inFlight.edits.get(document.id);
      this.content.giveUp();
      if (docs.length === 1 && error.isServers) this.content.reject(document.id, document, edit, error.code, error.message);
      else if (docs.length === 1) {
        // It is something on the way that does not take it. The others go first.
        this.content.postpone(document.id);
        await this.save();
        throw error;
      }
    } else {
      throw error;
    }
    await this.save();
  }

  async follow() {
    this.endPasses(this.content.isQueued ? this.error : undefined);
    try {
      if (!this.stream && !(await this.openStream())) return await this.poll();
      if (this.isPaused || this.isClosed || !this.isCurrent) return this.closeStream();
      if (!this.canPush) await this.listen();
    } catch (error) {
      if (performance.now() - this.streamSince > STEADY) this.streamFailures = 0;
      this.streamFailures += 1;
      throw error;
    }
  }

  async openStream() {
    const release = await this.permit();
    if (!release) return false;
    this.streamSince = performance.now();
    const { seen } = this.content.atom;
    try {
      this.stream = await this.answer(this.transport.live(this.content.atom));
    } catch (error) {
      release();
      throw error;
    }
    this.release = release;
    this.next = undefined;
    // Its first page is beyond the place that it was opened with.
    this.firstPage = { seen };
    return true;
  }

  /** Looks now and then, where others have all the streams that a browser lets a site have. */
  async poll() {
    this.be("polling");
    if ((await this.wake.wait(this.retry.poll)) === TIMEOUT) this.isCurrent = false;
  }

  async listen() {
    this.be("live");
    this.next ??= this.stream.next().then((page) => ({ page }), (error) => ({ error }));
    // What the stream does not tell of was lost with a store that was put back: a pull finds out.
    const isUntold = this.content.untold.size > 0;
    const pause = this.content.isQueued ? Math.max(0, this.pushesFrom - performance.now()) : isUntold ? this.retry.patience : undefined;
    const event = await Promise.race([this.next, this.wake.wait(pause)]);
    if (event?.error) throw event.error;
    if (event === TIMEOUT && isUntold) this.isCurrent = false;
    if (!event?.page) return;
    this.next = undefined;
    const { page } = event;
    this.check(page);
    // Whatever came meanwhile: a reset is read by a pull.
    if (page.reset) return this.readAgain();
    this.take(page, this.firstPage);
    this.firstPage = undefined;
    this.streamFailures = 0;
    await this.save();
    this.succeed();
  }

  /** - asked: with which place that was seen the page was asked for; `undefined` where it was not. */
  take(page, asked) {
    if (this.content.apply(page, asked)) return;
    this.content.startAnew();
    this.readAgain();
  }

  check(page) {
    const { user, group } = this.content.atom;
    if (page.group !== group) throw new ServerError("The server answers for another group.");
    if (user !== undefined && page.user !== undefined && page.user !== user) {
      this.close(new ServerError(`The token is ${page.user}'s, and the documents are ${user}'s.`));
      throw this.error;
    }
  }

  readAgain() {
    this.isCurrent = false;
    this.closeStream();
  }

  closeStream() {
    this.stream?.close();
    this.release?.();
    this.stream = this.next = this.release = undefined;
  }

  succeed() {
    this.failures = 0;
    // What has closed it is still true.
    if (!this.isClosed && performance.now() >= this.pushesFrom) this.error = undefined;
  }

  async fail(error) {
    if (this.isClosed) return;
    this.readAgain();
    if (error.isServers && error.code === "forbidden" && !this.content.inFlight) {
      this.content.withdraw();
      await this.save();
    }
    this.error = error;
    this.endPasses(error);
    await this.rest(error.retryAfter);
  }

  /** Exponential, with jitter, until woken by `sync` or `resume`. */
  async rest(atLeast = 0) {
    this.be("waiting");
    const failures = Math.max(this.failures++, this.streamFailures - 1);
    const longest = Math.min(this.retry.longest, this.retry.shortest * 2 ** failures);
    await this.hurry.wait(Math.max(atLeast, longest * (0.5 + Math.random() / 2)));
  }

  endPasses(error) {
    const passes = this.passes;
    this.passes = [];
    for (const { resolve, reject } of passes) error ? reject(error) : resolve();
  }

  be(state) {
    this.state = state;
    this.tell();
  }
}
