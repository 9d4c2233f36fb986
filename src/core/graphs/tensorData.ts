/** Values of a file's tensors. */
import { closeSync, openSync, readSync, realpathSync, statSync } from "node:fs";
import { resolve, sep } from "node:path";
import { graphLimits, storedTypes, type GraphDType } from "../../shared/models/graph.ts";
import { messageOf } from "../../shared/errors.ts";
import { GraphError } from "./errors.ts";
import type { FileTensor } from "./onnxFile.ts";
import type { GraphTensor } from "./tensors.ts";

interface TypeReader {
  readonly dtype: GraphDType;
  /** Bytes of a value in raw data. */
  readonly size: number;
  read(view: DataView, at: number): number;
  /** From the typed fields, where the stored number is not the value itself. */
  stored?(value: number): number;
}

const halves = new DataView(new ArrayBuffer(4));

function float16(bits: number): number {
  const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function bfloat16(bits: number): number {
  halves.setUint32(0, bits * 65_536);
  return halves.getFloat32(0);
}

/** TensorProto.DataType. */
const types: Readonly<Record<number, TypeReader>> = {
  1: { dtype: "float32", size: 4, read: (v, at) => v.getFloat32(at, true) },
  2: { dtype: "uint8", size: 1, read: (v, at) => v.getUint8(at) },
  3: { dtype: "int8", size: 1, read: (v, at) => v.getInt8(at) },
  4: { dtype: "uint16", size: 2, read: (v, at) => v.getUint16(at, true) },
  5: { dtype: "int16", size: 2, read: (v, at) => v.getInt16(at, true) },
  6: { dtype: "int32", size: 4, read: (v, at) => v.getInt32(at, true) },
  7: { dtype: "int64", size: 8, read: (v, at) => Number(v.getBigInt64(at, true)) },
  9: { dtype: "bool", size: 1, read: (v, at) => (v.getUint8(at) === 0 ? 0 : 1) },
  10: { dtype: "float16", size: 2, read: (v, at) => float16(v.getUint16(at, true)), stored: float16 },
  11: { dtype: "float64", size: 8, read: (v, at) => v.getFloat64(at, true) },
  12: { dtype: "uint32", size: 4, read: (v, at) => v.getUint32(at, true) },
  13: { dtype: "uint64", size: 8, read: (v, at) => Number(v.getBigUint64(at, true)) },
  16: { dtype: "bfloat16", size: 2, read: (v, at) => bfloat16(v.getUint16(at, true)), stored: bfloat16 },
};

const typeNames = ["undefined", "float", "uint8", "int8", "uint16", "int16", "int32", "int64", "string", "bool", "float16", "double", "uint32", "uint64", "complex64", "complex128", "bfloat16"];

/** The type that a file states by its number. @throws GraphError */
export function dtypeOf(type: number, what: string): GraphDType {
  const known = types[type];
  if (!known) throw new GraphError(`${what} has values of type ${typeNames[type] ?? type}; allowed: ${Object.values(types).map(({ dtype }) => dtype).join(", ")}`);
  return known.dtype;
}

/** Reads tensors; counts their values against the limit of a file. */
export class TensorReader {
  readonly #folder: string | null;
  #values = 0;

  /** @param folder where external data files may be; null where there are none */
  constructor(folder: string | null) {
    this.#folder = folder;
  }

  /** @throws GraphError */
  read(tensor: FileTensor, what: string): GraphTensor {
    const dtype = dtypeOf(tensor.type, what);
    const { size, read, stored } = types[tensor.type]!;
    const shape = tensor.dims;
    if (shape.length > graphLimits.rank) throw new GraphError(`${what} has ${shape.length} axes; at most ${graphLimits.rank} are allowed`);
    if (shape.some((n) => !Number.isSafeInteger(n) || n < 0)) throw new GraphError(`${what} has the shape [${shape.join(", ")}]; sizes must be whole numbers from 0`);
    const count = shape.reduce((product, n) => product * n, 1);
    this.#values += count;
    if (!(this.#values <= graphLimits.values)) throw new GraphError(`the file has more than ${graphLimits.values} values in its arrays (${what} has ${count}); at most ${graphLimits.values} are allowed`);
    const raw = tensor.external ? this.#external(tensor.external, count * size, what) : tensor.raw;
    const found = raw ? raw.length / size : tensor.values.length;
    if (found !== count) throw new GraphError(`${what} has the shape [${shape.join(", ")}] and ${found} values instead of ${count}; the file is damaged`);
    const data = storedTypes[dtype].bytes === 8 ? new Float64Array(count) : new Float32Array(count);
    if (raw) {
      const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
      for (let i = 0; i < count; i++) data[i] = read(view, i * size);
    } else for (let i = 0; i < count; i++) data[i] = stored ? stored(tensor.values[i]!) : tensor.values[i]!;
    return { dtype, shape, data };
  }

  /** Bytes of an external data file, which must lie in the model's folder. */
  #external(keys: Readonly<Record<string, string>>, wanted: number, what: string): Uint8Array {
    const location = keys["location"] ?? "";
    const refused = (why: string) => new GraphError(`${what} has its values in the file "${location}", ${why}`);
    if (!this.#folder) throw refused("and files beside the model cannot be read here; export with external_data=False");
    const path = resolve(this.#folder, location);
    let real: string;
    try {
      real = realpathSync(path);
      if (!statSync(real).isFile()) throw new Error("it is not a file");
    } catch (error) {
      throw refused(`which cannot be read (${messageOf(error)}); keep it beside the .onnx file, or export with external_data=False`);
    }
    const folder = realpathSync(this.#folder);
    if (location === "" || !real.startsWith(folder.endsWith(sep) ? folder : folder + sep)) throw refused("which is outside the model's folder; external data must lie in the folder of the .onnx file");
    const offset = Number(keys["offset"] ?? 0);
    const length = keys["length"] === undefined ? wanted : Number(keys["length"]);
    if (!Number.isSafeInteger(offset) || offset < 0 || length !== wanted) throw refused(`at ${keys["offset"] ?? 0} with ${keys["length"] ?? "all"} bytes, but the array needs ${wanted}; the file is damaged`);
    if (statSync(real).size < offset + length) throw refused(`which has ${statSync(real).size} bytes, but ${offset + length} are needed; the file is truncated`);
    const bytes = new Uint8Array(length);
    const file = openSync(real, "r");
    try {
      for (let at = 0; at < length; ) {
        const got = readSync(file, bytes, at, Math.min(length - at, 2 ** 30), offset + at);
        if (got === 0) throw refused("which ends too early; the file is truncated");
        at += got;
      }
    } finally {
      closeSync(file);
    }
    return bytes;
  }
}
