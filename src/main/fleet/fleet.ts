/**
 * Where units of work are trained: the interface of every fleet. A fleet keeps units, what their workers hand in, and what
 * it knows of them, until they are taken in; it survives the process that submitted them.
 */
import type { Unit } from "../../shared/fleet/unit.ts";
import type { WorkerState } from "../../shared/fleet/worker.ts";

/**
 * `waiting`: not started yet, or started again after an attempt was lost. `running`: a worker trains it. `ended`: a worker
 * handed in all of it. `failed`: set aside with a reason, after all attempts. `canceled`: by request. `unknown`: the fleet
 * has no such unit.
 */
export type UnitState = "waiting" | "running" | "ended" | "failed" | "canceled" | "unknown";

export interface UnitNews {
  readonly unit: string;
  readonly state: UnitState;
  /** Attempts begun so far. */
  readonly attempts: number;
  /** Where it is trained or was last: a node, a worker. */
  readonly where: string | null;
  /** Why it waits or failed, as people are shown it. */
  readonly reason: string | null;
  /** Its name there, such as the job `1234_5`. */
  readonly job: string | null;
}

/** A segment of what an attempt hands in. Sequence numbers count from 0 without gaps within an attempt, attempts from 1. */
export interface SegmentRef {
  readonly unit: string;
  readonly attempt: number;
  readonly sequence: number;
}

/** The newest checkpoint of a run that a worker handed in. It holds once all segments up to `sequence` of its attempt are taken in. */
export interface CheckpointRef {
  readonly unit: string;
  readonly run: string;
  readonly attempt: number;
  readonly sequence: number;
  readonly step: number;
  /** Bytes. */
  readonly size: number;
}

/** A file that goes with a unit. `checkpoint`: `name` is the run that resumes from it. `network`: `name` is its SHA-256. */
export interface UnitFile {
  readonly kind: "checkpoint" | "network";
  readonly name: string;
  /** Path on the machine that submits. */
  readonly path: string;
}

export interface UnitPackage {
  readonly unit: Unit;
  readonly files: readonly UnitFile[];
}

/** Requests to the worker of a unit, about one run or all. They stay until the unit ends. */
export type UnitSteering = { readonly type: "pause" | "resume" | "stop" | "leave"; readonly run: string | null };

/** What happened since the last look. */
export interface FleetNews {
  readonly units: readonly UnitNews[];
  /** Segments that are there and were not taken in, in order of attempt and sequence for each unit; not more than asked for. */
  readonly segments: readonly SegmentRef[];
  readonly checkpoints: readonly CheckpointRef[];
}

export interface Fleet {
  /** As in `--on`: `local`, `slurm:PROFILE`, `folder:DIR`, `queue`. */
  readonly name: string;
  readonly kind: "slurm" | "folder" | "queue";
  /** Longest time in milliseconds that a unit may run there; null for no limit. */
  readonly longest: number | null;
  /** Keeps units durably; those that it has already, by id, are left as they are. @throws FleetError, after which none or some are kept */
  submit(units: readonly UnitPackage[]): Promise<void>;
  /**
   * State of these units and what they handed in since it was taken in.
   * @param segments at most so many, so that a coordinator that was away for a week stays within its memory
   * @throws FleetError where the fleet cannot be reached at present; it is asked again
   */
  look(units: readonly string[], segments: number): Promise<FleetNews>;
  /** @throws FleetError where it cannot be read at present. The bytes are checked by the reader of segments, not here. */
  read(segment: SegmentRef): Promise<Uint8Array>;
  readCheckpoint(checkpoint: CheckpointRef): Promise<Uint8Array>;
  /** These segments are committed in the store: they may be deleted. */
  taken(segments: readonly SegmentRef[]): Promise<void>;
  steer(unit: string, steering: UnitSteering): Promise<void>;
  /** Ends units that wait or run; checkpoints and segments that were handed in stay until forget(). */
  cancel(units: readonly string[]): Promise<void>;
  /** Tries failed units again. */
  retry(units: readonly string[]): Promise<void>;
  /** Removes all that is left of units that were taken in whole. */
  forget(units: readonly string[]): Promise<void>;
  /** Workers that gave a sign of life lately. */
  workers(): Promise<readonly WorkerState[]>;
  /** A worker takes no further unit, or does again. */
  drain(worker: string, draining: boolean): Promise<void>;
  /** Calls the listener when a look is worth while, where the fleet can tell; the coordinator looks every few seconds in any case. */
  onNews?(listener: () => void): () => void;
  /** Lets go of connections. Units go on. */
  close(): Promise<void>;
}

/** The fleet cannot be used: what was tried, why it failed, what to do. `retry`: whether it may work later without a change. */
export class FleetError extends Error {
  readonly retry: boolean;

  constructor(message: string, { retry, cause }: { readonly retry: boolean; readonly cause?: unknown }) {
    super(message, { cause });
    this.name = "FleetError";
    this.retry = retry;
  }
}
