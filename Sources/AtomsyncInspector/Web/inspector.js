// The inspector's page. Everything that comes from documents is set as text, never as markup.

import { MemoryStorage, open, read } from "./replica/atomsync.js";
import { parse, print, tokens } from "./edn.js";
import { figures, Plot, PLOTS } from "./plots.js";

const $ = (id) => document.getElementById(id);
const server = new URL("..", location.href).href;
const ROW_HEIGHT = 30;
/** As much of a value as a line shows. */
const LINE = 240;
const MAXIMUM_CHANGES = 300;

let token;
let group;
let atom;
/** Whether everything was read, so that what comes is news. */
let isFollowed = false;
let shown = [];
let selected;
/** What the editor shows: the document's id and the value that it was opened with. */
let edited;

function make(name, properties = {}, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

/** A text in which nothing turns the direction of writing, so that it is what it looks like. */
function plain(text) {
  return text.replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** A value in EDN's colours, as much as fits. */
function coloured(value) {
  const code = make("code");
  let length = 0;
  tokens(value, (kind, text) => {
    code.append(make("span", { className: kind, textContent: plain(text.slice(0, LINE)) }));
    length += text.length;
    return length <= LINE;
  });
  if (length > LINE) code.append("…");
  return code;
}

const number = new Intl.NumberFormat("en");
const day = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "medium" });
const clock = new Intl.DateTimeFormat("en", { timeStyle: "medium" });
const bytes = (count) => (count < 1024 ? `${count} B` : count < 1 << 20 ? `${(count / 1024).toFixed(1)} kB` : `${(count / (1 << 20)).toFixed(1)} MB`);

function time(milliseconds) {
  if (!milliseconds) return make("time");
  const date = new Date(milliseconds);
  const isToday = date.toDateString() === new Date().toDateString();
  return make("time", { dateTime: date.toISOString(), title: day.format(date), textContent: (isToday ? clock : day).format(date) });
}

// Asking the server

async function ask(path, parameters = {}) {
  const headers = token ? { authorization: `Bearer ${token}` } : {};
  const response = await fetch(`${server}inspector/${path}?${new URLSearchParams(parameters)}`, { headers, cache: "no-store" });
  if (response.status === 401 && $("login").hidden) {
    $("login").hidden = false;
    $("token").focus();
  }
  const text = await response.text();
  const answer = response.headers.has("atomsync-protocol") ? { ...read(text) } : {};
  if (response.status === 401 && !token) answer.message = "This server wants a token.";
  if (!response.ok) throw Object.assign(new Error(answer.message ?? `The server answers with status ${response.status}.`), { status: response.status });
  $("login").hidden = true;
  return answer;
}

// Groups

let listed;

async function listGroups() {
  const groups = [];
  for (let more = true; more && groups.length < 2000; ) {
    const page = await ask("groups", groups.length ? { after: groups.at(-1).group } : {});
    groups.push(...page.groups);
    more = page.more && page.groups.length > 0;
  }
  const text = JSON.stringify([group, groups]);
  if (text === listed) return groups;
  listed = text;
  const focused = document.activeElement.title;
  $("groups").replaceChildren(
    ...groups.map(({ group: name, documents, bytes: size, complete }) => {
      const count = `${number.format(documents)}${complete ? "" : "+"}`;
      const button = make("button", { title: name, onclick: () => openGroup(name) },
        make("span", { textContent: plain(name) }), make("span", { className: "faint", textContent: `${count} · ${bytes(size)}` }));
      button.setAttribute("aria-current", name === group);
      return make("li", {}, button);
    }),
  );
  if (focused) [...$("groups").querySelectorAll("button")].find((button) => button.title === focused)?.focus();
  return groups;
}

