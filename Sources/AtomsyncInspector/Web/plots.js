// Small plots of what the server does, from the figures that Prometheus would read.

const KEPT = 120;

/** Reads `name{labels} value` lines: sums of the values by name, with some labels. */
export function figures(text) {
  const found = new Map();
  for (const line of text.split("\n")) {
    const [, name, labels = "", value] = /^([a-z_]+)(?:\{(.*)\})? ([^ ]+)$/.exec(line) ?? [];
    if (name) found.set(`${name} ${labels}`, Number(value));
  }
  const sum = (name, label = "") => {
    let total = 0;
    for (const [key, value] of found) if (key.startsWith(`${name} `) && key.includes(label)) total += value;
    return total;
  };
  return { sum };
}

/** What is drawn: a number for each moment, from the figures then and before. */
export const PLOTS = [
  { title: "Pushes a second", of: (now, before, seconds) => rate(now, before, seconds, 'method="POST"') },
  { title: "Pulls a second", of: (now, before, seconds) => rate(now, before, seconds, 'method="GET"') },
  {
    title: "Commit time, ms",
    of(now, before) {
      const count = now.sum("atomsync_storage_commit_seconds_count") - before.sum("atomsync_storage_commit_seconds_count");
      const time = now.sum("atomsync_storage_commit_seconds_sum") - before.sum("atomsync_storage_commit_seconds_sum");
      return count > 0 ? (1000 * time) / count : 0;
    },
  },
  { title: "Live streams", of: (now) => now.sum("atomsync_live_streams") },
];

function rate(now, before, seconds, label) {
  return (now.sum("atomsync_http_requests_total", label) - before.sum("atomsync_http_requests_total", label)) / seconds;
}

const SVG = "http://www.w3.org/2000/svg";

/** One plot: its title, the newest number, and a line of the last two minutes. */
export class Plot {
  numbers = [];

  constructor({ title, of }, document) {
    this.of = of;
    this.element = document.createElement("figure");
    const caption = document.createElement("figcaption");
    this.number = document.createElement("output");
    caption.append(`${title} `, this.number);
    this.line = document.createElementNS(SVG, "polyline");
    const drawing = document.createElementNS(SVG, "svg");
    drawing.setAttribute("viewBox", `0 0 ${KEPT - 1} 40`);
    drawing.setAttribute("preserveAspectRatio", "none");
    drawing.setAttribute("role", "img");
    drawing.setAttribute("aria-label", title);
    drawing.append(this.line);
    this.element.append(caption, drawing);
  }

  add(now, before, seconds) {
    const number = this.of(now, before, seconds);
    this.numbers = [...this.numbers, number].slice(-KEPT);
    const highest = Math.max(1, ...this.numbers);
    const points = this.numbers.map((each, index) => `${KEPT - this.numbers.length + index},${(38 - (36 * each) / highest).toFixed(1)}`);
    this.line.setAttribute("points", points.join(" "));
    this.number.textContent = number >= 100 ? number.toFixed() : String(Number(number.toFixed(1)));
  }
}
