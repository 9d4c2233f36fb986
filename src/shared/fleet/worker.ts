/** A worker: a process on some machine that trains units of work. */
import { z } from "zod";
import { engineKinds } from "../engines.ts";
import { identifier } from "./unit.ts";

/** What a worker says at its start about its machine. */
export const workerMachine = z.strictObject({
  host: z.string().max(300),
  platform: z.string().max(100),
  processor: z.string().max(300),
  cores: z.int().min(1).max(65_536),
  /** Bytes. */
  memory: z.number().min(0),
  /** Engines that were tried and work, with their devices. */
  engines: z.array(z.strictObject({ kind: z.enum(engineKinds), device: z.string().max(300), memory: z.number().nullable() })).max(100),
  versions: z.strictObject({ hypertower: z.string().max(100), node: z.string().max(100) }),
});
export type WorkerMachine = z.infer<typeof workerMachine>;

export const workerState = z.strictObject({
  id: identifier,
  machine: workerMachine,
  /** Milliseconds since 1970. */
  startedAt: z.number(),
  /** When it last gave a sign of life, by the clock of what keeps the units. */
  seenAt: z.number(),
  /** Mean number of busy cores during the last minute; null where the system does not tell. */
  load: z.number().nullable(),
  /** Units that it trains. */
  units: z.array(identifier).max(1_000),
  /** Whether it takes no further unit. */
  draining: z.boolean(),
});
export type WorkerState = z.infer<typeof workerState>;
