// Transit-JSON, as https://github.com/cognitect/transit-format describes it.
//
// What stands for what:
//   null, booleans, strings         themselves
//   integers                        numbers; beyond 2^53 − 1 BigInts
//   doubles                         numbers; whole ones are `Double`s, so that 1.0 does not become 1
//   maps with keywords for keys     objects without a prototype, frozen
//   other maps                      Maps, frozen
//   arrays, sets                    arrays and Sets, frozen
//   instants, bytes                 Dates, Uint8Arrays
//   everything else                 `Tagged`: keywords (":"), symbols ("$"), UUIDs ("u"), URIs ("r"), characters ("c"),
//                                   decimals ("f"), lists ("list"), and tags that nobody here knows

/** A value with a tag. Keywords are the same object when they have the same name. */
export class Tagged {
  constructor(tag, rep) {
    this.tag = tag;
    this.rep = rep;
    Object.freeze(this);
  }

  toString() {
    if (this.tag === ":") return `:${this.rep}`;
    return typeof this.rep === "string" ? this.rep : `#${this.tag} ${this.rep}`;
  }
}

const keywords = new Map();

/** The keyword with a name: `keyword("done")`. */
export function keyword(name) {
  let found = keywords.get(name);
  if (!found) keywords.set(name, (found = new Tagged(":", name)));
  return found;
}

export const isKeyword = (value) => value instanceof Tagged && value.tag === ":";
export const uuid = (text = crypto.randomUUID()) => new Tagged("u", text.toLowerCase());

/** A double without a fraction. Counts as a number in arithmetic. */
export class Double extends Number {}

export class TransitError extends Error {}

/** A copy of a value that can be stored in a document: it nests no deeper than a server takes. */
export const copy = (value) => read(write(value, 500));

/** Whether a text has half a surrogate pair, for which UTF-8 has no bytes. */
export const hasLoneSurrogate = (text) => /\p{Surrogate}/u.test(text);

/** Deeper than any message of the protocol. */
const MAXIMUM_DEPTH = 1024;
const CACHE_SIZE = 44 * 44;
const isCacheable = (text, isKey) =>
  text.length > 3 && (isKey || (text[0] === "~" && (text[1] === "#" || text[1] === ":" || text[1] === "$")));

// Reading

/** Which tag stands under `~#`; only while reading. */
class Marker {
  constructor(tag) {
    this.tag = tag;
  }
}

/** Reads one value. Throws a `TransitError`, or JSON's SyntaxError. */
export function read(text) {
  return new Reader().decode(JSON.parse(keepNumbers(text)), false, 0);
}

/** JSON's numbers forget whether they were whole doubles, and what integers were beyond 2^53: those become scalars' texts. */
function keepNumbers(text) {
  return text.replace(/"[^"\\]*(?:\\[^][^"\\]*)*(?:"|$)|-?\d[\d.eE+-]*/g, (token) => {
    if (token[0] === '"') return token;
    const number = Number(token);
    if (/^-?\d+$/.test(token)) return Number.isSafeInteger(number) ? token : `"~i${token}"`;
    return Number.isInteger(number) ? `"~d${token}"` : token;
  });
}

class Reader {
  cache = [];
  next = 0;

  decode(node, isKey, depth) {
    if (typeof node === "string") return this.string(node, isKey);
    if (node === null || typeof node !== "object") return node;
    if (depth > MAXIMUM_DEPTH) throw new TransitError("The value is nested too deeply.");
    return Array.isArray(node) ? this.array(node, depth + 1) : this.object(node, depth + 1);
  }

  /** A value that is not a tag by itself. */
  value(node, isKey, depth) {
    const value = this.decode(node, isKey, depth);
    if (value instanceof Marker) throw new TransitError(`A tag stands where there is nothing to tag: ~#${value.tag}.`);
    return value;
  }

  string(text, isKey) {
    if (text[0] === "^" && text !== "^ ") return this.cached(text);
    const value = scalar(text);
    if (isCacheable(text, isKey)) {
      if (this.next === CACHE_SIZE) this.next = 0;
      this.cache[this.next++] = value;
    }
    return value;
  }

  cached(text) {
    const [high, low] = text.length === 2 ? [0, text.charCodeAt(1) - 48] : [text.charCodeAt(1) - 48, text.charCodeAt(2) - 48];
    const index = high * 44 + low;
    const isCode = text.length < 4 && [high, low].every((digit) => digit >= 0 && digit < 44);
    if (!isCode || index >= this.cache.length) throw new TransitError(`Not a code of the cache: ${text}.`);
    return this.cache[index];
  }

  array(nodes, depth) {
    if (nodes.length === 0) return Object.freeze([]);
    if (nodes[0] === "^ ") {
      if (nodes.length % 2 === 0) throw new TransitError("A map has a key without a value.");
      const entries = [];
      for (let i = 1; i < nodes.length; i += 2) {
        entries.push([this.value(nodes[i], true, depth), this.value(nodes[i + 1], false, depth)]);
      }
      return makeMap(entries);
    }
    const first = this.decode(nodes[0], false, depth);
    if (first instanceof Marker) {
      if (nodes.length !== 2) throw new TransitError(`The tag ~#${first.tag} tags one value.`);
      return tagged(first.tag, this.value(nodes[1], false, depth));
    }
    const values = [first];
    for (let i = 1; i < nodes.length; i++) values.push(this.value(nodes[i], false, depth));
    return Object.freeze(values);
  }

