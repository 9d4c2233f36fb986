/** Reads Protocol Buffers' wire format; every length is checked against the bytes that are there. */
import { GraphError } from "./errors.ts";

export interface Field {
  readonly number: number;
  /** 0 varint, 1 eight bytes, 2 length and bytes, 5 four bytes. */
  readonly wire: 0 | 1 | 2 | 5;
  /** The varint's value as a signed 64-bit integer, rounded beyond 2^53; 0 for other wire types. */
  readonly value: number;
  /** The bytes of wire types 1, 2 and 5. */
  readonly bytes: Uint8Array;
}

const nothing = new Uint8Array(0);

export class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** A varint as a signed 64-bit integer. */
  varint(): number {
    let [low, high] = [0, 0];
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.done) throw new GraphError("the file ends in the middle of a number; it is damaged or not an ONNX file");
      const byte = this.#bytes[this.#at++]!;
      const bits = byte & 0x7f;
      if (shift < 28) low += bits * 2 ** shift;
      else if (shift === 28) {
        low += (bits & 0x0f) * 2 ** 28;
        high += bits >> 4;
      } else if (shift < 63) high += bits * 2 ** (shift - 32);
      else high += (bits & 1) * 2 ** 31;
      if (byte < 0x80) return high >= 2 ** 31 ? -((2 ** 32 - 1 - high) * 2 ** 32 + (2 ** 32 - low)) : high * 2 ** 32 + low;
    }
    throw new GraphError("a number has more than 10 bytes; the file is damaged or not an ONNX file");
  }

  #take(count: number): Uint8Array {
    if (count < 0 || this.#at + count > this.#bytes.length) throw new GraphError("a field is longer than the file; it is damaged or not an ONNX file");
    const taken = this.#bytes.subarray(this.#at, this.#at + count);
    this.#at += count;
    return taken;
  }

  field(): Field {
    const key = this.varint();
    const number = Math.floor(key / 8);
    const wire = key % 8;
    if (number < 1) throw new GraphError("a field has the number 0; the file is damaged or not an ONNX file");
    switch (wire) {
      case 0:
        return { number, wire, value: this.varint(), bytes: nothing };
      case 1:
        return { number, wire, value: 0, bytes: this.#take(8) };
      case 2:
        return { number, wire, value: 0, bytes: this.#take(this.varint()) };
      case 5:
        return { number, wire, value: 0, bytes: this.#take(4) };
      default:
        throw new GraphError(`a field has the wire type ${wire}; the file is damaged or not an ONNX file`);
    }
  }
}

/** The fields of a message, in the file's order. */
export function* fieldsOf(bytes: Uint8Array): Generator<Field> {
  const reader = new Reader(bytes);
  while (!reader.done) yield reader.field();
}

const decoder = new TextDecoder("utf-8");

export function text(field: Field): string {
  return decoder.decode(field.bytes);
}

const view = ({ buffer, byteOffset, byteLength }: Uint8Array) => new DataView(buffer, byteOffset, byteLength);

/** Integers of a repeated field: packed, or the one of this field. */
export function integers(field: Field): number[] {
  if (field.wire === 0) return [field.value];
  const values: number[] = [];
  const reader = new Reader(field.bytes);
  while (!reader.done) values.push(reader.varint());
  return values;
}

/** Floats of a repeated field of 4 or 8 bytes each: packed, or the one of this field. */
export function floats({ bytes }: Field, size: 4 | 8): number[] {
  const data = view(bytes);
  return Array.from({ length: Math.floor(bytes.length / size) }, (_, i) => (size === 4 ? data.getFloat32(4 * i, true) : data.getFloat64(8 * i, true)));
}
