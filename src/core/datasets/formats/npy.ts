/** NumPy's array files (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html): .npy, and .npz, a zip of them. */
import { unzipSync } from "fflate";
import { messageOf } from "../../../shared/errors.ts";
import { wholeFile } from "../chunks.ts";
import { requireUnpackable } from "./packed.ts";

export interface NumericArray {
  readonly shape: readonly number[];
  /** Row-major. */
  readonly data: Uint8Array | Float32Array | Int32Array;
}

/** Maximum number of arrays in a .npz. */
const maxArrays = 1_000;
/** Maximum characters of an array's name. */
const maxName = 200;

const magic = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59);

/** Supported NumPy types: bytes stay bytes, other integers become int32, floats become float32. */
const readers: Readonly<Record<string, { size: number; into: "byte" | "int" | "float"; read(view: DataView, at: number, little: boolean): number }>> = {
  u1: { size: 1, into: "byte", read: (v, at) => v.getUint8(at) },
  b1: { size: 1, into: "byte", read: (v, at) => v.getUint8(at) },
  i1: { size: 1, into: "int", read: (v, at) => v.getInt8(at) },
  u2: { size: 2, into: "int", read: (v, at, little) => v.getUint16(at, little) },
  i2: { size: 2, into: "int", read: (v, at, little) => v.getInt16(at, little) },
  i4: { size: 4, into: "int", read: (v, at, little) => v.getInt32(at, little) },
  u4: { size: 4, into: "int", read: (v, at, little) => v.getUint32(at, little) },
  i8: { size: 8, into: "int", read: (v, at, little) => Number(v.getBigInt64(at, little)) },
  u8: { size: 8, into: "int", read: (v, at, little) => Number(v.getBigUint64(at, little)) },
  f4: { size: 4, into: "float", read: (v, at, little) => v.getFloat32(at, little) },
  f8: { size: 8, into: "float", read: (v, at, little) => v.getFloat64(at, little) },
};

/** Shares memory with `bytes` where possible. @throws Error naming `source` and what is invalid or unsupported */
export function parseNpy(bytes: Uint8Array, source: string): NumericArray {
  if (bytes.length < 10 || !magic.every((byte, i) => bytes[i] === byte)) throw new Error(`${source}: not a .npy file (magic string)`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const long = bytes[6]! >= 2;
  const start = long ? 12 : 10;
  if (bytes.length < start) throw new Error(`${source}: truncated header (${bytes.length} bytes)`);
  const length = long ? view.getUint32(8, true) : view.getUint16(8, true);
  if (bytes.length < start + length) throw new Error(`${source}: truncated header (${bytes.length} bytes, ${start + length} needed)`);
  const header = new TextDecoder("latin1").decode(bytes.subarray(start, start + length));
  const [, order, type] = /'descr':\s*'([<>|=])(\w\d)'/.exec(header) ?? [];
  const fortran = /'fortran_order':\s*(True|False)/.exec(header)?.[1] === "True";
  const shape = (/'shape':\s*\(([^)]*)\)/.exec(header)?.[1] ?? "").split(",").flatMap((n) => (n.trim() === "" ? [] : [Number(n)]));
  const reader = readers[type ?? ""];
  if (!reader) throw new Error(`${source}: type ${/'descr':\s*([^,]+)/.exec(header)?.[1] ?? "unknown"} is not supported; allowed: ${Object.keys(readers).join(", ")}`);
  if (fortran && shape.length > 1) throw new Error(`${source}: the array is in Fortran order; save it with numpy.ascontiguousarray`);
  if (shape.length > 32 || !shape.every((n) => Number.isSafeInteger(n) && n >= 0)) throw new Error(`${source}: a shape of (${shape.join(", ")}); at most 32 whole numbers are allowed`);
  const size = shape.reduce((product, n) => product * n, 1);
  const needed = start + length + size * reader.size;
  if (bytes.length !== needed) throw new Error(`${source}: ${bytes.length} bytes, but an array of ${shape.join(" x ")} has ${needed}`);
  const at = bytes.byteOffset + start + length;
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

/** Arrays of a .npy or .npz file by name; that of a .npy is named `array`. @throws Error naming the file */
export async function readNumpy(path: string): Promise<Readonly<Record<string, NumericArray>>> {
  const bytes = await wholeFile(path);
  if (!path.toLowerCase().endsWith(".npz")) return { array: parseNpy(bytes, path) };
  let entries: Record<string, Uint8Array>;
  let [arrays, unpacked] = [0, 0];
  try {
    // Check the sizes in the archive's directory first; unzipSync never unpacks more than they state.
    unzipSync(bytes, {
      filter: ({ name, originalSize }) => {
        unpacked += originalSize;
        if (name.length > maxName) throw new Error(`the name of an array has ${name.length} characters; at most ${maxName} are allowed`);
        if (++arrays > maxArrays) throw new Error(`more than ${maxArrays} arrays`);
        return false;
      },
    });
    requireUnpackable(bytes.length, unpacked);
    entries = unzipSync(bytes);
  } catch (error) {
    throw new Error(`${path} cannot be unpacked: ${messageOf(error)}`, { cause: error });
  }
  return Object.fromEntries(Object.entries(entries).map(([name, content]) => [name.replace(/\.npy$/, ""), parseNpy(content, `${path}: ${name}`)]));
}

/** Header of a .npy file of NumPy's format 1.0, which the values follow. */
export function npyHeader(shape: readonly number[], type: "<f4" | "<f8"): Uint8Array {
  const dimensions = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const header = `{'descr': '${type}', 'fortran_order': False, 'shape': (${dimensions}), }`;
  // Everything before the data fills a multiple of 64 bytes and ends with a line feed.
  const start = Math.ceil((10 + header.length + 1) / 64) * 64;
  const file = Buffer.alloc(start, " ");
  file.set([...magic, 1, 0]);
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
