/** Reads a batch with its loss and gradients from a .npz file, with every value as it stands. */
import { unzipSync } from "fflate";
import { messageOf } from "../../shared/errors.ts";
import { GraphError } from "./errors.ts";

export interface BatchArray {
  readonly shape: readonly number[];
  readonly kind: "float" | "int";
  /** Whether the values are stored with 8 bytes each. */
  readonly double: boolean;
  /** Row-major. */
  readonly data: Float64Array;
}

const limits = { arrays: 20_000, bytes: 2 ** 32 } as const;
const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

interface Type {
  readonly size: number;
  readonly kind: "float" | "int";
  read(view: DataView, at: number, little: boolean): number;
}

const types: Readonly<Record<string, Type>> = {
  b1: { size: 1, kind: "int", read: (v, at) => v.getUint8(at) },
  u1: { size: 1, kind: "int", read: (v, at) => v.getUint8(at) },
  i1: { size: 1, kind: "int", read: (v, at) => v.getInt8(at) },
  u2: { size: 2, kind: "int", read: (v, at, little) => v.getUint16(at, little) },
  i2: { size: 2, kind: "int", read: (v, at, little) => v.getInt16(at, little) },
  u4: { size: 4, kind: "int", read: (v, at, little) => v.getUint32(at, little) },
  i4: { size: 4, kind: "int", read: (v, at, little) => v.getInt32(at, little) },
  u8: { size: 8, kind: "int", read: (v, at, little) => Number(v.getBigUint64(at, little)) },
  i8: { size: 8, kind: "int", read: (v, at, little) => Number(v.getBigInt64(at, little)) },
  f4: { size: 4, kind: "float", read: (v, at, little) => v.getFloat32(at, little) },
  f8: { size: 8, kind: "float", read: (v, at, little) => v.getFloat64(at, little) },
};

function parsed(bytes: Uint8Array, what: string): BatchArray {
  const damaged = (why: string) => new GraphError(`${what}: ${why}; write it with numpy.savez`);
  if (bytes.length < 12 || !magic.every((byte, i) => bytes[i] === byte)) throw damaged("not an array of NumPy");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = bytes[6]! >= 2 ? 12 : 10;
  const at = start + (bytes[6]! >= 2 ? view.getUint32(8, true) : view.getUint16(8, true));
  if (at > bytes.length) throw damaged("its header is truncated");
  const header = new TextDecoder("latin1").decode(bytes.subarray(start, at));
  const [, order, name] = /'descr':\s*'([<>|=])(\w\d)'/.exec(header) ?? [];
  const type = types[name ?? ""];
  if (!type) throw damaged(`the type ${/'descr':\s*([^,]+)/.exec(header)?.[1] ?? "unknown"} is not supported; allowed: ${Object.keys(types).join(", ")}`);
  const shape = (/'shape':\s*\(([^)]*)\)/.exec(header)?.[1] ?? "").split(",").flatMap((n) => (n.trim() === "" ? [] : [Number(n)]));
  if (shape.length > 32 || !shape.every((n) => Number.isSafeInteger(n) && n >= 0)) throw damaged(`the shape (${shape.join(", ")}) is not allowed`);
  const size = shape.reduce((product, n) => product * n, 1);
  if (bytes.length !== at + size * type.size) throw damaged(`${bytes.length} bytes, but an array of the shape (${shape.join(", ")}) has ${at + size * type.size}`);
  const stored = new Float64Array(size);
  for (let i = 0; i < size; i++) stored[i] = type.read(view, at + i * type.size, order !== ">");
  const isFortran = /'fortran_order':\s*True/.test(header) && shape.length > 1;
  return { shape, kind: type.kind, double: type.size === 8, data: isFortran ? rowMajor(stored, shape) : stored };
}

function rowMajor(columns: Float64Array, shape: readonly number[]): Float64Array {
  const strides = shape.map((_, axis) => shape.slice(0, axis).reduce((product, n) => product * n, 1));
  return columns.map((_, i) => {
    let [rest, at] = [i, 0];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += (rest % shape[axis]!) * strides[axis]!;
      rest = Math.floor(rest / shape[axis]!);
    }
    return columns[at]!;
  });
}

/** Arrays of a .npz file by name. @throws GraphError */
export function readBatch(bytes: Uint8Array): Map<string, BatchArray> {
  let entries: Record<string, Uint8Array>;
  let [arrays, size] = [0, 0];
  try {
    unzipSync(bytes, {
      filter: ({ originalSize }) => {
        size += originalSize;
        if (++arrays > limits.arrays) throw new Error(`it has more than ${limits.arrays} arrays`);
        if (size > limits.bytes) throw new Error(`its arrays have more than ${limits.bytes} bytes`);
        return false;
      },
    });
    entries = unzipSync(bytes);
  } catch (error) {
    throw new GraphError(`the batch cannot be unpacked (${messageOf(error)}); write it with numpy.savez`);
  }
  return new Map(Object.entries(entries).map(([name, content]) => [name.replace(/\.npy$/, ""), parsed(content, `the batch's array ${name.replace(/\.npy$/, "")}`)]));
}
