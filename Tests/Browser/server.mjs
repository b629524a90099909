// An Atomsync server in memory, as far as a test needs one, behind `fetch`: it follows Docs/Protocol.md, and does what it is told
// with the next requests.
import { read, write, keyword } from "../../Sources/AtomsyncInspector/Web/replica/transit.js";

export class FakeServer {
  documents = new Map();
  counter = 0;
  pushes = new Map();
  /** What was asked, in order: `GET` with the query, or `POST` with the message. */
  asked = [];
  /** What happens to the next requests instead of an answer. */
  faults = [];
  streams = new Set();
  epoch = 1;

  fetch = async (address, { method, body, headers, signal }) => {
    const url = new URL(address);
    const isLive = headers.accept === "text/event-stream";
    const message = method === "POST" ? read(body) : undefined;
    this.asked.push(message ?? { live: isLive, ...Object.fromEntries(url.searchParams) });
    const fault = isLive ? undefined : this.faults.shift();
    const answer = await fault?.(message, url.searchParams);
    if (answer) return answer;
    if (isLive) return this.live(url.searchParams, signal);
    return reply(message ? this.push(message) : this.page(url.searchParams));
  };

  set(id, value) {
    const version = (this.documents.get(id)?.version ?? 0) + 1;
    const updated = (this.counter += 1);
    this.documents.set(id, value === undefined ? { id, version, updated, deleted: true } : { id, version, updated, value });
    for (const stream of this.streams) stream.send();
    return { id, version, updated };
  }

  cursor() {
    return `${this.epoch}.${this.counter}`;
  }

  page(parameters) {
    const [epoch, place] = (parameters.get("cursor") ?? `${this.epoch}.0`).split(".").map(Number);
    const isReset = epoch !== this.epoch || place > this.counter;
    const docs = [...this.documents.values()].filter(({ updated, deleted }) => (isReset ? !deleted : updated > place && (place > 0 || !deleted)));
    docs.sort((a, b) => a.updated - b.updated);
    return { group: "g", docs, cursor: this.cursor(), more: false, user: this.user, now: 1, ...(isReset ? { reset: true } : {}) };
  }

  push({ client, push, docs }) {
    const key = `${client} ${push}`;
    if (this.pushes.has(key)) return this.pushes.get(key);
    const [accepted, rejected] = [[], []];
    for (const { id, version, value, deleted } of docs) {
      const known = this.documents.get(id);
      if (version === (known?.version ?? 0) || (known?.deleted && version === 0)) accepted.push(this.set(id, deleted ? undefined : value));
      else rejected.push({ reason: keyword("stale"), ...(known ?? { id, version: 0 }) });
    }
    const answer = { group: "g", accepted, rejected, seen: this.cursor(), now: 1 };
    this.pushes.set(key, answer);
    return answer;
  }

  live(parameters, signal) {
    let cursor = parameters.get("cursor");
    const encoder = new TextEncoder();
    const body = new ReadableStream({
      start: (controller) => {
        const stream = {
          send: () => {
            if (cursor === this.cursor() || this.isHeld) return;
            const page = this.page(new URLSearchParams({ cursor }));
            cursor = page.cursor;
            controller.enqueue(encoder.encode(`id: ${cursor}\nevent: page\ndata: ${write(page)}\n\n`));
          },
          end: () => {
            this.streams.delete(stream);
            controller.close();
          },
        };
        this.streams.add(stream);
        signal.addEventListener("abort", () => this.streams.delete(stream) && controller.error(new Error("aborted")));
        stream.send();
      },
    });
    return new Response(body, { headers: { "atomsync-protocol": "1" } });
  }
}

export function reply(message, status = 200) {
  return new Response(write(message), { status, headers: { "atomsync-protocol": "1" } });
}

export const refuse = (status, code, message = code) => () => reply({ error: keyword(code), message }, status);
export const lose = () => {
  throw new TypeError("the connection broke off");
};
