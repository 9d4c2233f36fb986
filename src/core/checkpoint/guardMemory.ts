/** The divergence guard's memory, which a checkpoint stores. */
import type { StateValues } from "../engines/engine.ts";

/** A state for a rollback. */
export interface Snapshot {
  /** Next step. */
  readonly step: number;
  /** Whether an update is pending: false before the first step. */
  readonly begun: boolean;
  readonly state: StateValues;
  /** Whether a rollback used it: the trouble may have started there. */
  readonly used: boolean;
}

/** The guard's whole memory. */
export interface GuardMemory {
  /** Number of rollbacks. */
  readonly rollbacks: number;
  /** The first loss; null before it. */
  readonly first: number | null;
  /** The latest good losses by step. */
  readonly losses: readonly (readonly [step: number, loss: number])[];
  /** First step of the current streak of bad losses; null when there is none. */
  readonly since: number | null;
  /** Effective hyperparameters at the latest step where all were finite. */
  readonly values: readonly number[] | null;
  /** Oldest first. */
  readonly snapshots: readonly Snapshot[];
}
