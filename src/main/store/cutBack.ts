/** Removes the end of a run's log: what is trained again came out otherwise, on another kind of processor. */
import type { Database } from "better-sqlite3";
import { addToChecksum, checksumName, checksumSpan, emptyChecksum } from "./checksums.ts";
import { valuesFrom } from "./seriesRows.ts";

/** Numbers of removed rows. */
export interface CutBack {
  readonly steps: number;
  readonly evaluations: number;
  readonly events: number;
}

/**
 * Removes the steps of a run from `step` on, with their summaries and checksums, and the evaluations and events after it. Call within a
 * transaction, after which the checksums of the run's row are made.
 */
export function cutBack(db: Database, run: string, step: number): CutBack {
  const metrics = db.prepare<[string], { id: number; name: string; lastStep: number }>("SELECT id, name, last_step AS lastStep FROM metrics WHERE run = ?").all(run);
  const span = step - (step % checksumSpan);
  const values = db.prepare<[number, number], [number, number | null]>(valuesFrom).raw();
  let steps = 0;
  for (const { id, name, lastStep } of metrics) {
    if (lastStep < step) continue;
    steps = lastStep + 1 - step;
    db.prepare("DELETE FROM series_values WHERE metric = ? AND step >= ?").run(id, step);
    // Only whole buckets are stored.
    db.prepare("DELETE FROM buckets WHERE metric = ? AND start + width > ?").run(id, step);
    db.prepare("DELETE FROM series_checksums WHERE metric = ? AND start >= ?").run(id, span);
    const open = addToChecksum(emptyChecksum(checksumName(run, name), span), Float64Array.from(values.all(id, span), ([, value]) => value ?? NaN));
    db.prepare("UPDATE metrics SET count = ?, last_step = ?, open_crc = ? WHERE id = ?").run(step, step - 1, open, id);
  }
  const { changes: evaluations } = db.prepare("DELETE FROM evaluations WHERE run = ? AND step > ?").run(run, step);
  const { changes: events } = db.prepare("DELETE FROM run_events WHERE run = ? AND (step > ? OR (step = ? AND kind = 'guard'))").run(run, step, step);
  db.prepare("UPDATE run_checksums SET evaluations = evaluations - ?, events = events - ? WHERE run = ?").run(evaluations, events, run);
  db.prepare("UPDATE runs SET steps = min(steps, ?) WHERE id = ?").run(step, run);
  // The file has not lost these steps.
  if (steps > 0) db.prepare("UPDATE identity SET erased_steps = erased_steps + ?").run(steps);
  return { steps, evaluations, events };
}