async function openGroup(name) {
  if (name === group || !mayLeave()) return;
  if (atom?.status.pending && token && !confirm("Some changes are not sent yet, and would be lost. Leave?")) return;
  const before = atom;
  atom = undefined;
  group = name;
  closeEditor();
  // Nothing of the group before is there to be chosen any more.
  isFollowed = false;
  shown = [];
  selected = oldest = undefined;
  $("rows").replaceChildren();
  rows.clear();
  if (hashName() !== name) location.hash = encodeURIComponent(name);
  await before?.close().catch(fail);
  // With a token the documents are somebody's: nothing of them stays in the browser.
  const opened = await open({ server, group: name, token: () => token, storage: token ? new MemoryStorage() : undefined });
  if (name !== group) return opened.close();
  atom = opened;
  atom.watch(changed);
  atom.watchStatus(showStatus);
  showStatus(atom.status);
  $("changes").replaceChildren();
  refresh();
  showConflicts();
  await listGroups();
  // What is read first is not news.
  await opened.sync().catch(() => {});
  if (atom !== opened) return;
  isFollowed = true;
  await showOlder();
}

function showStatus({ state, error, pending }) {
  const words = { live: "live", polling: "looking every 5 seconds", syncing: "syncing", waiting: "waiting to try again", offline: "offline", stopped: "stopped" };
  const parts = [`This page: ${words[state]}`];
  if (pending) parts.push(`${number.format(pending)} to send`);
  if (error) parts.push(error.message);
  $("status").textContent = parts.join(" · ");
  $("status").className = error ? "failed" : state;
  showConflicts();
  // What was sent is shown with its version.
  refresh();
}

// Documents

let isRefreshing = false;

