/**
 * Format of checkpoint and weight files: arrays with a header that names their owner.
 *
 * Eight bytes of magic, header length (uint32, little-endian), the header as JSON, the arrays in
 * the
 * header's order, and SHA-256 of everything before it.
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import { fieldErrors } from "../../shared/experiment.ts";
import { decodeValues, encodeValues, widthOf } from "./stateCodec.ts";

/** A checkpoint or weights file that cannot be used; the message says why. */
export class CheckpointError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "CheckpointError";
  }
}

export interface Container<H> {
  /** Eight characters. */
  readonly magic: string;
  /** Description in messages: `a checkpoint of Hypertower`. */
  readonly what: string;
  readonly version: number;
  readonly header: z.ZodType<H>;
}

export const arrayEntry = z.strictObject({ name: z.string(), dtype: z.enum(["float32", "float64"]), length: z.int().min(0) });
type ArrayEntry = z.infer<typeof arrayEntry>;

const hashLength = 32;
const prefixLength = 8 + 4;

/** Header entries and bytes of named arrays. */
export function packArrays(arrays: Iterable<readonly [name: string, values: Float64Array]>): { readonly entries: ArrayEntry[]; readonly bytes: Buffer[] } {
  const packed = [...arrays].map(([name, values]) => ({ name, length: values.length, ...encodeValues(values) }));
  return { entries: packed.map(({ name, dtype, length }) => ({ name, dtype, length })), bytes: packed.map(({ bytes }) => bytes) };
}

export function encodeContainer<H>({ magic, version }: Container<H>, header: H, arrays: readonly Buffer[]): Buffer {
  const text = Buffer.from(JSON.stringify({ version, ...header }));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  const parts = [Buffer.from(magic), length, text, ...arrays];
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return Buffer.concat([...parts, hash.digest()]);
}

/**
 * Decodes the header and the arrays listed by `entries`.
 * @throws CheckpointError saying what is wrong with the file
 */
export function decodeContainer<H>(kind: Container<H>, file: Buffer, entries: (header: H) => readonly ArrayEntry[]): { readonly header: H; readonly arrays: Map<string, Float64Array> } {
  const { header, end } = decodeHeader(kind, file);
  const body = file.subarray(0, -hashLength);
  const sum = createHash("sha256").update(body).digest();
  if (!sum.equals(file.subarray(-hashLength))) throw new CheckpointError("it is damaged: its checksum does not match");
  let at = end;
  const arrays = entries(header).map(({ name, dtype, length }) => {
    const bytes = body.subarray(at, (at += length * widthOf[dtype]));
    if (at > body.length) throw new CheckpointError(`it is damaged: the values of ${name} are missing`);
    return [name, decodeValues(dtype, bytes)] as const;
  });
  return { header, arrays: new Map(arrays) };
}

/** Returns up to `length` bytes of a file from `at`. */
export type ReadBytes = (at: number, length: number) => Promise<Buffer>;

/**
 * Reads the header without the arrays, which begin at `end`.
 * @param size size of the file
 * @throws CheckpointError saying what is wrong with the file
 */
export async function readHeader<H>(kind: Container<H>, read: ReadBytes, size: number, entries: (header: H) => readonly ArrayEntry[]): Promise<{ readonly header: H; readonly end: number }> {
  const prefix = await read(0, prefixLength);
  const length = prefix.length < prefixLength || prefix.toString("latin1", 0, kind.magic.length) !== kind.magic ? 0 : Math.min(prefix.readUInt32LE(kind.magic.length), size);
  const { header, end } = decodeHeader(kind, await read(0, prefixLength + length), size);
  const whole = entries(header).reduce((at, { dtype, length: values }) => at + values * widthOf[dtype], end + hashLength);
  if (whole > size) throw new CheckpointError("it is damaged: it ends too early");
  return { header, end };
}

const blockLength = 1 << 20;

/** The bytes from `at` to `end`, in blocks of at most 1 MiB. @throws CheckpointError where the file ends before */
export async function* readBlocks(read: ReadBytes, at: number, end: number): AsyncGenerator<Buffer> {
  while (at < end) {
    const block = await read(at, Math.min(blockLength, end - at));
    if (block.length === 0) throw new CheckpointError("it is damaged: it ends too early");
    yield block;
    at += block.length;
  }
}

/** Checks the checksum block by block. @throws CheckpointError where it does not match */
export async function requireIntact(read: ReadBytes, size: number): Promise<void> {
  const hash = createHash("sha256");
  for await (const block of readBlocks(read, 0, size - hashLength)) hash.update(block);
  if (!hash.digest().equals(await read(size - hashLength, hashLength))) throw new CheckpointError("it is damaged: its checksum does not match");
}

/** Decodes the header at the start of the file. @throws CheckpointError */
function decodeHeader<H>({ magic, what, version, header }: Container<H>, file: Buffer, size = file.length): { header: H; end: number } {
  if (file.toString("latin1", 0, magic.length) !== magic) throw new CheckpointError(`it is not a ${what}`);
  const end = file.length < prefixLength ? Infinity : prefixLength + file.readUInt32LE(magic.length);
  if (end + hashLength > size) throw new CheckpointError("it is damaged: it ends too early");
  let read: unknown;
  try {
    read = JSON.parse(file.toString("utf8", prefixLength, end));
  } catch (error) {
    throw new CheckpointError("it is damaged: its header cannot be read", { cause: error });
  }
  const written = z.looseObject({ version: z.number() }).safeParse(read);
  if (!written.success) throw new CheckpointError("it is damaged: its header has no version");
  const { version: found, ...rest } = written.data;
  if (found !== version) throw new CheckpointError(`it has version ${found}; this Hypertower reads version ${version}`);
  const parsed = header.safeParse(rest);
  if (!parsed.success) {
    const [first] = fieldErrors(parsed.error);
    throw new CheckpointError(`it is damaged: ${first!.path}: ${first!.message}`);
  }
  return { header: parsed.data, end };
}
