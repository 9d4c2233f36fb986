import type { Changes } from "./changes.ts";
import type { Log } from "./log.ts";

export interface StoreOptions {
  readonly log?: Log;
  /** Reads and commits that take longer (milliseconds) are logged. */
  readonly slowAfter?: number;
  /** Milliseconds from the first waiting row to its commit. */
  readonly commitAfter?: number;
  /** Milliseconds between looks at what other processes did. */
  readonly pollEvery?: number;
  /** Runs whose rows or state were just committed. */
  readonly onCommit?: ((runs: readonly string[]) => void) | undefined;
  /** A commit failed. Nothing is lost yet: it is tried again until it succeeds. */
  readonly onWriteFailure?: (error: unknown) => void;
  /** What one run logged cannot be written and was dropped; the others are committed. */
  readonly onRunFailure?: (run: string, error: unknown) => void;
  /** Another process has taken a run: nothing of it may be written here any more, and so many steps were dropped. */
  readonly onLeaseLost?: (run: string, dropped: number) => void;
  /** Milliseconds between two beats, by which hosts on other machines see that this one lives. */
  readonly beatEvery?: number;
  /** Milliseconds between two looks at the hosts of other runs. */
  readonly ownerPollEvery?: number;
  /** Milliseconds that a statement waits for another process's transaction. */
  readonly busyTimeout?: number;
  /** Name of this machine; its host name by default. */
  readonly machine?: string;
  /** What another process changed, and runs found interrupted, in parts; what this process wrote itself may be among them. */
  readonly onForeignChange?: (changes: Changes) => void;
}
