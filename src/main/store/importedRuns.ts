/** Imported runs of the store. */
import type { Database, Statement } from "better-sqlite3";
import type { ImportedRun } from "../../shared/importedRun.ts";
import type { RunSummary } from "../../shared/run.ts";
import { finite } from "./finite.ts";
import { identityParameters, progressParameters } from "./runRows.ts";
import { prepareRunStatements } from "./runStatements.ts";
import { SparseSeries, type SparsePoints } from "./sparseSeries.ts";
import type { Writer } from "./writer.ts";

export interface ImportedRunsOptions {
  readonly write: Pick<Writer, "change">;
}

/** Columns of a run that change as its record grows. */
export interface ImportedProgress {
  readonly imported: ImportedRun;
  readonly steps: number;
  readonly loss: number | null;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
}

/** Deltas of a run that is being read; `replace` first removes what an earlier import stored. */
export interface ImportedPoints {
  readonly replace: boolean;
  readonly series: ReadonlyMap<string, SparsePoints>;
}

export class ImportedRunTable {
  readonly #db: Database;
  readonly #write: ImportedRunsOptions["write"];
  readonly #find: Statement<[string, string], string>;
  readonly #progress: Statement<[Record<string, unknown>]>;
  readonly #mark: Statement<[string, string]>;
  readonly #statements: ReturnType<typeof prepareRunStatements>;
  readonly #series = new Map<string, SparseSeries>();

  constructor({ writer }: { writer: Database }, { write }: ImportedRunsOptions) {
    this.#db = writer;
    this.#write = write;
    this.#statements = prepareRunStatements(writer);
    this.#find = writer.prepare<[string, string], string>("SELECT id FROM runs WHERE imported IS NOT NULL AND imported ->> '$.path' = ? AND imported ->> '$.key' = ? AND deleted_at IS NULL ORDER BY created_at LIMIT 1").pluck();
    this.#progress = writer.prepare("UPDATE runs SET imported = @imported, steps = @steps, total_steps = @steps, loss = @loss, started_at = @startedAt, finished_at = @finishedAt WHERE id = @id");
    this.#mark = writer.prepare("UPDATE runs SET imported = ?, dataset = '', model = '' WHERE id = ?");
  }

  /** Id of the run that an earlier import of the same record made; undefined without one, or where it is in the bin. */
  find(path: string, key: string): string | undefined {
    return this.#find.get(path, key);
  }

  /** Writes a part of a run's record, and the run itself where it is new; committed when this returns. */
  save(run: string, create: RunSummary | null, { imported, ...progress }: ImportedProgress, { replace, series }: ImportedPoints): void {
    let open = this.#series.get(run);
    try {
      this.#write.change("write an imported run", () => {
        const text = JSON.stringify(imported);
        if (create) {
          this.#statements.create.run({ ...identityParameters(create), ...progressParameters(create), cell: null, ownerPid: null, ownerHost: null, ownerToken: null, heartbeatAt: null });
          this.#mark.run(text, run);
        }
        open ??= new SparseSeries(this.#db, run);
        if (replace) open.clear(this.#db, new Set(series.keys()));
        for (const [name, points] of series) open.add(name, points);
        this.#progress.run({ id: run, imported: text, ...progress, loss: finite(progress.loss) });
      });
    } catch (error) {
      // Its builders may be ahead of what is stored.
      this.#series.delete(run);
      throw error;
    }
    this.#series.set(run, open!);
  }

  /** Forgets what is needed to add points to a run. */
  release(run: string): void {
    this.#series.delete(run);
  }
}
