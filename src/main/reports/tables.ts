/** Every logged step as CSV or JSON, in chunks: a long run never fits in memory as a whole. */
import type { RunDetail } from "../../shared/run.ts";
import type { StoredStep } from "../store/runReader.ts";
import { originLines } from "./origin.ts";
import { comment } from "./python.ts";
import { measuredMetrics, scheduleMetrics, scheduleRows, type ScheduleRow } from "./schedule.ts";

const meaning = "step: updates made so far; loss: after them; hyperparameters: those the latest update was made with, the initial ones at step 0; stepTime: milliseconds; hypergradients: of the loss, with respect to the hyperparameters as the tower stores them";

const columnsOf = (run: RunDetail) => ["step", "epoch", "loss", ...scheduleMetrics(run), ...measuredMetrics(run)];

/**
 * Comment lines with the configuration, column names, then one line per step; empty where not
 * measured, `nan` where non-finite.
 */
export function* csv(run: RunDetail, steps: Iterable<StoredStep>): Generator<string> {
  yield `${comment(...originLines(run), meaning, `experiment: ${JSON.stringify(run.experiment)}`)}\n`;
  yield `${columnsOf(run).join(",")}\n`;
  const cell = (value: number) => (Number.isFinite(value) ? String(value) : "nan");
  yield* inPieces(scheduleRows(run, steps), (row) => {
    const measured = row.step < run.steps ? cell : () => "";
    return `${[row.step, row.epoch, measured(row.loss), ...row.values.map(cell), ...row.measured.map(measured)].join(",")}\n`;
  });
}

/**
 * One object with run, experiment, `columns`, and `rows` in that order; null where non-finite or
 * not measured.
 */
export function* json(run: RunDetail, steps: Iterable<StoredStep>): Generator<string> {
  const { id, name, status, reason, stack, createdAt, trained, testError, environment, experiment, evaluations } = run;
  const head = {
    run: { id, name, status, reason, stack, createdAt: new Date(createdAt).toISOString(), steps: run.steps, trained, testError, environment },
    experiment,
    evaluations,
    meaning,
    columns: columnsOf(run),
  };
  yield `${JSON.stringify(head, null, 2).slice(0, -2)},\n  "rows": [`;
  let first = true;
  // JSON.stringify writes null for non-finite numbers.
  yield* inPieces(scheduleRows(run, steps), ({ step, epoch, loss, values, measured }) => {
    const start = first ? "\n" : ",\n";
    first = false;
    return `${start}    ${JSON.stringify([step, epoch, loss, ...values, ...measured])}`;
  });
  yield "\n  ]\n}\n";
}

/** Joins the text of rows into chunks. */
function* inPieces(rows: Iterable<ScheduleRow>, text: (row: ScheduleRow) => string): Generator<string> {
  let piece: string[] = [];
  for (const row of rows) {
    piece.push(text(row));
    if (piece.length < 1024) continue;
    yield piece.join("");
    piece = [];
  }
  yield piece.join("");
}
