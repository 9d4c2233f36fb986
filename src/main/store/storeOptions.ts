import type { Changes } from "./changes.ts";
import type { Log } from "./log.ts";

export interface StoreOptions {
  readonly log?: Log;
  /** Logs reads and commits that take longer (milliseconds). */
  readonly slowAfter?: number;
  /** Milliseconds from the first pending row to its commit. */
  readonly commitAfter?: number;
  /** Milliseconds between polls for changes by other processes. */
  readonly pollEvery?: number;
  /** Called with the runs whose rows or state were committed. */
  readonly onCommit?: ((runs: readonly string[]) => void) | undefined;
  /** A commit failed. Nothing is lost: it is retried until it succeeds. */
  readonly onWriteFailure?: (error: unknown) => void;
  /** The rows of one run cannot be written and were dropped; the others are committed. */
  readonly onRunFailure?: (run: string, error: unknown) => void;
  /** Another process has taken a run, which must not be written here any more. @param dropped number of unwritten steps that were lost */
  readonly onLeaseLost?: (run: string, dropped: number) => void;
  /** Milliseconds between beats, which show hosts on other machines that this one is alive. */
  readonly beatEvery?: number;
  /** Milliseconds between polls of the owners of active runs. */
  readonly ownerPollEvery?: number;
  /** Milliseconds that a statement waits for another process's transaction. */
  readonly busyTimeout?: number;
  /** This machine's name; its host name by default. */
  readonly machine?: string;
  /** Called with changes by other processes and runs found interrupted, in batches. May include this process's own writes. */
  readonly onForeignChange?: (changes: Changes) => void;
}
