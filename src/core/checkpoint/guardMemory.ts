/** What a guard against divergence remembers, which a checkpoint keeps. */
import type { StateValues } from "../engines/engine.ts";

/** A state to go back to. */
export interface Snapshot {
  /** Step that comes next. */
  readonly step: number;
  /** Whether an update is pending: not before the first step. */
  readonly begun: boolean;
  readonly state: StateValues;
  /** Whether it was gone back to: it may be where the trouble began. */
  readonly used: boolean;
}

/** All it remembers. */
export interface GuardMemory {
  /** Times it went back. */
  readonly rollbacks: number;
  /** The first loss; null before it. */
  readonly first: number | null;
  /** The last good losses by step. */
  readonly losses: readonly (readonly [step: number, loss: number])[];
  /** First of the steps in a row whose loss was too high; null while it is not. */
  readonly since: number | null;
  /** Hyperparameters, effective, of the latest step at which all of them were finite. */
  readonly values: readonly number[] | null;
  /** The older first. */
  readonly snapshots: readonly Snapshot[];
}
