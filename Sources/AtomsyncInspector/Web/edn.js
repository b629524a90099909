// Values as EDN (https://github.com/edn-format/edn), for people to read and to write.

import { Double, keyword, read, Tagged, uuid, write } from "./replica/transit.js";

const NAME = /^[^\s()[\]{}";,\\`~@\u0000-\u0020\u007f]+$/;
const isSymbol = (text) => NAME.test(text) && !/^([:#^\d]|[+-]\d)/.test(text) && !["nil", "true", "false"].includes(text);
const isTag = (text) => /^[\p{Alphabetic}]/u.test(text) && NAME.test(text) && !["inst", "uuid", "transit"].includes(text);
const SPECIAL_CHARACTERS = { newline: "\n", return: "\r", space: " ", tab: "\t" };
const quote = (text) => `"${text.replace(/["\\]/g, "\\$&").replace(/\n/g, "\\n").replace(/\t/g, "\\t").replace(/\r/g, "\\r")}"`;

/** Hands a value's tokens to `emit(kind, text)`, until it says false. Kinds are keyword, string, number, word, tag, mark and space. */
export function tokens(value, emit) {
  try {
    walk(value, (kind, text) => {
      if (emit(kind, text) === false) throw ENOUGH;
    });
  } catch (error) {
    if (error !== ENOUGH) throw error;
  }
}

const ENOUGH = Symbol("enough");

export function print(value) {
  const parts = [];
  tokens(value, (_, text) => void parts.push(text));
  return parts.join("");
}

function walk(value, emit) {
  if (value === null || value === undefined) emit("word", "nil");
  else if (typeof value === "boolean") emit("word", String(value));
  else if (typeof value === "string") emit("string", quote(value));
  else if (typeof value === "number") emit("number", number(value));
  else if (typeof value === "bigint") emit("number", BigInt.asIntN(64, value) === value ? `${value}` : `${value}N`);
  else if (value instanceof Double) emit("number", double(Number(value)));
  else if (value instanceof Date) tagged("inst", value.toISOString(), emit);
  else if (value instanceof Uint8Array) tagged("b", read(write(value).replace("~b", "")), emit);
  else if (Array.isArray(value)) list("[", value, "]", emit);
  else if (value instanceof Set) list("#{", value, "}", emit);
  else if (value instanceof Map) map([...value], emit);
  else if (value instanceof Tagged) special(value, emit);
  else map(Object.keys(value).map((name) => [keyword(name), value[name]]), emit);
}

function number(value) {
  if (Number.isNaN(value)) return "##NaN";
  if (!Number.isFinite(value)) return value < 0 ? "##-Inf" : "##Inf";
  return Number.isSafeInteger(value) && !Object.is(value, -0) ? String(value) : double(value);
}

function double(value) {
  const text = Object.is(value, -0) ? "-0" : String(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

function list(open, values, close, emit) {
  emit("mark", open);
  let isFirst = true;
  for (const value of values) {
    if (!isFirst) emit("space", " ");
    isFirst = false;
    walk(value, emit);
  }
  emit("mark", close);
}

function map(entries, emit) {
  emit("mark", "{");
  for (const [index, [key, value]] of entries.entries()) {
    if (index > 0) emit("space", ", ");
    walk(key, emit);
    emit("space", " ");
    walk(value, emit);
  }
  emit("mark", "}");
}

function tagged(tag, rep, emit) {
  emit("tag", `#${tag} `);
  walk(rep, emit);
}

function special({ tag, rep }, emit) {
  if (tag === ":" && NAME.test(rep)) emit("keyword", `:${rep}`);
  else if (tag === "$" && isSymbol(rep)) emit("word", rep);
  else if (tag === "u") tagged("uuid", rep, emit);
  else if (tag === "f" && /^[+-]?\d/.test(rep)) emit("number", `${rep}M`);
  else if (tag === "c") emit("string", character(rep));
  else if (tag === "list") list("(", rep, ")", emit);
  else if (isTag(tag)) tagged(tag, rep, emit);
  else {
    emit("tag", "#transit ");
    list("[", [tag, rep], "]", emit);
  }
}

function character(text) {
  const name = Object.keys(SPECIAL_CHARACTERS).find((each) => SPECIAL_CHARACTERS[each] === text);
  if (name) return `\\${name}`;
  return text <= " " || text === "\u007f" ? `\\u${text.charCodeAt(0).toString(16).padStart(4, "0")}` : `\\${text}`;
}

/** Reads one value. Throws an Error that says where it is wrong. */
export function parse(text) {
  const parser = new Parser(text);
  const value = parser.value(0);
  parser.skip();
  if (parser.at < text.length) parser.fail("More follows the value.");
  // What is written comes back as an atom gives it.
  return read(write(value));
}

class Parser {
  at = 0;

  constructor(text) {
    this.text = text;
  }

  fail(message) {
    const before = this.text.slice(0, this.at).split("\n");
    throw new Error(`Line ${before.length}, column ${before.at(-1).length + 1}: ${message}`);
  }

  match(pattern) {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found) this.at += found[0].length;
    return found;
  }

  skip() {
    while (this.match(/[\s,]+|;[^\n]*/y) || this.match(/#_/y)) {
      if (this.text.startsWith("#_", this.at - 2)) this.value(0);
    }
  }

  value(depth) {
    if (depth > 512) this.fail("This is nested too deeply.");
    this.skip();
    const open = this.match(/#\{|[[({]/y)?.[0];
    if (open) return this.collection(open, depth + 1);
    const string = this.match(/"((?:[^"\\]|\\[^])*)"/y);
    if (string) return this.string(string[1]);
    const character = this.match(/\\(newline|return|space|tab|u[\da-fA-F]{4}(?![\w])|[^])/uy)?.[1];
    if (character) return new Tagged("c", this.character(character));
    const special = this.match(/##(-?Inf|NaN)/y)?.[1];
    if (special) return special === "NaN" ? NaN : special === "Inf" ? Infinity : -Infinity;
    const tag = this.match(/#([^\s()[\]{}";,\\]+)/y)?.[1];
    if (tag) return this.tagged(tag, this.value(depth + 1));
    const name = this.match(/[^\s()[\]{}";,\\]+/y)?.[0];
    if (name === undefined) this.fail(this.at < this.text.length ? "Not a value." : "A value is missing.");
    return this.name(name);
  }

  collection(open, depth) {
    const close = { "[": "]", "(": ")", "{": "}", "#{": "}" }[open];
    const values = [];
    for (;;) {
      this.skip();
      if (this.at >= this.text.length) this.fail(`${close} is missing.`);
      if (this.text[this.at] === close) break;
      values.push(this.value(depth));
    }
    this.at += 1;
    if (open === "[") return values;
    if (open === "(") return new Tagged("list", values);
    if (open === "#{") return new Set(values);
    if (values.length % 2) this.fail("A key has no value.");
    return new Map(Array.from({ length: values.length / 2 }, (_, i) => [values[2 * i], values[2 * i + 1]]));
  }

  string(text) {
    const escapes = { n: "\n", t: "\t", r: "\r", b: "\b", f: "\f", '"': '"', "\\": "\\" };
    return text.replace(/\\(u[\da-fA-F]{4}|[^])/g, (_, escape) => {
      if (escape.length === 5) return String.fromCharCode(parseInt(escape.slice(1), 16));
      return escapes[escape] ?? this.fail(`\\${escape} is not an escape.`);
    });
  }

  character(name) {
    if (name.length === 5 && name[0] === "u") return String.fromCharCode(parseInt(name.slice(1), 16));
    return SPECIAL_CHARACTERS[name] ?? name;
  }

  tagged(tag, rep) {
    if (tag === "inst") {
      const date = new Date(rep);
      return Number.isNaN(date.getTime()) ? this.fail("Not a date.") : date;
    }
    if (tag === "uuid" || tag === "b") {
      try {
        return read(`["~#'",${JSON.stringify(`~${tag[0]}${rep}`)}]`);
      } catch (error) {
        this.fail(error.message);
      }
    }
    if (tag === "transit") return Array.isArray(rep) && rep.length === 2 ? new Tagged(...rep) : this.fail("#transit takes a tag and a value.");
    return new Tagged(tag, rep);
  }

  name(text) {
    if (text === "nil") return null;
    if (text === "true" || text === "false") return text === "true";
    if (text[0] === ":") return text.length > 1 ? keyword(text.slice(1)) : this.fail("A keyword has a name.");
    if (/^[+-]?\d+N?$/.test(text)) {
      const digits = text.replace(/^\+|N$/g, "");
      return Number.isSafeInteger(Number(digits)) ? Number(digits) : BigInt(digits);
    }
    if (/^[+-]?\d+(\.\d*)?([eE][+-]?\d+)?M$/.test(text)) return new Tagged("f", text.slice(0, -1));
    if (/^[+-]?\d+(\.\d*)?([eE][+-]?\d+)?$/.test(text)) return new Double(text);
    if (/^[+-]?\d/.test(text)) this.fail(`Not a number: ${text}.`);
    return new Tagged("$", text);
  }
}
