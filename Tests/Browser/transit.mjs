// Tests of transit.js: the exemplars and the corpus of transit-format, and what else may come. Run by run.sh.
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import * as transit from "../../Sources/AtomsyncInspector/Web/replica/transit.js";

const { canonical, keyword, read, write, Tagged, Double } = transit;
const data = (variable, name) => process.env[variable] ?? fileURLToPath(new URL(`../../../shared/${name}`, import.meta.url));
const exemplars = join(data("TRANSIT_EXEMPLARS", "transit-exemplars"), "examples/0.8/simple");
const corpus = data("TRANSIT_CORPUS", "transit-corpus");

test("exemplars", { skip: !existsSync(exemplars) }, () => {
  const names = readdirSync(exemplars).filter((name) => name.endsWith(".verbose.json"));
  assert.equal(names.length, 67);
  // Their sets are in the order of another platform's hashes; JavaScript has its own texts for doubles; and where the cache is
  // full, JVMs go on differently than transit-js, which made these.
  let same = 0;
  for (const name of names) {
    const verbose = read(readFileSync(join(exemplars, name), "utf8"));
    const text = readFileSync(join(exemplars, name.replace(".verbose", "")), "utf8").trim();
    const value = read(text);
    assert.equal(canonical(value), canonical(verbose), name);
    const written = write(value);
    assert.equal(canonical(read(written)), canonical(value), name);
    if (written === text) same += 1;
  }
  console.log(`# ${same} of ${names.length} are written byte by byte as they came`);
  assert.ok(same >= 55, `${same}`);
});

test("the corpus", { skip: !existsSync(corpus) }, () => {
  const text = readFileSync(join(corpus, "corpus.json"), "utf8");
  const began = performance.now();
  const value = read(text);
  const decoded = performance.now();
  const written = write(value);
  console.log(`# decoded in ${(decoded - began).toFixed()} ms, encoded in ${(performance.now() - decoded).toFixed()} ms`);
  assert.equal(canonical(read(written)), canonical(value));
  assert.equal(canonical(read(readFileSync(join(corpus, "corpus.verbose.json"), "utf8"))), canonical(value));
  assert.equal(value.size, 10_000);
  assert.ok(value.get("todo:0").tags instanceof Set);
});

test("types come back as what they were", () => {
  const texts = [
    '["^ ","~:a",1,"~:b",1.0,"~:c",1.5,"~:d","~i9007199254740993","~:e","~n9223372036854775808"]',
    '["~#\'","~u0b2ff1a2-9d24-4f0a-8b30-6d3c5a1e7f00"]', '["~#\'","~m-1"]', '["~#\'","~bAAH/"]', '["~$a/b","~cx","~f1.50"]',
    '["~~x","~^x","~`x","#x","^ "]'.replace('"^ "', '"~^ "'), '["~#list",[1,2]]', '["~#point",["~#set",[1]]]', "[-0.0,1e+300]",
    '["~#cmap",[["a"],1]]', '["^ ","a",1,"~i5","~?t"]'.replace(',"~?t"', ",true"), '["~zNaN","~zINF","~z-INF",null,true]',
    '["~#\'","~m9223372036854775807"]', '["~Xabc"]', '["~r:x"]',
  ];
  for (const text of texts) assert.equal(write(read(text)), text);
});

test("what JavaScript has for Transit", () => {
  const value = read('["^ ","~:a/b",["^ ","k",1],"~:__proto__",2,"~:n",3.0]');
  assert.deepEqual(Object.keys(value), ["a/b", "__proto__", "n"]);
  assert.equal(value["a/b"].get("k"), 1);
  assert.equal(value.n + 1, 4);
  assert.ok(value.n instanceof Double);
  assert.equal(read('["~:x","~:x"]')[0], keyword("x"));
  assert.equal(write({ a: undefined, b: [keyword("c")] }), '["^ ","~:b",["~:c"]]');
  assert.equal(canonical({ a: 1, b: new Set([1, 2]) }), canonical({ b: new Set([2, 1]), a: 1 }));
  assert.notEqual(canonical(1), canonical(new Double(1)));
  assert.notEqual(canonical("~:a"), canonical(keyword("a")));
  assert.deepEqual(read('["~#u",[-2413129400690688000,-5773888889541066752]]').rep.length, 36);
});

test("what is read is not changed in place", () => {
  const value = read('["^ ","~:tags",["~#set",["a"]],"~:map",["^ ","k",[1]]]');
  assert.throws(() => { value.tags = 1; }, TypeError);
  assert.throws(() => value.tags.add("b"), TypeError);
  assert.throws(() => value.map.set("k", 1), TypeError);
  assert.throws(() => value.map.get("k").push(1), TypeError);
});

test("the cache goes on after it is full", () => {
  const value = Array.from({ length: 5000 }, (_, i) => keyword(`key-${i % 2500}`));
  assert.equal(canonical(read(write(value))), canonical(value));
});

test("bad input is an error", () => {
  const bad = [
    "", "[", '["^0"]', '["^~~"]', '["^"]', '["~#foo"]', '["~#foo",1,2]', '[1,"~#set",2]', '["^ ","a"]', '["~#cmap",[1]]',
    '["~#set",1]', '{"~#set":[1],"b":2}', '["~iabc"]', '["~mabc"]', '["~uabc"]', '["~b!!"]', '["~?x"]', '["~zX"]', '["~dx"]',
    "[".repeat(5000) + "]".repeat(5000), '["~#u",[1.5,2]]', '["^0","a"]', '["~#m","x"]'.replace('"x"', '["x"]'),
  ];
  for (const text of bad) assert.throws(() => read(text), (error) => !(error instanceof assert.AssertionError), text.slice(0, 40));
  const ring = [];
  ring.push(ring);
  for (const value of [() => 1, Symbol("x"), ring, new (class X {})(), "\ud800", new Date(NaN), [undefined]]) {
    assert.throws(() => write(value), TypeError);
  }
});
