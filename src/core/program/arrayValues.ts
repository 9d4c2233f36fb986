/** Entries of an array constant, compared and written by content. */
import { distinctNumber } from "./distinctNumber.ts";

/** Constants of at most this many entries are written in full instead of as a digest. */
const writtenInFull = 16;

export class ArrayValues {
  /** Row-major; 0 and 1 for conditions. Must not be changed. */
  readonly entries: Float64Array;
  #key: string | null = null;

  /** Copies the entries. */
  constructor(entries: ArrayLike<number>) {
    this.entries = Float64Array.from(entries);
  }

  /** Equal for equal entries, told apart as Object.is does. */
  get key(): string {
    const { entries } = this;
    return (this.#key ??= entries.length <= writtenInFull ? JSON.stringify([...entries], distinctNumber) : `${entries.length}:${digest(entries)}`);
  }

  toJSON(): string {
    return this.key;
  }
}

/** 128 bits, mixed as in MurmurHash3; the same in every process. */
function digest(entries: Float64Array): string {
  const words = new Uint32Array(entries.buffer, entries.byteOffset, 2 * entries.length);
  const factors = [0x239b961b, 0xab0e9789, 0x38b34ae5, 0xa1e38b93];
  const added = [0x561ccd1b, 0x0bcaa747, 0x96cd1c35, 0x32ac3b17];
  const turned = (x: number, bits: number) => (x << bits) | (x >>> (32 - bits));
  const hash = [1, 2, 3, 4];
  for (let at = 0; at < words.length; at += 4) {
    for (let lane = 0; lane < 4; lane++) {
      const word = turned(Math.imul(words[at + lane] ?? 0, factors[lane]!), 15 + lane);
      hash[lane]! ^= Math.imul(word, factors[(lane + 1) % 4]!);
      hash[lane] = Math.imul(turned(hash[lane]!, 19 - 2 * lane) + hash[(lane + 1) % 4]!, 5) + added[lane]!;
    }
  }
  const mixed = (x: number) => {
    let y = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    y = Math.imul(y ^ (y >>> 13), 0xc2b2ae35);
    return (y ^ (y >>> 16)) >>> 0;
  };
  const sum = hash.reduce((a, b) => a + b, 0) | 0;
  return hash.map((lane) => mixed(lane + sum).toString(16).padStart(8, "0")).join("");
}
