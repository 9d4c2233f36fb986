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
import type { GuardMemory } from "../guard.ts";
import { decodeValues, encodeValues, widthOf } from "../stateCodec.ts";

const magic = Buffer.from("HYPTCKPT");
const version = 1;
const hashLength = 32;
const prefixLength = magic.length + 4;

/** Where a run stands, always between two steps. */
const position = z.strictObject({
  /** Steps taken: the next one has this number. */
  step: z.int().min(0),
  /** Whether an update is pending: not before the first step, nor where the guard went back there. */
  begun: z.boolean(),
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

/** What the guard remembers, its snapshots' values aside. */
const guardMemory = z.strictObject({
  rollbacks: z.int().min(0),
  first: z.number().nullable(),
  losses: z.array(z.tuple([z.int(), z.number()])),
  since: z.int().nullable(),
  values: z.array(z.number()).nullable(),
  snapshots: z.array(z.strictObject({ step: z.int().min(0), begun: z.boolean(), used: z.boolean() })),
});

const header = z.strictObject({
  run: z.string(),
  /** SHA-256 of the experiment: see experimentHash(). */
  experiment: z.string(),
  engine: z.string(),
  savedAt: z.number(),
  position,
  guard: guardMemory.nullable(),
  /** The arrays that follow, in their order. */
  state: z.array(z.strictObject({ name: z.string(), dtype: z.enum(["float32", "float64"]), length: z.int().min(0) })),
});

export type Position = z.infer<typeof position>;
type Header = z.infer<typeof header>;

export interface Checkpoint extends Omit<Header, "state" | "guard"> {
  readonly state: StateValues;
  /** Null where there is no guard. */
  readonly guard: GuardMemory | null;
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

/** Of the state of the guard's nth snapshot, the name under which a file has it. */
const inSnapshot = (index: number, name: string) => `snapshot ${index}: ${name}`;

function guardHeader({ losses, values, snapshots, ...rest }: GuardMemory): NonNullable<Header["guard"]> {
  return {
    ...rest,
    losses: losses.map(([step, loss]) => [step, loss]),
    values: values && [...values],
    snapshots: snapshots.map(({ step, begun, used }) => ({ step, begun, used })),
  };
}

export function encodeCheckpoint({ state, guard, ...rest }: Checkpoint): Buffer {
  const kept = (guard?.snapshots ?? []).flatMap((snapshot, i) => Object.entries(snapshot.state).map(([name, values]) => [inSnapshot(i, name), values] as const));
  const arrays = [...Object.entries(state), ...kept].map(([name, values]) => ({ name, length: values.length, ...encodeValues(values) }));
  const head: Header = { ...rest, guard: guard && guardHeader(guard), state: arrays.map(({ name, dtype, length }) => ({ name, dtype, length })) };
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
  return { ...head, ...withSnapshots(head.guard, new Map(state)) };
}

/** Takes the values of the guard's snapshots out of all that a file holds. */
function withSnapshots(guard: Header["guard"], all: Map<string, Float64Array>): Pick<Checkpoint, "state" | "guard"> {
  const snapshots = guard?.snapshots.map((snapshot, i) => {
    const state: Record<string, Float64Array> = {};
    for (const [name, values] of all) {
      if (!name.startsWith(inSnapshot(i, ""))) continue;
      state[name.slice(inSnapshot(i, "").length)] = values;
      all.delete(name);
    }
    return { ...snapshot, state };
  });
  return { state: Object.fromEntries(all), guard: guard && { ...guard, snapshots: snapshots ?? [] } };
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
