/**
 * A checkpoint as a file: everything a run needs to go on as if nothing had happened.
 *
 * `HYPTCKPT`, length of the header (uint32, little-endian), the header as JSON, the arrays
 * one after the other as the header lists them, and SHA-256 of all that stands before it.
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import { fieldErrors, type Experiment } from "../../../shared/experiment.ts";
import type { StateValues } from "../../engines/engine.ts";
import { decodeValues, encodeValues, widthOf } from "../stateCodec.ts";

const magic = Buffer.from("HYPTCKPT");
const version = 1;
const hashLength = 32;
const prefixLength = magic.length + 4;

/** Where a run stands, always between two steps. */
const position = z.strictObject({
  /** Steps taken: the next one has this number. */
  step: z.int().min(0),
  /** Epoch of the next step, from 1. */
  epoch: z.int().min(1),
  /** Sum of the losses of this epoch's examples so far, and their number. */
  lossSum: z.number(),
  examples: z.int().min(0),
  /** Step of the latest evaluation that belongs to the schedule; null before the first. */
  evaluated: z.int().min(0).nullable(),
  /** The generator of the epochs' orders as it was before this epoch's order was drawn. */
  shuffling: z.array(z.int()),
});

const header = z.strictObject({
  run: z.string(),
  /** SHA-256 of the experiment: see experimentHash(). */
  experiment: z.string(),
  engine: z.string(),
  savedAt: z.number(),
  position,
  /** The arrays that follow, in their order. */
  state: z.array(z.strictObject({ name: z.string(), dtype: z.enum(["float32", "float64"]), length: z.int().min(0) })),
});

export type Position = z.infer<typeof position>;
type Header = z.infer<typeof header>;

export interface Checkpoint extends Omit<Header, "state"> {
  readonly state: StateValues;
}

/** A checkpoint that cannot be used; the message says why. */
export class CheckpointError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "CheckpointError";
  }
}

/** Tells experiments apart by everything but their name. */
export function experimentHash({ name: _name, ...experiment }: Experiment): string {
  return createHash("sha256").update(JSON.stringify(sorted(experiment))).digest("hex");
}

/** The same values with the fields of every object in one order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, inner]) => [key, sorted(inner)]));
}

export function encodeCheckpoint({ state, ...rest }: Checkpoint): Buffer {
  const arrays = Object.entries(state).map(([name, values]) => ({ name, length: values.length, ...encodeValues(values) }));
  const head: Header = { ...rest, state: arrays.map(({ name, dtype, length }) => ({ name, dtype, length })) };
  const text = Buffer.from(JSON.stringify({ version, ...head }));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  const parts = [magic, length, text, ...arrays.map(({ bytes }) => bytes)];
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return Buffer.concat([...parts, hash.digest()]);
}

/** @throws CheckpointError saying what is wrong with it */
export function decodeCheckpoint(file: Buffer): Checkpoint {
  const { head, end } = decodeHeader(file);
  const body = file.subarray(0, -hashLength);
  const sum = createHash("sha256").update(body).digest();
  if (!sum.equals(file.subarray(-hashLength))) throw new CheckpointError("it is damaged: its checksum is not the one it was written with");
  let at = end;
  const state = head.state.map(({ name, dtype, length }) => {
    const bytes = body.subarray(at, (at += length * widthOf[dtype]));
    if (at > body.length) throw new CheckpointError(`it is damaged: the values of ${name} are missing`);
    return [name, decodeValues(dtype, bytes)] as const;
  });
  return { ...head, state: Object.fromEntries(state) };
}

/** The header alone, from the beginning of the file. @throws CheckpointError */
function decodeHeader(file: Buffer): { head: Header; end: number } {
  if (!file.subarray(0, magic.length).equals(magic)) throw new CheckpointError("it is no checkpoint of Hypertower");
  const end = file.length < prefixLength ? Infinity : prefixLength + file.readUInt32LE(magic.length);
  if (end + hashLength > file.length) throw new CheckpointError("it is damaged: it ends too early");
  let read: unknown;
  try {
    read = JSON.parse(file.toString("utf8", prefixLength, end));
  } catch (error) {
    throw new CheckpointError("it is damaged: its header cannot be read", { cause: error });
  }
  const written = z.looseObject({ version: z.number() }).safeParse(read);
  if (!written.success) throw new CheckpointError("it is damaged: its header names no version");
  const { version: found, ...rest } = written.data;
  if (found !== version) throw new CheckpointError(`it has version ${found}; this Hypertower reads version ${version}`);
  const parsed = header.safeParse(rest);
  if (!parsed.success) {
    const [first] = fieldErrors(parsed.error);
    throw new CheckpointError(`it is damaged: ${first!.path}: ${first!.message}`);
  }
  return { head: parsed.data, end };
}
