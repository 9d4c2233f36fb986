/** Checkpoint file: everything a run needs to continue exactly. */
import { z } from "zod";
import type { StateValues } from "../engines/engine.ts";
import type { GuardMemory } from "./guardMemory.ts";
import { arrayEntry, decodeContainer, encodeContainer, packArrays, readHeader, type Container } from "./container.ts";
import { writtenExperiment } from "./owner.ts";

/** A run's position, always between two steps. */
const position = z.strictObject({
  /** Steps completed, which is the number of the next step. */
  step: z.int().min(0),
  /** Whether an update is pending: false before the first step and after a rollback to it. */
  begun: z.boolean(),
  /** Epoch of the next step, from 1. */
  epoch: z.int().min(1),
  /** Sum of losses since the latest evaluation, and the number of examples in it. */
  lossSum: z.number(),
  examples: z.int().min(0),
  /** Step of the latest scheduled evaluation; null before the first. */
  evaluated: z.int().min(0).nullable(),
  /** State of the shuffling generator before it drew this epoch's order. */
  shuffling: z.array(z.int()),
});

/** The guard's memory without its snapshots' values. */
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
  experiment: writtenExperiment,
  engine: z.string(),
  savedAt: z.number(),
  position,
  guard: guardMemory.nullable(),
  /** Entries of the arrays that follow, in order. */
  state: z.array(arrayEntry),
});

export type Position = z.infer<typeof position>;
type Header = z.infer<typeof header>;

export interface Checkpoint extends Omit<Header, "state" | "guard"> {
  readonly state: StateValues;
  /** Null without a guard. */
  readonly guard: GuardMemory | null;
}

const container: Container<Header> = { magic: "HYPTCKPT", what: "checkpoint of Hypertower", version: 1, header };

/** Name in the file of a state variable in the guard's nth snapshot. */
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
  const { entries, bytes } = packArrays([...Object.entries(state), ...kept]);
  return encodeContainer(container, { ...rest, guard: guard && guardHeader(guard), state: entries }, bytes);
}

/** Whose checkpoint it is and where its run stands, without the values. */
export type CheckpointHeader = Omit<Header, "state" | "guard">;

/** Reads the header alone; see readHeader. @throws CheckpointError saying what is wrong with the file */
export async function readCheckpointHeader(read: (at: number, length: number) => Promise<Buffer>, size: number): Promise<CheckpointHeader> {
  const { state: _state, guard: _guard, ...rest } = (await readHeader(container, read, size, ({ state }) => state)).header;
  return rest;
}

/** @throws CheckpointError saying what is wrong with the file */
export function decodeCheckpoint(file: Buffer): Checkpoint {
  const { header: head, arrays } = decodeContainer(container, file, ({ state }) => state);
  return { ...head, ...withSnapshots(head.guard, arrays) };
}

/** Splits the values of the guard's snapshots from the others in the file. */
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
