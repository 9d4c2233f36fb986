/** How far the table is, on standard error: a line for every run that ended, a bar on a terminal. */
import { SingleBar } from "cli-progress";
import type { RunSummary } from "../../../shared/run.ts";
import type { Table1Row } from "../../../shared/table1.ts";
import { formatDuration, formatPercent } from "../format.ts";
import type { Column, Table1Listener, Table1Plan, Table1Run } from "./runs.ts";

export interface Progress extends Table1Listener {
  /** Leaves the terminal as it was found. */
  close(): void;
}

const columnsOf = ({ rerun }: Table1Row, { atPaper }: Table1Plan) => (rerun ? (atPaper ? 3 : 2) : 1);
const runsOf = (plan: Table1Plan) => plan.rows.reduce((sum, row) => sum + plan.seeds * columnsOf(row, plan), 0);
/** Epochs of the whole table, for runs differ in little else. */
const epochsOf = (plan: Table1Plan) => plan.rows.reduce((sum, row) => sum + plan.seeds * row.epochs * columnsOf(row, plan), 0);

const columnNames: Record<Column, string> = {
  tower: "",
  rerun: ", plain at the learned values",
  atPaper: ", plain at the paper's learned values",
};

export function tableProgress(plan: Table1Plan, stderr: NodeJS.WritableStream & { readonly isTTY?: boolean } = process.stderr): Progress {
  const total = runsOf(plan);
  const live = new Map<string, number>();
  let runs = 0;
  let epochs = 0;
  const bar = stderr.isTTY
    ? new SingleBar({ stream: stderr, format: "{bar} {percentage} %  {runs} runs  {eta_formatted} left", gracefulExit: false, hideCursor: true, clearOnComplete: true, barsize: 20 })
    : null;
  bar?.start(epochsOf(plan), 0, { runs: `0/${total}` });

  const draw = () => bar?.update(epochs + [...live.values()].reduce((sum, n) => sum + n, 0), { runs: `${runs}/${total}` });
  const line = ({ row, seed, column }: Table1Run, text: string) => {
    runs++;
    epochs += row.epochs;
    if (bar) stderr.write("\r\u001B[K");
    stderr.write(`[${String(runs).padStart(String(total).length)}/${total}] row ${row.number}, ${row.stack}, seed ${seed}${columnNames[column]}: ${text}\n`);
    draw();
  };
  return {
    progress: (run) => {
      live.set(run.id, run.epoch);
      draw();
    },
    ended: (what, run, reused) => {
      live.delete(run.id);
      line(what, `${outcome(run)}${reused ? ", from the store" : took(run)}`);
    },
    skipped: (what, why) => line(what, why),
    close: () => bar?.stop(),
  };
}

const outcome = ({ status, reason, testError }: RunSummary) => (status === "finished" ? formatPercent(testError) : `${status}: ${reason ?? ""}`);
const took = ({ startedAt, finishedAt }: RunSummary) => (startedAt === null || finishedAt === null ? "" : ` in ${formatDuration(finishedAt - startedAt)}`);
