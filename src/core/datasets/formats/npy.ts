/** NumPy's array files (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html): .npy, and .npz, a zip of them. */
import { messageOf } from "../../../shared/errors.ts";
import { fromFortran, npyMagic, npyTypes } from "../../../shared/npy.ts";
import { unzipped } from "../../../shared/zip.ts";
import { arrayLike } from "../dataset.ts";
import { wholeFile } from "../chunks.ts";

export interface NumericArray {
  readonly shape: readonly number[];
  /** Row-major. */
  readonly data: Uint8Array | Float32Array | Int32Array;
}

/** An array of strings, such as labels by name. */
export interface TextArray {
  readonly shape: readonly number[];
  /** Row-major. */
  readonly data: readonly string[];
}

export type AnyArray = NumericArray | TextArray;

/** Maximum characters of a string in an array. */
const maxString = 10_000;

/** A NumPy type: `kind` is that of its code, without the size. */
interface StringType {
  readonly kind: "U" | "S";
  readonly length: number;
  readonly little: boolean;
}

/** Fixed-width strings: 4 bytes a character (U) or 1 (S), padded with zeros. */
function stringsOf(view: DataView, start: number, count: number, { kind, length, little }: StringType): string[] {
  const width = kind === "U" ? 4 : 1;
  return Array.from({ length: count }, (_, i) => {
    const characters: string[] = [];
    for (let c = 0; c < length; c++) {
      const at = start + (i * length + c) * width;
      const code = kind === "U" ? view.getUint32(at, little) : view.getUint8(at);
      if (code > 0x10ffff) throw new Error(`string ${i} has a character beyond Unicode`);
      characters.push(String.fromCodePoint(code));
    }
    return characters.join("").replace(/\0+$/, "");
  });
}

/** Whether an array holds strings. */
export const isText = (array: AnyArray): array is TextArray => Array.isArray(array.data);

/** An array of numbers. @throws Error as parseArray() does, and for strings */
export function parseNpy(bytes: Uint8Array, source: string): NumericArray {
  const array = parseArray(bytes, source);
  if (isText(array)) throw new Error(`${source}: the array holds strings; numbers are needed`);
  return array;
}

/** Shares memory with `bytes` where possible. @throws Error naming `source` and what is invalid or unsupported */
export function parseArray(bytes: Uint8Array, source: string): AnyArray {
  if (bytes.length < 10 || !npyMagic.every((byte, i) => bytes[i] === byte)) throw new Error(`${source}: not a .npy file (magic string)`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const long = bytes[6]! >= 2;
  const start = long ? 12 : 10;
  if (bytes.length < start) throw new Error(`${source}: truncated header (${bytes.length} bytes)`);
  const length = long ? view.getUint32(8, true) : view.getUint16(8, true);
  if (bytes.length < start + length) throw new Error(`${source}: truncated header (${bytes.length} bytes, ${start + length} needed)`);
  const header = new TextDecoder("latin1").decode(bytes.subarray(start, start + length));
  const [, order, type] = /'descr':\s*'([<>|=])(\w\d+)'/.exec(header) ?? [];
  const fortran = /'fortran_order':\s*(True|False)/.exec(header)?.[1] === "True";
  const shape = (/'shape':\s*\(([^)]*)\)/.exec(header)?.[1] ?? "").split(",").flatMap((n) => (n.trim() === "" ? [] : [Number(n)]));
  const strings = /^[US]\d+$/.test(type ?? "") ? { kind: type![0] as "U" | "S", length: Number(type!.slice(1)), little: order !== ">" } : null;
  if (strings && strings.length > maxString) throw new Error(`${source}: strings of ${strings.length} characters; at most ${maxString} are allowed`);
  const reader = strings ? { size: strings.length * (strings.kind === "U" ? 4 : 1), into: "text" as const, read: () => 0 } : npyTypes[type ?? ""];
  if (!reader) {
    const found = /'descr':\s*([^,]+)/.exec(header)?.[1] ?? "unknown";
    const advice = found.includes("O") ? "; it holds Python objects: save the array with .astype(str) for names, or .astype(float) for numbers" : "";
    throw new Error(`${source}: type ${found} is not supported; allowed: ${Object.keys(npyTypes).join(", ")}, U and S (strings)${advice}`);
  }
  if (shape.length > 32 || !shape.every((n) => Number.isSafeInteger(n) && n >= 0)) throw new Error(`${source}: a shape of (${shape.join(", ")}); at most 32 whole numbers are allowed`);
  const size = shape.reduce((product, n) => product * n, 1);
  const needed = start + length + size * reader.size;
  if (bytes.length !== needed) throw new Error(`${source}: ${bytes.length} bytes, but an array of ${shape.join(" x ")} has ${needed}`);
  const at = bytes.byteOffset + start + length;
  const transposed = fortran && shape.length > 1;
  if (strings) {
    const found = stringsOf(view, start + length, size, strings);
    return { shape, data: transposed ? fromFortran<readonly string[]>(found, shape, (count) => new Array<string>(count)) : found };
  }
  if (transposed) {
    const flat = parseNpy(withoutOrder(bytes, start, length), source);
    return { shape, data: fromFortran<NumericArray["data"]>(flat.data, shape, (count) => arrayLike(flat.data, count)) };
  }
  if (reader.into === "byte") return { shape, data: new Uint8Array(bytes.buffer, at, size) };
  // NumPy aligns its arrays, so most need no copy.
  if (type === "f4" && order !== ">" && at % 4 === 0) return { shape, data: new Float32Array(bytes.buffer, at, size) };
  const data = reader.into === "float" ? new Float32Array(size) : new Int32Array(size);
  for (let i = 0; i < size; i++) {
    const value = reader.read(view, start + length + i * reader.size, order !== ">");
    if (reader.into === "int" && (value > 2 ** 31 - 1 || value < -(2 ** 31))) throw new Error(`${source}: value ${i} is ${value}, beyond 32 bits`);
    data[i] = value;
  }
  return { shape, data };
}

