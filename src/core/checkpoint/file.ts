/** A checkpoint as a file: everything a run needs to go on as if nothing had happened. */
import { z } from "zod";
import type { StateValues } from "../engines/engine.ts";
import type { GuardMemory } from "./guardMemory.ts";
import { arrayEntry, decodeContainer, encodeContainer, packArrays, type Container } from "./container.ts";
import { writtenExperiment } from "./owner.ts";

/** Where a run stands, always between two steps. */
const position = z.strictObject({
  /** Steps taken: the next one has this number. */
  step: z.int().min(0),
  /** Whether an update is pending: not before the first step, nor where the guard went back there. */
  begun: z.boolean(),
  /** Epoch of the next step, from 1. */
  epoch: z.int().min(1),
  /** Sum of the losses of the examples since the latest evaluation, and their number. */
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
  experiment: writtenExperiment,
  engine: z.string(),
  savedAt: z.number(),
  position,
  guard: guardMemory.nullable(),
  /** The arrays that follow, in their order. */
  state: z.array(arrayEntry),
});

export type Position = z.infer<typeof position>;
type Header = z.infer<typeof header>;

export interface Checkpoint extends Omit<Header, "state" | "guard"> {
  readonly state: StateValues;
  /** Null where there is no guard. */
  readonly guard: GuardMemory | null;
}

const container: Container<Header> = { magic: "HYPTCKPT", what: "checkpoint of Hypertower", version: 1, header };

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
  const { entries, bytes } = packArrays([...Object.entries(state), ...kept]);
  return encodeContainer(container, { ...rest, guard: guard && guardHeader(guard), state: entries }, bytes);
}

/** @throws CheckpointError saying what is wrong with it */
export function decodeCheckpoint(file: Buffer): Checkpoint {
  const { header: head, arrays } = decodeContainer(container, file, ({ state }) => state);
  return { ...head, ...withSnapshots(head.guard, arrays) };
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
