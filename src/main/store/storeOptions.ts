import type { Changes } from "./changes.ts";
import type { FileState } from "./fileWatch.ts";
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
  /** The store cannot be written. Nothing is lost: pending rows are kept and retried. */
  readonly onWriteFailure?: (error: unknown) => void;
  /** The store can be written again after `onWriteFailure`. */
  readonly onWriteRecovery?: () => void;
  /** Milliseconds that another process may lock the store before `onWriteFailure` is called; other failures are reported at once. */
  readonly busyGrace?: number;
  /** The rows of one run cannot be written and were dropped; the others are committed. */
  readonly onRunFailure?: (run: string, error: unknown) => void;
  /** Another process has taken a run, which must not be written here any more. @param dropped number of unwritten steps that were lost */
  readonly onLeaseLost?: (run: string, dropped: number) => void;
  /** Folders for rows that cannot be committed when the store is closed, best first. */
  readonly spillFolders?: readonly string[];
  /** Called when the store's file is missing or replaced, or here again. */
  readonly onFileState?: (state: FileState) => void;
  /** Milliseconds between looks whether the store's file is still here. */
  readonly watchEvery?: number;
  /** Milliseconds between beats, which show hosts on other machines that this one is alive. */
  readonly beatEvery?: number;
  /** Milliseconds between polls of the owners of active runs. */
  readonly ownerPollEvery?: number;
  /** Milliseconds that opening waits for another process's transaction. Once the store is open, no statement waits longer than half a second. */
  readonly busyTimeout?: number;
  /** This machine's name; its host name by default. */
  readonly machine?: string;
  /** Called with changes by other processes and runs found interrupted, in batches. May include this process's own writes. */
  readonly onForeignChange?: (changes: Changes) => void;
}
