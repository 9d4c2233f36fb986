/** What Node 24 has and Node 18.15 of Electron 25 lacks, as far as the main process, trainers and importers use it. */
/* eslint-disable */
const define = (target, name, value) => {
  if (!(name in target)) Object.defineProperty(target, name, { value, writable: true, configurable: true });
};

define(URL, "parse", (url, base) => {
  try {
    return new URL(url, base);
  } catch {
    return null;
  }
});
define(URL, "canParse", (url, base) => URL.parse(url, base) !== null);

define(Promise, "withResolvers", function () {
  const parts = {};
  parts.promise = new this((resolve, reject) => Object.assign(parts, { resolve, reject }));
  return parts;
});

define(Map, "groupBy", (items, keyOf) => {
  const groups = new Map();
  let index = 0;
  for (const item of items) {
    const key = keyOf(item, index++);
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(item);
  }
  return groups;
});
define(Object, "groupBy", (items, keyOf) => Object.assign(Object.create(null), Object.fromEntries(Map.groupBy(items, (item, index) => String(keyOf(item, index))))));

define(Array, "fromAsync", async (items, map = (item) => item) => {
  const list = [];
  for await (const item of items) list.push(await map(item, list.length));
  return list;
});

define(AbortSignal, "any", (signals) => {
  const controller = new AbortController();
  for (const signal of signals) {
    if (signal.aborted) controller.abort(signal.reason);
    else signal.addEventListener("abort", () => controller.abort(signal.reason), { once: true, signal: controller.signal });
  }
  return controller.signal;
});

const set = Set.prototype;
const keysOf = (other) => [...{ [Symbol.iterator]: () => other.keys() }];
define(set, "union", function (other) {
  return new Set([...this, ...keysOf(other)]);
});
define(set, "intersection", function (other) {
  return new Set([...this].filter((item) => other.has(item)));
});
define(set, "difference", function (other) {
  return new Set([...this].filter((item) => !other.has(item)));
});
define(set, "symmetricDifference", function (other) {
  return new Set([...[...this].filter((item) => !other.has(item)), ...keysOf(other).filter((item) => !this.has(item))]);
});
define(set, "isSubsetOf", function (other) {
  return [...this].every((item) => other.has(item));
});
define(set, "isSupersetOf", function (other) {
  return keysOf(other).every((item) => this.has(item));
});
define(set, "isDisjointFrom", function (other) {
  return ![...this].some((item) => other.has(item));
});

for (const name of ["dispose", "asyncDispose"]) define(Symbol, name, Symbol.for(`Symbol.${name}`));

const zlib = require("node:zlib");
if (!zlib.crc32) {
  const table = Uint32Array.from({ length: 256 }, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
    return value;
  });
  zlib.crc32 = (data, start = 0) => {
    let crc = ~start;
    for (const byte of typeof data === "string" ? Buffer.from(data) : data) crc = table[(crc ^ byte) & 255] ^ (crc >>> 8);
    return ~crc >>> 0;
  };
}
