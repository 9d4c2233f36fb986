/** Mutates the bytes of real files. The same seed makes the same mutations. */
import { randomOf } from "../random.ts";

/** Numbers at the edges of integer types, which length fields tend to be confused by. */
const edges = [0, 1, 2, 7, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];
const digits = ["0", "-1", "1e999", "9007199254740993", "NaN", "4294967296", "0x10", "1e-320", "''", "\"", ",", "\u2028", "\ufeff"];

/** Characters of mutated JSON. */
const maxJson = 500_000;

export class Mutator {
  readonly #next: () => number;

  constructor(seed: number) {
    this.#next = randomOf(seed);
  }

  below(limit: number): number {
    return Math.floor(this.#next() * limit);
  }

  oneOf<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!;
  }

  /** A mutated copy of one of the files; parts of others may be spliced in. */
  bytes(corpus: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
    let bytes = Uint8Array.from(this.oneOf(corpus));
    for (let left = 1 + this.below(this.below(3) === 0 ? 12 : 3); left > 0; left--) bytes = this.#once(bytes, corpus);
    return bytes;
  }

  /** Any position, more often one in the first hundred bytes, where formats have their headers. */
  #position(bytes: Uint8Array): number {
    return this.below(2) === 0 ? this.below(Math.min(bytes.length, 100)) : this.below(bytes.length);
  }

  #once(bytes: Uint8Array<ArrayBuffer>, corpus: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
    if (bytes.length === 0) return Uint8Array.from(this.oneOf(corpus));
    const at = this.#position(bytes);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    switch (this.below(10)) {
      case 0:
        bytes[at]! ^= 1 << this.below(8);
        return bytes;
      case 1:
        bytes[at] = this.below(256);
        return bytes;
      case 2:
        return this.below(4) === 0 ? bytes.slice(0, at) : bytes.slice(0, bytes.length - 1 - this.below(Math.min(64, bytes.length)));
      case 3: {
        const other = this.oneOf(corpus);
        const from = this.below(other.length);
        return joined(bytes.subarray(0, at), other.subarray(from, from + this.below(200)), bytes.subarray(this.#position(bytes)));
      }
      case 4: {
        const [width, little] = [this.oneOf([1, 2, 4]), this.below(2) === 0];
        if (at + width > bytes.length) return bytes;
        const value = this.below(4) === 0 ? bytes.length + this.below(5) - 2 : this.oneOf(edges);
        if (width === 1) view.setUint8(at, value & 0xff);
        else if (width === 2) view.setUint16(at, value & 0xffff, little);
        else view.setUint32(at, value >>> 0, little);
        return bytes;
      }
      case 5: {
        const block = bytes.subarray(at, at + 1 + this.below(64));
        const times = this.below(8) === 0 ? 2_000 : 1 + this.below(8);
        return joined(bytes.subarray(0, at), ...new Array<Uint8Array>(times).fill(block), bytes.subarray(at));
      }
      case 6:
        return joined(bytes.subarray(0, at), bytes.subarray(at + 1 + this.below(32)));
      case 7:
        return joined(bytes.subarray(0, at), Uint8Array.from({ length: 1 + this.below(16) }, () => this.below(256)), bytes.subarray(at));
      case 8:
        return joined(bytes.subarray(0, at), new TextEncoder().encode(this.oneOf(digits)), bytes.subarray(at + this.below(3)));
      default:
        bytes.fill(this.oneOf([0, 0x20, 0x30, 0xff]), at, at + 1 + this.below(32));
        return bytes;
    }
  }

  /** A mutated copy of a JSON value: its form stays, values and names change. */
  json(value: unknown): string {
    let made = JSON.stringify(value);
    for (let left = 1 + this.below(4); left > 0; left--) {
      const next = JSON.stringify(this.#jsonOnce(JSON.parse(made), 0));
      // Repeated and nested, values grow by a thousand times.
      if (next.length > maxJson) break;
      made = next;
    }
    return made;
  }

  #jsonOnce(value: unknown, depth: number): unknown {
    const inner = typeof value === "object" && value !== null ? Object.keys(value) : [];
    if (inner.length === 0 || depth > 8 || this.below(6) === 0) return this.#odd(value);
    const key = this.oneOf(inner);
    const container = value as Record<string, unknown>;
    switch (this.below(8)) {
      case 0:
        if (Array.isArray(value)) value.splice(this.below(value.length), 1);
        else delete container[key];
        return value;
      case 1:
        if (Array.isArray(value)) value.push(...new Array<unknown>(this.oneOf([1, 3, 60])).fill(value[0]));
        else own(container, this.oneOf(["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "then", "extra", ""]), this.#odd(null));
        return value;
      default:
        own(container, key, this.#jsonOnce(container[key], depth + 1));
        return value;
    }
  }

  #odd(was: unknown): unknown {
    switch (this.below(9)) {
      case 0:
        return null;
      case 1:
        return this.oneOf([0, -0, -1, 1, 0.5, 2 ** 31, 2 ** 53, -(2 ** 53), 1e308, 1e-320, 4096, 1e15]);
      case 2:
        return this.oneOf(["", "__proto__", "constructor", "../../etc/passwd", "\u0000", "x".repeat(5_000), "1e999", "=1+1", "${1}", "own/../x", "mnist", "adam", "sgd"]);
      case 3:
        return [];
      case 4:
        return JSON.parse(`{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}`) as unknown;
      case 5:
        return [was, was, was];
      case 6:
        return { value: was };
      case 7: {
        let deep: unknown = was;
        for (let i = this.oneOf([5, 60, 500]); i > 0; i--) deep = [deep];
        return deep;
      }
      default:
        return typeof was === "number" ? was * this.oneOf([-1, 0.1, 10, 1e6]) : !was;
    }
  }
}

/** Sets an own property, also one named `__proto__`, as JSON.parse() does. */
function own(container: object, key: string, value: unknown): void {
  Object.defineProperty(container, key, { value, enumerable: true, configurable: true, writable: true });
}

function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.concat(parts));
}
