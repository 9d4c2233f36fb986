/**
 * A folder that a coordinator and workers share, over a network file system too. Files appear in it by renaming, so that
 * none is ever seen in part; no locks are relied on.
 *
 *   format.json                          of which version the layout is
 *   units/UNIT/unit.json                 the unit
 *   units/UNIT/start/RUN                 checkpoints that came with it
 *   units/UNIT/attempts/000001/          made by the attempt's worker, which is named in worker.json
 *   units/UNIT/segments/000001-00000000  attempt and sequence
 *   units/UNIT/checkpoints/RUN@000001-00000000-1234   attempt, sequence, step
 *   units/UNIT/ended/RUN                 runs that were handed in whole
 *   units/UNIT/end/000001.json           how an attempt ended
 *   units/UNIT/steering/00000000.json    requests, in order
 *   units/UNIT/alive                     written by the worker every few seconds
 *   units/UNIT/canceled, failed, job.json
 *   networks/HASH.network                imported networks
 *   waiting/UNIT, taken/UNIT@WORKER      units for workers that were started by hand
 *   workers/WORKER.json, workers/WORKER.alive, draining/WORKER
 */
import { join } from "node:path";
import { z } from "zod";
import { identifier } from "../../../shared/fleet/unit.ts";
import { workerMachine } from "../../../shared/fleet/worker.ts";
import type { CheckpointRef, SegmentRef } from "../fleet.ts";

export const layoutFormat = 1;
export const formatFile = z.object({ hypertowerFleet: z.int() });

/** Beginning of names of files that are being written. */
export const partial = ".part-";

const padded = (value: number, digits: number) => String(value).padStart(digits, "0");

export const attemptName = (attempt: number) => padded(attempt, 6);
export const segmentName = ({ attempt, sequence }: Pick<SegmentRef, "attempt" | "sequence">) => `${padded(attempt, 6)}-${padded(sequence, 8)}`;
export const checkpointName = ({ run, attempt, sequence, step }: Pick<CheckpointRef, "run" | "attempt" | "sequence" | "step">) => `${run}@${padded(attempt, 6)}-${padded(sequence, 8)}-${step}`;

/** Undefined for other files. */
export function parseSegmentName(name: string): { attempt: number; sequence: number } | undefined {
  const [, attempt, sequence] = /^(\d{6,9})-(\d{8,10})$/.exec(name) ?? [];
  return attempt === undefined || sequence === undefined ? undefined : { attempt: Number(attempt), sequence: Number(sequence) };
}

/** Undefined for other files. */
export function parseCheckpointName(name: string): { run: string; attempt: number; sequence: number; step: number } | undefined {
  const [, run, attempt, sequence, step] = /^([A-Za-z0-9][A-Za-z0-9_-]{0,99})@(\d{6,9})-(\d{8,10})-(\d{1,15})$/.exec(name) ?? [];
  return run === undefined ? undefined : { run, attempt: Number(attempt), sequence: Number(sequence), step: Number(step) };
}

/** Paths of a unit. */
export class UnitPaths {
  readonly root: string;
  readonly unit: string;

  constructor(root: string, unit = "") {
    this.root = root;
    this.unit = unit;
  }

  /** @throws Error for what is no identifier: no path outside the folder is ever touched */
  static of(shared: string, unit: string): UnitPaths {
    return new UnitPaths(join(shared, "units", identifier.parse(unit)), unit);
  }

  at(...names: readonly string[]): string {
    return join(this.root, ...names);
  }

  readonly folders = ["start", "attempts", "segments", "checkpoints", "ended", "end", "steering"] as const;
}

export const attemptWorker = z.object({ worker: identifier, host: z.string().max(300), job: z.string().max(300).nullable() });
export const attemptEnd = z.object({ outcome: z.enum(["ended", "left", "failed"]), reason: z.string().max(100_000).nullable(), asked: z.boolean().default(false) });
export const steeringFile = z.object({ type: z.enum(["pause", "resume", "stop", "leave"]), run: identifier.nullable() });
export const workerFile = z.object({ id: identifier, machine: workerMachine, startedAt: z.number() });
export const workerAlive = z.object({ load: z.number().nullable(), units: z.array(identifier).max(1_000) });
