/**
 * Where a worker has its units from, and where it hands in what it trained: a folder (Slurm) or a queue. The same worker
 * trains both.
 */
import type { Unit } from "../../../shared/fleet/unit.ts";
import type { WorkerState } from "../../../shared/fleet/worker.ts";
import type { UnitSteering } from "../fleet.ts";

export interface KeptCheckpoint {
  readonly run: string;
  readonly step: number;
  readonly bytes: Uint8Array;
}

/** A unit that this worker has taken, until end(). */
export interface Claim {
  readonly unit: Unit;
  /** 1 for the first; larger where an earlier attempt was lost. */
  readonly attempt: number;
  /**
   * The newest checkpoint of a run: one that an earlier attempt handed in, else the one that came with the unit; null where
   * there is none. Segments of earlier attempts reach at least up to it.
   */
  checkpoint(run: string): Promise<KeptCheckpoint | null>;
  /** Runs that an earlier attempt handed in whole; they are not trained again. */
  endedRuns(): Promise<ReadonlySet<string>>;
  /** Folder in which the unit's imported networks are. */
  networks(): Promise<string>;
  /** Hands in a segment; resolves when it outlasts this machine. Repeating one that is there changes nothing. @throws FleetError */
  putSegment(sequence: number, bytes: Uint8Array, endedRuns: readonly string[]): Promise<void>;
  /** Hands in a checkpoint after the segments up to `sequence`; replaces the run's earlier one. @throws FleetError */
  putCheckpoint(checkpoint: KeptCheckpoint, sequence: number): Promise<void>;
  /** Requests so far and from now on. Returns the function that unsubscribes. */
  onSteering(listener: (steering: UnitSteering) => void): () => void;
  /** The unit was taken away (another attempt has begun, or it was canceled): hand in nothing more. */
  onLost(listener: (reason: string) => void): () => void;
  /** The attempt was given up without an end: gives no further sign of life, so that the unit goes to another. */
  release?(): void;
  /** @param outcome `ended`: all handed in. `left`: to be continued from its checkpoints, elsewhere or later. `failed`: with a reason */
  end(outcome: { readonly type: "ended" } | { readonly type: "left"; readonly reason: string } | { readonly type: "failed"; readonly reason: string }): Promise<void>;
}

export interface WorkSource {
  /** Registers the worker, and gives signs of life until close(). */
  begin(worker: Omit<WorkerState, "seenAt" | "load" | "units" | "draining">): Promise<void>;
  /** The next unit that this worker can train; null when there is none and none will come. Waits for one otherwise, or until close(). */
  next(canTrain: (unit: Unit) => string | null): Promise<Claim | null>;
  close(): Promise<void>;
}