  object(node, depth) {
    const names = Object.keys(node);
    const entries = [];
    for (const name of names) {
      const key = this.decode(name, true, depth);
      if (key instanceof Marker) {
        if (names.length > 1) throw new TransitError(`The tag ~#${key.tag} has something beside it.`);
        return tagged(key.tag, this.value(node[name], false, depth));
      }
      entries.push([key, this.value(node[name], false, depth)]);
    }
    return makeMap(entries);
  }
}

function makeMap(entries) {
  if (!entries.every(([key]) => isKeyword(key))) return frozen(new Map(entries));
  const object = Object.create(null);
  for (const [key, value] of entries) object[key.rep] = value;
  return Object.freeze(object);
}

function refuse() {
  throw new TypeError("What an atom holds is not changed in place. Set the document to a changed copy in a swap.");
}

function frozen(collection) {
  collection.set = collection.add = collection.delete = collection.clear = refuse;
  return Object.freeze(collection);
}

function tagged(tag, rep) {
  switch (tag) {
    case "'":
      return rep;
    case "set":
      return frozen(new Set(elements(tag, rep)));
    case "cmap": {
      const flat = elements(tag, rep);
      if (flat.length % 2) throw new TransitError("A map has a key without a value.");
      return makeMap(Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i], flat[2 * i + 1]]));
    }
    case "list":
      return new Tagged(tag, elements(tag, rep));
    case "m":
      return instant(rep);
    case "u":
      return typeof rep === "string" ? scalar(`~u${rep}`) : uuid(uuidText(elements(tag, rep)));
  }
  return tag.length === 1 && typeof rep === "string" ? scalar(`~${tag}${rep}`) : new Tagged(tag, rep);
}

function elements(tag, rep) {
  if (!Array.isArray(rep)) throw new TransitError(`What ~#${tag} tags is not an array.`);
  return rep;
}

