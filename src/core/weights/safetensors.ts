/**
 * Safetensors (https://huggingface.co/docs/safetensors): the length of a JSON header as 8 bytes, the header, and the
 * arrays without gaps. PyTorch's tools read and write it, and it can hold no code.
 */
import { z } from "zod";
import { messageOf } from "../../shared/errors.ts";
import { clipped } from "../../shared/text.ts";

/** A type of values, as the format names it. */
export type TensorType = keyof typeof types;

export interface Tensor {
  readonly shape: readonly number[];
  readonly type: TensorType;
  /** Row-major; int64 values beyond 2^53 are rounded. */
  readonly values: Float64Array;
}

export interface SafetensorsFile {
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** Texts that the writer added. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** A tensor whose bytes the caller writes after the header, in order. */
export interface TensorEntry {
  readonly name: string;
  readonly type: TensorType;
  readonly shape: readonly number[];
}

type Read = (view: DataView, at: number) => number;

const types = {
  F64: { width: 8, read: (view, at) => view.getFloat64(at, true) },
  I64: { width: 8, read: (view, at) => Number(view.getBigInt64(at, true)) },
  U64: { width: 8, read: (view, at) => Number(view.getBigUint64(at, true)) },
  F32: { width: 4, read: (view, at) => view.getFloat32(at, true) },
  I32: { width: 4, read: (view, at) => view.getInt32(at, true) },
  U32: { width: 4, read: (view, at) => view.getUint32(at, true) },
  F16: { width: 2, read: (view, at) => halfOf(view.getUint16(at, true)) },
  BF16: { width: 2, read: (view, at) => upperHalfOf(view.getUint16(at, true)) },
  I16: { width: 2, read: (view, at) => view.getInt16(at, true) },
  U16: { width: 2, read: (view, at) => view.getUint16(at, true) },
  I8: { width: 1, read: (view, at) => view.getInt8(at) },
  U8: { width: 1, read: (view, at) => view.getUint8(at) },
  BOOL: { width: 1, read: (view, at) => view.getUint8(at) },
} as const satisfies Record<string, { readonly width: number; readonly read: Read }>;

const typeNames = Object.keys(types) as [TensorType, ...TensorType[]];

/** Bytes of one value. */
export const widthOfType = (type: TensorType): number => types[type].width;

const lengthBytes = 8;
/** Limits of the format's own reader. */
const maxHeader = 100_000_000;
const maxTensors = 100_000;
/** The header ends at a multiple of this, so that the arrays are aligned. */
const alignment = 8;

const bytesOf = ({ type, shape }: TensorEntry): number => shape.reduce((size, n) => size * n, widthOfType(type));

/** Entries in the order of the file: wide values first, so that every array is aligned; then as given. */
export function inFileOrder<E extends TensorEntry>(entries: readonly E[]): E[] {
  return [...entries].sort((a, b) => widthOfType(b.type) - widthOfType(a.type));
}

/** The start of a file whose arrays follow in the order of `entries`; see inFileOrder(). */
export function safetensorsHeader(entries: readonly TensorEntry[], metadata: Readonly<Record<string, string>>): Uint8Array {
  let at = 0;
  const listed = entries.map((entry) => {
    const start = at;
    return [entry.name, { dtype: entry.type, shape: entry.shape, data_offsets: [start, (at += bytesOf(entry))] }] as const;
  });
  const text = Buffer.from(JSON.stringify(Object.fromEntries([["__metadata__", metadata], ...listed])));
  const file = Buffer.alloc(lengthBytes + Math.ceil(text.length / alignment) * alignment, " ");
  file.writeBigUInt64LE(BigInt(file.length - lengthBytes));
  file.set(text, lengthBytes);
  return file;
}

const entrySchema = z.strictObject({
  dtype: z.enum(typeNames, { error: ({ input }) => `its type is ${clipped(String(JSON.stringify(input)), 40)}; supported: ${typeNames.join(", ")}` }),
  shape: z.array(z.int("its shape needs whole numbers").min(0, "its shape has a negative number")).max(32, "its shape has more than 32 axes"),
  data_offsets: z.tuple([z.int().min(0), z.int().min(0)], { error: "data_offsets needs two whole numbers" }),
});
const metadataSchema = z.record(z.string(), z.string());

/**
 * Reads a whole file. The header is checked against the file before a value is read.
 * @throws Error saying what is wrong, naming the file as `source`
 */
export function parseSafetensors(bytes: Uint8Array, source: string): SafetensorsFile {
  const wrong = (what: string, cause?: unknown) => new Error(`${source}: ${what}`, { cause });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < lengthBytes) throw wrong(`not a .safetensors file: ${bytes.length} bytes`);
  const length = Number(view.getBigUint64(0, true));
  if (length > maxHeader || lengthBytes + length > bytes.length) {
    throw wrong(`not a .safetensors file, or cut off: its header would have ${length} bytes, and the file has ${bytes.length}`);
  }
  const start = lengthBytes + length;
  const { __metadata__: metadata = {}, ...entries } = headerOf(bytes.subarray(lengthBytes, start), wrong);
  const texts = metadataSchema.safeParse(metadata);
  if (!texts.success) throw wrong("its __metadata__ holds something that is not a text");
  const names = Object.keys(entries);
  if (names.length > maxTensors) throw wrong(`${names.length} arrays; at most ${maxTensors} are read`);

  let end = 0;
  const checked = names.map((name) => {
    const parsed = entrySchema.safeParse(entries[name]);
    if (!parsed.success) throw wrong(`the array ${clipped(name, 100)}: ${parsed.error.issues[0]!.message}`);
    return { name, type: parsed.data.dtype, shape: parsed.data.shape, offsets: parsed.data.data_offsets };
  });
  for (const { name, type, shape, offsets } of [...checked].sort((a, b) => a.offsets[0] - b.offsets[0] || a.offsets[1] - b.offsets[1])) {
    const size = bytesOf({ name, type, shape });
    if (offsets[1] - offsets[0] !== size) throw wrong(`the array ${clipped(name, 100)} has ${offsets[1] - offsets[0]} bytes; ${shape.join(" x ") || "one value"} of ${type} needs ${size}`);
    if (offsets[0] !== end) throw wrong(`the array ${clipped(name, 100)} begins at byte ${offsets[0]} of the data; the one before ends at ${end}`);
    end = offsets[1];
  }
  if (start + end !== bytes.length) throw wrong(`the arrays have ${end} bytes, and ${bytes.length - start} follow the header`);
  const tensors = checked.map(({ name, type, shape, offsets }) => [name, { shape, type, values: valuesOf(view, type, start + offsets[0], start + offsets[1]) }] as const);
  return { tensors: new Map(tensors), metadata: texts.data };
}

function headerOf(bytes: Uint8Array, wrong: (what: string, cause?: unknown) => Error): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw wrong(`its header is not JSON (${messageOf(error)})`, error);
  }
  const object = z.record(z.string(), z.unknown()).safeParse(header);
  if (!object.success) throw wrong("its header is not a JSON object");
  return object.data;
}

function valuesOf(view: DataView, type: TensorType, from: number, end: number): Float64Array {
  const { width, read }: { width: number; read: Read } = types[type];
  return Float64Array.from({ length: (end - from) / width }, (_, i) => read(view, from + i * width));
}

/** An IEEE half-precision number from its bits. */
function halfOf(bits: number): number {
  const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const single = new DataView(new ArrayBuffer(4));

/** A bfloat16 from its bits: the upper half of a float32. */
function upperHalfOf(bits: number): number {
  single.setUint32(0, bits * 65536);
  return single.getFloat32(0);
}
