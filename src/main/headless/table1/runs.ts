/** Trains the runs behind Table 1, several at a time; what the store has already is taken from there. */
import { isDeepStrictEqual } from "node:util";
import { asNew, validateExperiment, type Experiment, type ExperimentInput } from "../../../shared/experiment.ts";
import { plainAtLearnedValues } from "../../../shared/rerun.ts";
import { isActive, type RunSummary } from "../../../shared/run.ts";
import { summaryParts } from "../../../shared/runPages.ts";
import { atPaperValues, table1Experiment, type Table1Row } from "../../../shared/table1.ts";
import { UserError, type Services } from "../../services/services.ts";

/** `atPaper`: the plain optimizer at what the paper's tower learned, to tell its two halves apart. */
export type Column = "tower" | "rerun" | "atPaper";

export interface Table1Result {
  readonly row: Table1Row;
  readonly seed: number;
  readonly tower: RunSummary;
  /** Null for a plain optimizer, which has no second column. */
  readonly rerun: { readonly run: RunSummary } | { readonly impossible: string } | null;
  /** Null where it was not asked for or the row has none. */
  readonly atPaper: RunSummary | null;
}

/** One run of the table. */
export interface Table1Run {
  readonly row: Table1Row;
  readonly seed: number;
  readonly column: Column;
}

export interface Table1Listener {
  /** A run that is trained here changed. */
  progress(run: RunSummary): void;
  /** `reused`: it was in the store already. */
  ended(what: Table1Run, run: RunSummary, reused: boolean): void;
  skipped(what: Table1Run, why: string): void;
}

export interface Table1Plan {
  readonly rows: readonly Table1Row[];
  readonly seeds: number;
  /** Runs trained at the same time. */
  readonly workers: number;
  /** With the runs at the paper's learned values. */
  readonly atPaper: boolean;
}

/**
 * Results by row, then by seed.
 * @throws UserError when a run fails or is stopped; what has ended is in the store and is not trained again
 */
export async function trainTable1(services: Services, { rows, seeds, workers, atPaper }: Table1Plan, listener: Table1Listener): Promise<Table1Result[]> {
  const jobs = rows.flatMap((row) => Array.from({ length: seeds }, (_, seed) => ({ row, seed })));
  const results = new Array<Table1Result>(jobs.length);
  const obtainOf = await obtainer(services, (run) => listener.progress(run));

  const obtain = async (what: Table1Run, experiment: Experiment): Promise<RunSummary> => {
    const { run, reused } = await obtainOf(experiment);
    listener.ended(what, run, reused);
    return run;
  };
  const rerunOf = async (row: Table1Row, seed: number, tower: RunSummary): Promise<Table1Result["rerun"]> => {
    if (!row.rerun) return null;
    const what: Table1Run = { row, seed, column: "rerun" };
    const plain = plainAtLearnedValues(tower);
    if ("impossible" in plain) {
      listener.skipped(what, plain.impossible);
      return plain;
    }
    return { run: await obtain(what, plain.experiment) };
  };
  const complete = async ({ row, seed }: (typeof jobs)[number]): Promise<Table1Result> => {
    const tower = await obtain({ row, seed, column: "tower" }, valid(row, table1Experiment(row, seed)));
    const rerun = await rerunOf(row, seed, tower);
    const published = atPaper ? atPaperValues(row, seed) : null;
    return { row, seed, tower, rerun, atPaper: published && (await obtain({ row, seed, column: "atPaper" }, valid(row, published))) };
  };

  const queue = jobs.entries();
  const worker = async () => {
    for (const [i, job] of queue) results[i] = await complete(job);
  };
  await Promise.all(Array.from({ length: workers }, worker));
  return results;
}

function valid(row: Table1Row, input: ExperimentInput): Experiment {
  const result = validateExperiment(asNew(input));
  if (!result.ok) throw new Error(`row ${row.number} of Table 1 is not a valid experiment: ${result.errors[0]!.message}`);
  return result.experiment;
}

/** The same trajectory: everything but the name. */
export function sameExperiment(a: Experiment, b: Experiment): boolean {
  return isDeepStrictEqual({ ...a, name: "" }, { ...b, name: "" });
}

/**
 * Gives the run of an experiment: the store's where it has one that ended, else it is trained.
 * @throws UserError when a run fails or is stopped
 */
export async function obtainer(services: Services, progress: (run: RunSummary) => void): Promise<(experiment: Experiment) => Promise<{ readonly run: RunSummary; readonly reused: boolean }>> {
  const ended = (await services.handlers["runs.list"]({ deleted: false })).filter(({ status }) => status === "finished" || status === "diverged");
  const known: RunSummary[] = [];
  for (const ids of summaryParts(ended.map(({ id }) => id))) known.push(...(await services.handlers["runs.summaries"]({ runs: ids })));
  return async (experiment) => {
    const kept = known.find((run) => sameExperiment(run.experiment, experiment));
    return { run: kept ?? (await trained(services, experiment, progress)), reused: kept !== undefined };
  };
}

/** Trains one run to its end. */
async function trained(services: Services, experiment: Experiment, progress: (run: RunSummary) => void): Promise<RunSummary> {
  const begun = await services.handlers["runs.start"]({ experiment });
  let forget: () => void = () => undefined;
  const ended = new Promise<RunSummary>((resolve) => {
    forget = services.on("run.changed", (run) => {
      if (run.id !== begun.id) return;
      progress(run);
      if (!isActive(run.status)) resolve(run);
    });
  });
  try {
    const now = await services.handlers["runs.get"]({ run: begun.id });
    const last = isActive(now.status) ? await ended : now;
    if (last.status !== "finished" && last.status !== "diverged") {
      throw new UserError(`run ${last.id} (${last.name}) ${last.status}: ${last.reason ?? "no reason was given"}`);
    }
    return last;
  } finally {
    forget();
  }
}
