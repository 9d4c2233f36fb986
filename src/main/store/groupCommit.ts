/** What several runs wait to write, in one transaction; where one of them cannot be written, in one for each run. */
import type { Database } from "better-sqlite3";
import { isStoreFailure } from "./errors.ts";

/** What became of the runs. */
export interface Committed {
  readonly written: string[];
  /** Another process has taken them. */
  readonly lost: string[];
  readonly failed: [run: string, error: unknown][];
}

export class GroupCommit {
  readonly #writeOne: (run: string) => boolean;
  readonly #writeAll: (runs: readonly string[]) => Committed;

  /** @param write writes what waits of a run, within a transaction; false when another process has taken it */
  constructor(db: Database, write: (run: string) => boolean) {
    this.#writeOne = db.transaction(write).immediate;
    this.#writeAll = db.transaction((runs: readonly string[]) => {
      const committed: Committed = { written: [], lost: [], failed: [] };
      for (const run of runs) (write(run) ? committed.written : committed.lost).push(run);
      return committed;
    }).immediate;
  }

  /**
   * @param onWritten called for each run that was committed before the store failed
   * @throws when the store cannot be written
   */
  commit(runs: readonly string[], onWritten: (run: string) => void): Committed {
    return this.#together(runs) ?? this.#oneByOne(runs, onWritten);
  }

  /** Undefined when what some run logged cannot be written. */
  #together(runs: readonly string[]): Committed | undefined {
    try {
      return this.#writeAll(runs);
    } catch (error) {
      if (isStoreFailure(error)) throw error;
      return undefined;
    }
  }

  /** One run's rows must not hold up another's. */
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