function refresh() {
  if (isRefreshing) return;
  isRefreshing = true;
  requestAnimationFrame(() => {
    isRefreshing = false;
    if (!atom) return;
    const words = $("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const entries = [...atom.value].filter(([id, value]) => words.length === 0 || matches(id, value, words));
    shown = entries.map(([id]) => id).sort();
    const all = atom.value.size;
    $("count").textContent = words.length ? `${number.format(shown.length)} of ${number.format(all)}` : `${number.format(all)} ${all === 1 ? "document" : "documents"}`;
    $("rows").style.height = `${shown.length * ROW_HEIGHT}px`;
    draw();
  });
}

/** Values never change, so that each is printed once. */
const printed = new WeakMap();

function matches(id, value, words) {
  const isObject = value !== null && typeof value === "object";
  let text = isObject ? printed.get(value) : undefined;
  if (text === undefined) {
    text = print(value).toLowerCase();
    if (isObject) printed.set(value, text);
  }
  return words.every((word) => text.includes(word) || id.toLowerCase().includes(word));
}

/** The rows that are there, by their place: those that can be seen, and a few more. */
const rows = new Map();

function draw() {
  const box = $("documents");
  const first = Math.max(0, Math.floor(box.scrollTop / ROW_HEIGHT) - 10);
  const last = Math.min(shown.length, Math.ceil((box.scrollTop + box.clientHeight) / ROW_HEIGHT) + 10);
  for (const [index, element] of rows) {
    if (index >= first && index < last && isFresh(element, shown[index])) continue;
    element.remove();
    rows.delete(index);
  }
  const added = [];
  for (let index = first; index < last; index++) {
    if (!rows.has(index)) {
      rows.set(index, row(shown[index], index));
      added.push(rows.get(index));
    }
    const isSelected = String(shown[index] === selected);
    if (rows.get(index).ariaSelected !== isSelected) rows.get(index).ariaSelected = isSelected;
  }
  $("rows").append(...added);
}

const state = (id) => {
  const { version, isPending } = atom.describe(id);
  return `${version} ${isPending} ${shown.length}`;
};
const isFresh = (element, id) => element.of === id && element.value === atom.get(id) && element.state === state(id);

function row(id, index) {
  const { version, updated, isPending } = atom.describe(id);
  const value = atom.get(id);
  const element = make("div", { className: isPending ? "row pending" : "row", title: isPending ? "Not sent yet" : "" },
    make("span", { textContent: plain(id) }), coloured(value),
    make("span", { className: "faint", textContent: version ? `v${version}` : "new" }), time(updated));
  // What it shows.
  Object.assign(element, { of: id, value, state: state(id) });
  Object.assign(element, { id: `row-${index}`, role: "option", ariaPosInSet: index + 1, ariaSetSize: shown.length });
  element.onclick = () => select(shown.indexOf(id), true);
  element.style.transform = `translateY(${index * ROW_HEIGHT}px)`;
  return element;
}

function select(index, isOpened) {
  if (shown.length === 0) return;
  const at = Math.min(Math.max(index, 0), shown.length - 1);
  selected = shown[at];
  const box = $("documents");
  const top = at * ROW_HEIGHT;
  if (top < box.scrollTop) box.scrollTop = top;
  if (top + ROW_HEIGHT > box.scrollTop + box.clientHeight) box.scrollTop = top + ROW_HEIGHT - box.clientHeight;
  draw();
  box.setAttribute("aria-activedescendant", `row-${at}`);
  if (isOpened) edit(selected);
}

// Editing

/** Whether what was typed may be given up. */
function mayLeave() {
  const isChanged = edited && ($("value").value !== edited.text || (edited.id === undefined && $("id").value !== ""));
  return !isChanged || confirm("What was typed is not saved. Give it up?");
}

/** Shows a document in the editor; with `shown`, another value than it has. */
function edit(id, shown) {
  if (!mayLeave()) return;
  const value = id === undefined ? undefined : atom.get(id);
  const text = print(shown ?? value ?? {});
  edited = { id, value, text };
  $("editor").hidden = false;
  $("id").value = id ?? "";
  $("id").readOnly = id !== undefined;
  $("value").value = text;
  $("delete").hidden = value === undefined;
  $("problem").textContent = "";
  showVersion();
  (id === undefined ? $("id") : $("value")).focus();
}

function showVersion() {
  const { version, updated } = edited?.id === undefined ? {} : atom.describe(edited.id);
  $("version").textContent = version ? `version ${version}, ${day.format(updated)}` : "";
}

function closeEditor() {
  edited = undefined;
  $("editor").hidden = true;
}

/** Edits by swapping, unless the document is another by now than the one that was opened. */
async function save(isDeleted) {
  const id = $("id").value.normalize("NFC");
  const now = atom.get(id);
  if (!Object.is(now, edited.value)) {
    edited.value = now;
    const what = now === undefined ? "was deleted" : `is now ${plain(print(now).slice(0, 2000))}`;
    $("problem").textContent = `The document ${what}. Do it again to replace it.`;
    return;
  }
  try {
    const value = isDeleted ? undefined : parse($("value").value);
    const { confirmed } = atom.swap((docs) => (isDeleted ? docs.delete(id) : docs.set(id, value)));
    confirmed.then(showConflicts, () => {});
    selected = id;
    closeEditor();
    $("documents").focus();
  } catch (error) {
    $("problem").textContent = error.message;
  }
}

// What became of edits

const dismissed = new Set();

function showConflicts() {
  if (!atom) return;
  const conflicts = atom.conflicts.filter(({ id, at }) => !dismissed.has(`${id} ${at.getTime()}`)).slice(-5);
  const rejections = [...atom.rejections];
  $("conflicts").hidden = conflicts.length + rejections.length === 0;
  $("conflicts").replaceChildren(
    ...conflicts.map((conflict) => {
      const dismiss = () => {
        dismissed.add(`${conflict.id} ${conflict.at.getTime()}`);
        showConflicts();
      };
      const again = () => {
        const { id, local } = conflict;
        atom.swap((docs) => (local === undefined ? docs.delete(id) : docs.set(id, local)));
        dismiss();
      };
      return outcome(`${conflict.id} was changed elsewhere; the server's value stands.`,
        { "It was": conflict.base, "Yours": conflict.local, "The server's": conflict.remote },
        make("button", { textContent: "Use mine", onclick: again }), make("button", { textContent: "Keep the server's", onclick: dismiss }));
    }),
    ...rejections.map(([id, { value, reason, message }]) =>
      outcome(`The server does not take ${id}: ${message ?? reason}`, { Yours: value },
        make("button", { textContent: "Edit", onclick: () => edit(id, value) }), make("button", { textContent: "Discard", onclick: () => { atom.discardRejection(id); showConflicts(); } }))),
  );
}

function outcome(title, values, ...buttons) {
  const list = make("dl");
  for (const [name, value] of Object.entries(values)) {
    list.append(make("dt", { className: "faint", textContent: name }), make("dd", {}, value === undefined ? "not there" : coloured(value)));
  }
  return make("article", {}, make("strong", { textContent: plain(title) }), list, make("div", { className: "buttons" }, ...buttons));
}

// Changes

function changed(changes) {
  let count = 0;
  for (const [id, { value }] of changes) {
    if (!isFollowed || (count += 1) > MAXIMUM_CHANGES) break;
    const { version, updated } = atom.describe(id);
    $("changes").prepend(changeRow({ id, value, version, updated: updated ?? Date.now() }));
  }
  while ($("changes").children.length > 2 * MAXIMUM_CHANGES) {
    $("changes").lastChild.remove();
    // What would follow does not join what is there any more.
    $("older").hidden = true;
  }
  if (edited?.id !== undefined && changes.has(edited.id)) showVersion();
  refresh();
}

function changeRow({ id, value, version, updated }) {
  const name = make("span", { textContent: plain(version ? `${id} v${version}` : id), className: value === undefined ? "deleted" : "" });
  const item = make("li", {}, name, time(updated));
  if (value !== undefined) item.append(coloured(value));
  return item;
}

let oldest;

async function showOlder() {
  const of = group;
  const page = await ask("changes", oldest ? { group, before: oldest } : { group });
  if (of !== group) return;
  for (const { sequence, document: { id, value, version, updated } } of page.changes) {
    oldest = sequence;
    $("changes").append(changeRow({ id, value, version, updated }));
  }
  $("older").hidden = !page.more;
}

// Figures

let isFollowing = false;

async function follow() {
  if (isFollowing) return;
  isFollowing = true;
  const plots = PLOTS.map((plot) => new Plot(plot, document));
  let before;
  for (;;) {
    try {
      const now = { ...figures((await ask("metrics")).metrics), at: performance.now() };
      if (!before) $("plots").replaceChildren(...plots.map((plot) => plot.element));
      for (const plot of before ? plots : []) plot.add(now, before, (now.at - before.at) / 1000);
      before = now;
    } catch (error) {
      if (error.status === 403 || error.status === 401) {
        isFollowing = false;
        return $("plots").replaceChildren();
      }
      before = undefined;
    }
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

// Keys and buttons

const act = (body) => (event) => {
  event.preventDefault();
  Promise.resolve(body(event)).catch(fail);
};
const fail = (error) => {
  $("status").textContent = error.message;
  $("status").className = "failed";
};

$("documents").addEventListener("scroll", draw, { passive: true });
$("documents").addEventListener("keydown", (event) => {
  const at = shown.indexOf(selected);
  const page = Math.floor($("documents").clientHeight / ROW_HEIGHT);
  const steps = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page, PageUp: at - page, Home: 0, End: shown.length - 1 };
  if (event.key in steps) select(steps[event.key], false);
  else if (event.key === "Enter" && selected !== undefined) edit(selected);
  else return;
  event.preventDefault();
});
document.addEventListener("keydown", (event) => {
  const isTyping = /^(INPUT|TEXTAREA)$/.test(event.target.tagName);
  if (event.key === "Escape" && !$("editor").hidden) {
    if (!mayLeave()) return;
    closeEditor();
    $("documents").focus();
  } else if (event.key === "/" && !isTyping) {
    event.preventDefault();
    $("search").focus();
  } else if (event.key === "n" && !isTyping && !event.metaKey && !event.ctrlKey && atom) {
    event.preventDefault();
    edit(undefined);
  }
});
addEventListener("resize", () => atom && draw());
addEventListener("beforeunload", (event) => { if (token && atom?.status.pending) event.preventDefault(); });
$("search").addEventListener("input", () => atom && refresh());
$("new").addEventListener("click", () => atom && edit(undefined));
$("cancel").addEventListener("click", () => mayLeave() && closeEditor());
addEventListener("hashchange", () => openGroup(hashName() || group).catch(fail));
$("editor").addEventListener("submit", act(() => save(false)));
$("delete").addEventListener("click", act(() => save(true)));
$("older").addEventListener("click", act(showOlder));
$("other").addEventListener("submit", act(() => openGroup($("group").value)));
$("login").addEventListener("submit", act(async () => {
  token = $("token").value;
  $("token").value = "";
  // Another user may see another group under the same name.
  const name = group;
  group = undefined;
  await start(name);
}));

function hashName() {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return "";
  }
}

async function start(name = hashName()) {
  const groups = await listGroups();
  follow();
  await openGroup(name || groups[0]?.group || "todo");
}

(async () => {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 5000));
    if (atom) await listGroups().catch(() => {});
  }
})();
start().catch(fail);
