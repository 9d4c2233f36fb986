/** Commits the pending writes of several runs in one transaction, or in one per run if a run cannot be written. */
import type { Database } from "better-sqlite3";
import { isStoreFailure } from "./errors.ts";

/** Result of a commit, by run. */
export interface Committed {
  readonly written: string[];
  /** Runs that another process has taken. */
  readonly lost: string[];
  readonly failed: [run: string, error: unknown][];
}

export class GroupCommit {
  readonly #writeOne: (run: string) => boolean;
  readonly #writeAll: (runs: readonly string[]) => Committed;

  /** @param write writes a run's pending rows within a transaction; false when another process has taken the run */
  constructor(db: Database, write: (run: string) => boolean) {
    this.#writeOne = db.transaction(write).immediate;
    this.#writeAll = db.transaction((runs: readonly string[]) => {
      const committed: Committed = { written: [], lost: [], failed: [] };
      for (const run of runs) (write(run) ? committed.written : committed.lost).push(run);
      return committed;
    }).immediate;
  }

  /**
   * @param onWritten called for each committed run, only when the store fails after it
   * @throws when the store cannot be written
   */
  commit(runs: readonly string[], onWritten: (run: string) => void): Committed {
    return this.#together(runs) ?? this.#oneByOne(runs, onWritten);
  }

  /** Undefined when the rows of some run cannot be written. */
  #together(runs: readonly string[]): Committed | undefined {
    try {
      return this.#writeAll(runs);
    } catch (error) {
      if (isStoreFailure(error)) throw error;
      return undefined;
    }
  }

  /** Commits run by run, so that one run's bad rows do not block the others. */
  #oneByOne(runs: readonly string[], onWritten: (run: string) => void): Committed {
    const committed: Committed = { written: [], lost: [], failed: [] };
    for (const run of runs) {
      try {
        (this.#writeOne(run) ? committed.written : committed.lost).push(run);
      } catch (error) {
        if (!isStoreFailure(error)) committed.failed.push([run, error]);
        else {
          committed.written.forEach(onWritten);
          throw error;
        }
      }
    }
    return committed;
  }
}
