// The way to the server: Docs/Protocol.md over `fetch`.

import { read, write } from "./transit.js";

const TYPE = "application/transit+json";
/** A request is given up when nothing of it has passed for so long; a live stream, after three heartbeats. */
const PATIENCE = 60_000;
/** So many documents are read at first, so that there is something to see soon. */
const FIRST_PAGE = 100;

/** The server's refusal, or that it cannot be reached (`status` 0). */
export class ServerError extends Error {
  constructor(message, { status = 0, code, isServers = false, retryAfter = 0 } = {}) {
    super(message);
    Object.assign(this, { status, code, isServers, retryAfter });
  }
}

export class Transport {
  /** What is under way. */
  watches = new Set();

  /** - token: a text, or a function that gives one or the promise of one. */
  constructor({ url, group, token, fetch = globalThis.fetch.bind(globalThis), retry }) {
    Object.assign(this, { url, group, token, fetch, patience: retry?.patience ?? PATIENCE });
  }

  /** Ends what is under way. */
  close() {
    this.isClosed = true;
    for (const watch of this.watches) watch.controller.abort();
  }

  async pull({ cursor, seen }) {
    const limit = cursor === undefined ? FIRST_PAGE : undefined;
    const response = await this.request(this.query({ cursor, seen, limit }), { accept: TYPE });
    return read(await response.text());
  }

  async push(message, patience) {
    const response = await this.request("", { accept: TYPE, "content-type": TYPE }, write(message), patience);
    return read(await response.text());
  }

  /** The pages after a cursor, as they come. */
  async live({ cursor, seen }) {
    return new PageStream(await this.request(this.query({ cursor, seen }), { accept: "text/event-stream" }));
  }

  query(parameters) {
    const query = new URLSearchParams({ group: this.group });
    for (const [name, value] of Object.entries(parameters)) if (value !== undefined) query.set(name, value);
    return `?${query}`;
  }

  async request(query, headers, body, patience = this.patience) {
    const token = typeof this.token === "function" ? await this.token() : this.token;
    if (token) headers.authorization = `Bearer ${token}`;
    const watch = new Watch(patience, this.watches);
    if (this.isClosed) watch.controller.abort();
    const options = { headers, body, method: body === undefined ? "GET" : "POST", signal: watch.signal, cache: "no-store", credentials: "omit" };
    let response;
    try {
      response = await this.fetch(this.url + query, options);
    } catch (error) {
      watch.end();
      throw new ServerError(`Cannot reach ${this.url}: ${watch.signal.aborted ? "no answer" : (error.cause?.code ?? error.message)}.`);
    }
    const answer = new Answer(response, watch, this.url);
    if (!response.ok) throw await answer.error();
    if (!answer.isServers) {
      answer.cancel();
      throw new ServerError(`What answers at ${this.url} is not an Atomsync server.`, { status: response.status });
    }
    return answer;
  }
}

/** Aborts what nothing is heard of. */
class Watch {
  controller = new AbortController();
  signal = this.controller.signal;

  constructor(patience, all) {
    Object.assign(this, { patience, all });
    all.add(this);
    this.renew();
  }

  renew() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.controller.abort(), this.patience);
  }

  end() {
    clearTimeout(this.timer);
    this.all.delete(this);
  }
}

class Answer {
  constructor(response, watch, url) {
    Object.assign(this, { response, watch, url });
    this.isServers = response.headers.get("atomsync-protocol") !== null;
    this.reader = response.body?.getReader();
    this.decoder = new TextDecoder("utf-8", { fatal: true });
  }

  /** The next piece of the body; `undefined` at its end. */
  async next() {
    try {
      const { done, value } = this.reader ? await this.reader.read() : { done: true };
      if (done) {
        this.watch.end();
        this.decoder.decode(); // throws when a character is cut off
        return undefined;
      }
      this.watch.renew();
      return this.decoder.decode(value, { stream: true });
    } catch (error) {
      const why = this.watch.signal.aborted ? "nothing came" : error.message;
      this.cancel();
      throw new ServerError(`The connection to ${this.url} broke off: ${why}.`);
    }
  }

  async text() {
    let text = "";
    for (let piece; (piece = await this.next()) !== undefined; ) text += piece;
    return text;
  }

  async error() {
    const { status, headers } = this.response;
    const text = await this.text().catch(() => "");
    let body = {};
    try {
      body = this.isServers ? read(text) : {};
    } catch {
      // What cannot be read says nothing; the status does.
    }
    return new ServerError(body.message ?? `${this.url} answers with status ${status}.`, {
      status,
      code: body.error?.rep,
      isServers: this.isServers,
      retryAfter: 1000 * (Number(headers.get("retry-after")) || 0),
    });
  }

  cancel() {
    this.watch.end();
    this.watch.controller.abort();
  }
}

/** Server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html */
class PageStream {
  rest = "";
  lines = [];
  /** Milliseconds that the server asks for before the next stream. */
  retryAfter = 0;

  constructor(answer) {
    this.answer = answer;
  }

  /** The next page. Throws a `ServerError` at the end of the stream. */
  async next() {
    let type = "message";
    const data = [];
    for (;;) {
      const line = await this.line();
      if (line === "") {
        if (type === "page") return read(data.join("\n"));
        if (type === "revoked") throw new ServerError("The permission to read was withdrawn.", { status: 403, code: "forbidden", isServers: true });
        type = "message";
        data.length = 0;
      }
      const colon = line.indexOf(":");
      const [name, value] = colon < 0 ? [line, ""] : [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, "")];
      if (name === "event") type = value;
      if (name === "data") data.push(value);
      if (name === "retry" && /^\d+$/.test(value)) this.retryAfter = Number(value);
    }
  }

  async line() {
    while (this.lines.length === 0) {
      const piece = await this.answer.next();
      if (piece === undefined) throw new ServerError("The live stream has ended.", { retryAfter: this.retryAfter });
      const parts = (this.rest + piece).split("\n");
      this.rest = parts.pop();
      this.lines = parts.reverse();
    }
    return this.lines.pop().replace(/\r$/, "");
  }

  close() {
    this.answer.cancel();
  }
}
