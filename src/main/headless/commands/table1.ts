/** `hypertower table1`: the paper's Table 1, every run in the store; what is there already is not trained again. */
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { table1Rows, type Table1Row } from "../../../shared/table1.ts";
import { UserError, type Services } from "../../services/services.ts";
import { formatTime, levelValues } from "../format.ts";
import { onInterrupt } from "../interrupt.ts";
import { exitCodes, openServices, storeDirOf, type Places } from "../session.ts";
import { markdownReport, textTable } from "../table1/format.ts";
import { tableProgress } from "../table1/progress.ts";
import { trainTable1, type Table1Listener, type Table1Plan, type Table1Result } from "../table1/runs.ts";
import { tableRows } from "../table1/table.ts";

export interface Table1Options {
  /** `3,5-7`; all rows by default. */
  readonly rows?: string;
  readonly seeds: number;
  readonly workers?: number;
  /** Also train the plain optimizers at the paper's learned values. */
  readonly paperValues?: boolean;
  readonly markdown?: string;
  readonly store?: string;
  readonly json?: boolean;
}

/** @throws UserError naming what is no row of the table */
export function parseRows(text: string | undefined): Table1Row[] {
  if (text === undefined) return [...table1Rows];
  const numbers = text.split(",").flatMap((part) => {
    const match = /^\s*(\d+)(?:-(\d+))?\s*$/.exec(part);
    const [first, last] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
    if (!match || first < 1 || last > table1Rows.length || first > last) {
      throw new UserError(`"${part}" names no rows of Table 1; allowed: numbers and ranges from 1 to ${table1Rows.length}, e.g. 1,5-7`);
    }
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
  return table1Rows.filter(({ number }) => numbers.includes(number));
}

/** @returns the exit code: 0 complete, 130 stopped by a signal */
export async function table1(places: Places, options: Table1Options): Promise<number> {
  const plan: Table1Plan = { rows: parseRows(options.rows), seeds: options.seeds, workers: options.workers ?? availableParallelism(), atPaper: options.paperValues ?? false };
  if (options.markdown !== undefined && existsSync(options.markdown)) throw new UserError(`${options.markdown} is there already; name another file`);
  const services = await openServices(places, storeDirOf(options.store), { places: plan.workers });
  const progress = tableProgress(plan);
  let interrupt: (value: "interrupted") => void = () => undefined;
  const interrupted = new Promise<"interrupted">((resolve) => (interrupt = resolve));
  const forgetSignals = onInterrupt(() => interrupt("interrupted"));
  try {
    const results = await Promise.race([trainTable1(services, plan, options.json ? withJson(progress) : progress), interrupted]);
    progress.close();
    if (results === "interrupted") {
      console.error("stopping; the runs that have ended are kept, and the same command goes on from there (again to force)");
      return exitCodes.interrupted;
    }
    const rows = tableRows(results);
    if (options.markdown !== undefined) await writeFile(options.markdown, markdownReport(rows, results, await facts(services, results, options, plan)));
    console.log(options.json ? JSON.stringify({ type: "table", rows }) : textTable(rows));
    return exitCodes.ok;
  } finally {
    progress.close();
    await services.close();
    forgetSignals();
  }
}

/** One JSON object for every run on standard output, beside the progress. */
function withJson(progress: Table1Listener): Table1Listener {
  const line = (object: object) => console.log(JSON.stringify(object));
  return {
    progress: (run) => progress.progress(run),
    ended: (what, run, reused) => {
      line({ type: run.status, row: what.row.number, seed: what.seed, column: what.column, run: run.id, reused, testError: run.testError, hyperparameters: levelValues(run), reason: run.reason });
      progress.ended(what, run, reused);
    },
    skipped: (what, reason) => {
      line({ type: "skipped", row: what.row.number, seed: what.seed, column: what.column, reason });
      progress.skipped(what, reason);
    },
  };
}

/** How the table was made; runs out of the store may come from several versions. */
async function facts(services: Services, results: readonly Table1Result[], { rows }: Table1Options, { seeds, workers, atPaper }: Table1Plan): Promise<string[]> {
  const { cpu, cores, platform } = await services.handlers["app.info"]({});
  const ids = results.flatMap(({ tower, rerun, atPaper }) => [tower, ...(rerun && "run" in rerun ? [rerun.run] : []), ...(atPaper ? [atPaper] : [])]).map(({ id }) => id);
  const origins = new Set<string>();
  for (const run of ids) {
    const { environment } = await services.handlers["runs.get"]({ run });
    if (!environment) continue;
    const { hypertower, gitCommit, libraries } = environment;
    origins.add([`hypertower ${hypertower}`, ...(gitCommit ? [`commit ${gitCommit.slice(0, 12)}`] : []), ...Object.entries(libraries).map((entry) => entry.join(" "))].join(", "));
  }
  return [
    `command: \`hypertower table1${rows === undefined ? "" : ` --rows ${rows}`} --seeds ${seeds} --workers ${workers}${atPaper ? " --paper-values" : ""}\``,
    `machine: ${cpu}, ${cores} cores, ${platform}`,
    `trained by: ${[...origins].join("; ")}`,
    `date: ${formatTime(Date.now())}`,
  ];
}
