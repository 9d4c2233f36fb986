/** Damages archives: blindly, and with headers, manifest and checksums that agree with the damage. */
import { createHash } from "node:crypto";
import { manifestName } from "../../src/main/archives/format.ts";
import { tarEnd, tarHeader, tarPadding } from "../../src/main/archives/tar.ts";

export interface ArchivePart {
  name: string;
  bytes: Buffer;
}

/** Parts of a whole archive, without its manifest. */
export function partsOf(archive: Buffer): { parts: ArchivePart[]; manifest: Record<string, unknown> } {
  const all: ArchivePart[] = [];
  for (let at = 0; at < archive.length && archive[at] !== 0; ) {
    const name = archive.toString("latin1", at, at + 100).replace(/\0.*$/s, "");
    const size = parseInt(archive.toString("latin1", at + 124, at + 135), 8);
    if (!(size >= 0 && size <= archive.length)) throw new Error("not whole");
    all.push({ name, bytes: archive.subarray(at + 512, at + 512 + size) });
    at += 512 + size + tarPadding(size).length;
  }
  return { parts: all.slice(0, -1), manifest: JSON.parse(all.at(-1)!.bytes.toString()) as Record<string, unknown> };
}

const entry = ({ name, bytes }: ArchivePart) => Buffer.concat([tarHeader(name, bytes.length), bytes, tarPadding(bytes.length)]);

/** An archive of the parts. Its manifest lists them with their checksums, unless it is given. */
export function assembled(parts: readonly ArchivePart[], manifest: Record<string, unknown>, listed?: unknown): Buffer {
  const sums = parts.map(({ name, bytes }) => ({ name, size: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") }));
  return Buffer.concat([...parts.map(entry), entry({ name: manifestName, bytes: Buffer.from(JSON.stringify({ ...manifest, parts: listed ?? sums })) }), tarEnd()]);
}

type Random = () => number;
const below = (random: Random, end: number) => Math.floor(random() * end);
const pick = <T>(random: Random, from: readonly T[]): T => from[below(random, from.length)]!;

/** Values that parsers trip over. */
const odd: readonly unknown[] = [null, -1, 0, 1e308, 2 ** 53, 0.5, "", "x".repeat(5_000), "../../etc/passwd", "\u0000\u202e", [], {}, true, [[[[]]]], { constructor: 1 }];

/** Replaces a value somewhere within JSON, or removes it. */
function oddly(random: Random, value: unknown): unknown {
  if (typeof value !== "object" || value === null || random() < 0.1) return pick(random, odd);
  const keys = Object.keys(value);
  if (keys.length === 0) return pick(random, odd);
  const key = pick(random, keys);
  const copy = (Array.isArray(value) ? [...(value as unknown[])] : { ...value }) as Record<string, unknown>;
  if (random() < 0.15) delete copy[key];
  else copy[key] = oddly(random, copy[key]);
  return copy;
}

const badNames = ["../outside", "/etc/passwd", "runs/0/../../x", "runs/00/run.json", "runs/0/steps/-1", "runs\\0\\run.json", "C:\\x", "runs/0/run.json/", "a".repeat(99), "", "runs/0/other", "studies/9999999.json", "runs/0/steps/7"];

const mutations: Record<string, (archive: Buffer, random: Random) => Buffer> = {
  flip: (archive, random) => {
    const bytes = Buffer.from(archive);
    for (let i = 0; i <= below(random, 4); i++) bytes[below(random, bytes.length)]! ^= 1 << below(random, 8);
    return bytes;
  },
  truncate: (archive, random) => archive.subarray(0, below(random, archive.length)),
  extend: (archive, random) => Buffer.concat([archive, Buffer.alloc(1 + below(random, 3_000), pick(random, [0, 0, 255]))]),
  splice: (archive, random) => {
    const at = below(random, archive.length);
    return Buffer.concat([archive.subarray(0, at), archive.subarray(below(random, archive.length))]);
  },
  size: (archive, random) => {
    const bytes = Buffer.from(archive);
    const { parts } = partsOf(archive);
    const at = parts.slice(0, below(random, parts.length)).reduce((sum, part) => sum + entry(part).length, 0);
    const name = bytes.toString("latin1", at, at + 100).replace(/\0.*$/s, "");
    tarHeader(name, pick(random, [0, 1, 511, 2 ** 20, 2 ** 31, 2 ** 33 - 1, bytes.length])).copy(bytes, at);
    return bytes;
  },
  checksum: (archive, random) => {
    const { parts, manifest } = partsOf(archive);
    return assembled(parts, manifest, oddly(random, manifest["parts"]));
  },
  name: (archive, random) => {
    const { parts, manifest } = partsOf(archive);
    pick(random, parts).name = pick(random, badNames);
    return assembled(parts, manifest);
  },
  order: (archive, random) => {
    const { parts, manifest } = partsOf(archive);
    const moved = parts.splice(below(random, parts.length), 1);
    if (random() < 0.7) parts.splice(below(random, parts.length + 1), 0, ...moved, ...(random() < 0.3 ? moved : []));
    return assembled(parts, manifest);
  },
  manifest: (archive, random) => {
    const { parts, manifest } = partsOf(archive);
    return assembled(parts, oddly(random, manifest) as Record<string, unknown>);
  },
  json: (archive, random) => {
    const { parts, manifest } = partsOf(archive);
    const part = pick(random, parts.filter(({ name }) => name.endsWith(".json")));
    part.bytes = Buffer.from(JSON.stringify(oddly(random, JSON.parse(part.bytes.toString()))));
    return assembled(parts, manifest);
  },
  lines: (archive, random) => {
    const { parts, manifest } = partsOf(archive);
    const part = pick(random, parts.filter(({ name }) => /evaluations|events/.test(name)));
    const lines = part.bytes.toString().trimEnd().split("\n");
    const at = below(random, lines.length);
    lines[at] = JSON.stringify(oddly(random, JSON.parse(lines[at]!)));
    if (random() < 0.2) lines.push(lines[at]);
    part.bytes = Buffer.from(`${lines.join("\n")}${random() < 0.9 ? "\n" : ""}`);
    return assembled(parts, manifest);
  },
  bytes: (archive, random) => {
    const { parts, manifest } = partsOf(archive);
    const part = pick(random, parts);
    part.bytes = Buffer.from(part.bytes);
    if (random() < 0.5) part.bytes = part.bytes.subarray(0, below(random, part.bytes.length));
    // Lengths stand at the beginning of checkpoints and weights.
    else if (part.bytes.length > 12) part.bytes.writeUInt32LE(pick(random, [0, 1, 2 ** 32 - 1, 2 ** 31, 2 ** 27]), pick(random, [8, below(random, part.bytes.length - 4)]));
    return assembled(parts, manifest);
  },
  deep: (archive, random) => {
    const { parts, manifest } = partsOf(archive);
    const depth = pick(random, [100, 100_000]);
    pick(random, parts.filter(({ name }) => name.endsWith(".json"))).bytes = Buffer.from("[".repeat(depth) + "]".repeat(depth));
    return assembled(parts, manifest);
  },
};

export function mutated(archive: Buffer, random: Random): { readonly what: string; readonly bytes: Buffer } {
  const what = pick(random, Object.keys(mutations));
  return { what, bytes: mutations[what]!(archive, random) };
}