function uuidText([high, low]) {
  const hex = [high, low].map((half) => BigInt.asUintN(64, BigInt(half)).toString(16).padStart(16, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** Dates do not reach as far as 64 bits do. */
function instant(milliseconds) {
  if (Array.isArray(milliseconds)) throw new TransitError("An instant is a number.");
  integer(String(milliseconds));
  const date = new Date(Number(milliseconds));
  return Number.isNaN(date.getTime()) ? new Tagged("m", String(milliseconds)) : date;
}

function integer(text) {
  if (!/^[+-]?\d+$/.test(text)) throw new TransitError(`Not an integer: ${text}.`);
  const number = Number(text);
  return Number.isSafeInteger(number) ? number + 0 : BigInt(text);
}

function double(text) {
  const number = Number(text);
  if (text.trim() === "" || Number.isNaN(number)) throw new TransitError(`Not a number: ${text}.`);
  return Number.isInteger(number) ? new Double(number) : number;
}

function scalar(text) {
  if (text[0] !== "~" || text.length === 1) return text;
  const rest = text.slice(2);
  switch (text[1]) {
    case "~":
    case "^":
    case "`":
      return text.slice(1);
    case "#":
      return new Marker(rest);
    case ":":
      return keyword(rest);
    case "_":
      return null;
    case "?":
      if (rest !== "t" && rest !== "f") throw new TransitError(`Not a boolean: ${rest}.`);
      return rest === "t";
    case "i":
    case "n":
      return integer(rest);
    case "d":
      return double(rest);
    case "z":
      if (rest === "NaN") return NaN;
      if (rest === "INF") return Infinity;
      if (rest === "-INF") return -Infinity;
      throw new TransitError(`Not a special number: ${rest}.`);
    case "b":
      try {
        return Uint8Array.from(atob(rest), (character) => character.charCodeAt(0));
      } catch {
        throw new TransitError("Not base64.");
      }
    case "m":
      return instant(rest);
    case "t": {
      const milliseconds = Date.parse(rest);
      if (Number.isNaN(milliseconds)) throw new TransitError(`Not a date: ${rest}.`);
      return new Date(milliseconds);
    }
    case "u":
      if (!/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(rest)) throw new TransitError(`Not a UUID: ${rest}.`);
      return uuid(rest);
  }
  return new Tagged(text[1], rest);
}

// Writing

/** Writes one value. Throws a TypeError for what has no place in Transit, such as a function, or is nested deeper than `depth`.
 * Properties that are `undefined` are left out. */
export function write(value, depth = MAXIMUM_DEPTH) {
  const writer = new Writer(depth);
  const isScalar = writer.scalar(value) !== undefined;
  return isScalar ? `["~#'",${writer.emit(value, false, 0)}]` : writer.emit(value, false, 0);
}

class Writer {
  codes = new Map();

  constructor(maximumDepth = MAXIMUM_DEPTH) {
    this.maximumDepth = maximumDepth;
  }

  /** The texts between a scalar's quotes, before escapes; natural ones with their JSON. `undefined`: not a scalar. */
  scalar(value) {
    switch (typeof value) {
      case "string":
        if (hasLoneSurrogate(value)) throw new TypeError("A text has half a surrogate pair.");
        return { text: "~^`".includes(value[0]) && value !== "" ? `~${value}` : value };
      case "boolean":
        return { text: value ? "~?t" : "~?f", json: String(value) };
      case "number":
        return this.number(value);
      case "bigint": {
        const text = String(value);
        if (BigInt.asIntN(64, value) !== value) return { text: `~n${text}` };
        return Number.isSafeInteger(Number(value)) ? { text: `~i${text}`, json: text } : { text: `~i${text}` };
      }
    }
    if (value === null) return { text: "~_", json: "null" };
    if (value instanceof Double) return this.double(Number(value));
    if (value instanceof Date) {
      if (Number.isNaN(value.getTime())) throw new TypeError("A date is not valid.");
      return { text: `~m${value.getTime()}` };
    }
    if (value instanceof Uint8Array) {
      let binary = "";
      for (const byte of value) binary += String.fromCharCode(byte);
      return { text: `~b${btoa(binary)}` };
    }
    if (value instanceof Tagged && value.tag.length === 1 && typeof value.rep === "string") {
      if (hasLoneSurrogate(value.rep)) throw new TypeError("A text has half a surrogate pair.");
      return { text: `~${value.tag}${value.rep}` };
    }
    return undefined;
  }

  number(value) {
    if (Number.isNaN(value)) return { text: "~zNaN" };
    if (!Number.isFinite(value)) return { text: value > 0 ? "~zINF" : "~z-INF" };
    if (Number.isSafeInteger(value) && !Object.is(value, -0)) return { text: `~i${value}`, json: String(value) };
    return this.double(value);
  }

  double(value) {
    const text = Number.isInteger(value) ? (Object.is(value, -0) ? "-0.0" : wholeDouble(value)) : String(value);
    return { text: `~d${text}`, json: text };
  }

  emit(value, isKey, depth) {
    if (depth > this.maximumDepth) throw new TypeError("A value is nested too deeply, or contains itself.");
    const scalar = this.scalar(value);
    if (scalar) return scalar.json !== undefined && !isKey ? scalar.json : this.cached(scalar.text, isKey);
    if (Array.isArray(value)) return `[${this.list(value, depth)}]`;
    if (value instanceof Set) return this.tagged("set", () => `[${this.list(value, depth + 1)}]`);
    if (value instanceof Map) return this.map([...value], depth);
    if (value instanceof Tagged) return this.tagged(value.tag, () => this.emit(value.rep, false, depth + 1));
    const prototype = typeof value === "object" && Object.getPrototypeOf(value);
    if (prototype !== null && prototype !== Object.prototype) {
      throw new TypeError(`Transit has no place for ${typeof value === "object" ? value.constructor?.name : typeof value}.`);
    }
    const names = Object.keys(value).filter((name) => value[name] !== undefined);
    return this.map(names.map((name) => [keyword(name), value[name]]), depth);
  }

  list(values, depth) {
    return Array.from(values, (value) => this.emit(value, false, depth + 1)).join(",");
  }

  tagged(tag, rep) {
    // The tag comes first, because the order of the cache is that of the message.
    return `[${this.cached(`~#${tag}`, false)},${rep()}]`;
  }

  map(entries, depth) {
    if (entries.every(([key]) => this.scalar(key))) {
      const parts = entries.map(([key, value]) => `,${this.emit(key, true, depth + 1)},${this.emit(value, false, depth + 1)}`);
      return `["^ "${parts.join("")}]`;
    }
    return this.tagged("cmap", () => `[${this.list(entries.flat(), depth + 1)}]`);
  }

  cached(text, isKey) {
    if (!isCacheable(text, isKey)) return JSON.stringify(text);
    const code = this.codes.get(text);
    if (code !== undefined) return `"^${code}"`;
    if (this.codes.size === CACHE_SIZE) this.codes.clear();
    const index = this.codes.size;
    const digit = (number) => String.fromCharCode(48 + number);
    this.codes.set(text, index < 44 ? digit(index) : digit(Math.floor(index / 44)) + digit(index % 44));
    return JSON.stringify(text);
  }
}

function wholeDouble(value) {
  const text = String(value);
  return text.includes("e") ? text : `${text}.0`;
}

/** A text that is the same for equal values, whatever the order of their maps and sets. */
export function canonical(value) {
  const sorted = (parts) => parts.sort().join(",");
  const scalar = new Writer().scalar(value);
  if (scalar) return JSON.stringify(scalar.text);
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value instanceof Set) return `#{${sorted([...value].map(canonical))}}`;
  if (value instanceof Tagged) return `#${value.tag} ${canonical(value.rep)}`;
  const entries = value instanceof Map ? [...value] : Object.keys(value).map((name) => [keyword(name), value[name]]);
  return `{${sorted(entries.map(([key, item]) => `${canonical(key)} ${canonical(item)}`))}}`;
}
