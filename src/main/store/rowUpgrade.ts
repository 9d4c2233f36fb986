/** Checks the rows that earlier versions wrote once, a few at a time, so that lists need not check them at every read. */
import type { Database, Statement } from "better-sqlite3";
import { activeStatuses } from "../../shared/run.ts";
import { rowLayout } from "./rowLayout.ts";
import { summaryColumns, toSummary } from "./runRows.ts";
import type { Writer } from "./writer.ts";

/** Rows checked at once: about a millisecond each. */
const rowsAtOnce = 20;

interface OldRow {
  readonly rowid: number;
  readonly id: string;
  readonly experiment: string;
}

export class RowUpgrade {
  readonly #old: Statement<[number, number], OldRow>;
  readonly #store: Statement<[string, number, string, string]>;
  readonly #writer: Pick<Writer, "change">;
  #after = 0;

  constructor({ reader, writer }: { reader: Database; writer: Database }, change: Pick<Writer, "change">) {
    const active = activeStatuses.map((status) => `'${status}'`).join(", ");
    this.#old = reader.prepare(
      `SELECT rowid, ${summaryColumns} FROM runs WHERE layout = 0 AND rowid > ? AND status NOT IN (${active}) ORDER BY rowid LIMIT ?`,
    );
    // Another process may have changed the row since it was read.
    this.#store = writer.prepare("UPDATE runs SET experiment = ?, layout = ? WHERE id = ? AND experiment = ? AND layout = 0");
    this.#writer = change;
  }

  /** Checks the next rows; a row that cannot be read stays as it is. Returns whether there may be more. */
  next(): boolean {
    const rows = this.#old.all(this.#after, rowsAtOnce);
    const last = rows.at(-1);
    if (!last) return false;
    this.#after = last.rowid;
    const readable = rows.flatMap((row) => {
      try {
        return [{ id: row.id, before: row.experiment, now: JSON.stringify(toSummary(row).experiment) }];
      } catch {
        return [];
      }
    });
    if (readable.length > 0) {
      this.#writer.change("mark rows as checked", () => {
        for (const { id, before, now } of readable) this.#store.run(now, rowLayout, id, before);
      });
    }
    return rows.length === rowsAtOnce;
  }
}