/** The same file with its values in the order in which they are stored. */
function withoutOrder(bytes: Uint8Array, start: number, length: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  const header = Buffer.from(copy.buffer, start, length).toString("latin1");
  Buffer.from(copy.buffer).write(header.replace(/('fortran_order':\s*)True/, "$1False"), start, length, "latin1");
  return copy;
}

/** Arrays of numbers of a .npy or .npz file by name; that of a .npy is named `array`. @throws Error naming the file */
export const readNumpy = (path: string): Promise<Readonly<Record<string, NumericArray>>> => readEach(path, parseNpy);

/** Arrays of a file as readNumpy() does, also of strings. @throws Error naming the file */
export const readNumpyArrays = (path: string): Promise<Readonly<Record<string, AnyArray>>> => readEach(path, parseArray);

async function readEach<A>(path: string, parse: (bytes: Uint8Array, source: string) => A): Promise<Readonly<Record<string, A>>> {
  const bytes = await wholeFile(path);
  if (!path.toLowerCase().endsWith(".npz")) return { array: parse(bytes, path) };
  let entries: Map<string, Uint8Array>;
  try {
    entries = unzipped(bytes);
  } catch (error) {
    throw new Error(`${path} cannot be unpacked: ${messageOf(error)}`, { cause: error });
  }
  return Object.fromEntries(Array.from(entries, ([name, content]) => [name.replace(/\.npy$/, ""), parse(content, `${path}: ${name}`)]));
}

/** Header of a .npy file of NumPy's format 1.0, which the values follow. */
export function npyHeader(shape: readonly number[], type: "<f4" | "<f8"): Uint8Array {
  const dimensions = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const header = `{'descr': '${type}', 'fortran_order': False, 'shape': (${dimensions}), }`;
  // Everything before the data fills a multiple of 64 bytes and ends with a line feed.
  const start = Math.ceil((10 + header.length + 1) / 64) * 64;
  const file = Buffer.alloc(start, " ");
  file.set([...npyMagic, 1, 0]);
  file.writeUInt16LE(start - 10, 8);
  file.write(header, 10, "latin1");
  file[start - 1] = 10;
  return file;
}

/** Encodes an array in NumPy's format 1.0: as float32 where that is exact, else as float64. @param values row-major */
export function encodeNpy({ shape, values }: { readonly shape: readonly number[]; readonly values: Float64Array }): Uint8Array {
  const single = Float32Array.from(values);
  const data = values.every((value, i) => Object.is(value, single[i])) ? single : values;
  return Buffer.concat([npyHeader(shape, data === single ? "<f4" : "<f8"), new Uint8Array(data.buffer, data.byteOffset, data.byteLength)]);
}
