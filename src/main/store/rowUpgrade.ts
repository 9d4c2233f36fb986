/** Validates rows of earlier versions once, a few at a time, so that lists need not validate them at every read. */
import type { Database, Statement } from "better-sqlite3";
import { listedOf } from "../../shared/listedRun.ts";
import { activeStatuses } from "../../shared/run.ts";
import { finite } from "./finite.ts";
import { rowLayout } from "./rowLayout.ts";
import { summaryColumns, toSummary } from "./runRows.ts";
import type { Writer } from "./writer.ts";

/** Rows per call; each takes about a millisecond. */
const rowsAtOnce = 20;

interface OldRow {
  readonly rowid: number;
  readonly id: string;
  readonly layout: number;
  readonly experiment: string;
  readonly evaluation: string | null;
}

export class RowUpgrade {
  readonly #old: Statement<[number, number], OldRow>;
  readonly #store: Statement<[Record<string, unknown>]>;
  readonly #writer: Pick<Writer, "change">;
  #after = 0;

  constructor({ reader, writer }: { reader: Database; writer: Database }, change: Pick<Writer, "change">) {
    const active = activeStatuses.map((status) => `'${status}'`).join(", ");
    this.#old = reader.prepare(
      `SELECT rowid, ${summaryColumns} FROM runs WHERE layout < ${rowLayout} AND rowid > ? AND status NOT IN (${active}) ORDER BY rowid LIMIT ?`,
    );
    // The conditions skip rows that another process has changed since they were read.
    this.#store = writer.prepare(`
      UPDATE runs SET experiment = @experiment, dataset = @dataset, model = @model, result_name = @resultName, result = @result, layout = ${rowLayout}
      WHERE id = @id AND layout = @layout AND experiment = @before AND evaluation IS @evaluation`);
    this.#writer = change;
  }

  /** Validates the next rows; leaves unreadable rows unchanged. Returns whether there may be more. */
  next(): boolean {
    const rows = this.#old.all(this.#after, rowsAtOnce);
    const last = rows.at(-1);
    if (!last) return false;
    this.#after = last.rowid;
    const readable = rows.flatMap((row) => {
      try {
        const { id, layout, evaluation, experiment: before } = row;
        const run = toSummary(row);
        const { dataset, model, result } = listedOf(run);
        return [{ id, layout, evaluation, before, experiment: JSON.stringify(run.experiment), dataset, model, resultName: result.name, result: finite(result.value) }];
      } catch {
        return [];
      }
    });
    if (readable.length > 0) {
      this.#writer.change("mark rows as checked", () => {
        for (const row of readable) this.#store.run(row);
      });
    }
    return rows.length === rowsAtOnce;
  }
}
