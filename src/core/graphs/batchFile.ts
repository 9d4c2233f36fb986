/** Reads a batch with its loss and gradients from a .npz file, with every value as it stands. */
import { messageOf } from "../../shared/errors.ts";
import { fromFortran, npyMagic, npyTypes } from "../../shared/npy.ts";
import { unzipped } from "../../shared/zip.ts";
import { GraphError } from "./errors.ts";

export interface BatchArray {
  readonly shape: readonly number[];
  readonly kind: "float" | "int";
  /** Whether the values are stored with 8 bytes each. */
  readonly double: boolean;
  /** Row-major. */
  readonly data: Float64Array;
}

/** Half precision holds no loss to compare with. */
const types = Object.fromEntries(Object.entries(npyTypes).filter(([code]) => code !== "f2"));

function parsed(bytes: Uint8Array, what: string): BatchArray {
  const damaged = (why: string) => new GraphError(`${what}: ${why}; write it with numpy.savez`);
  if (bytes.length < 12 || !npyMagic.every((byte, i) => bytes[i] === byte)) throw damaged("not an array of NumPy");
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
  return { shape, kind: type.into === "float" ? "float" : "int", double: type.size === 8, data: isFortran ? fromFortran(stored, shape, (count) => new Float64Array(count)) : stored };
}

/** Arrays of a .npz file by name. @throws GraphError */
export function readBatch(bytes: Uint8Array): Map<string, BatchArray> {
  let entries: Map<string, Uint8Array>;
  try {
    entries = unzipped(bytes);
  } catch (error) {
    throw new GraphError(`the batch cannot be unpacked: ${messageOf(error)}; write it with numpy.savez`);
  }
  return new Map(Array.from(entries, ([name, content]) => [name.replace(/\.npy$/, ""), parsed(content, `the batch's array ${name.replace(/\.npy$/, "")}`)]));
}
