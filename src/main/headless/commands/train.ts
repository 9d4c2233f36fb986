/** `hypertower train`: trains one experiment and keeps the run in the store. */
import { resolve } from "node:path";
import type { EngineChoice } from "../../../shared/engines.ts";
import { messageOf } from "../../../shared/errors.ts";
import type { Experiment } from "../../../shared/experiment.ts";
import { parameterNames } from "../../../shared/models/data.ts";
import { isActive, isResumable, type RunSummary } from "../../../shared/run.ts";
import { towerHints } from "../../../shared/tower.ts";
import { UserError, type Services } from "../../services/services.ts";
import { madeRobust } from "../../../shared/robust.ts";
import { madeSafe } from "../../../shared/safe.ts";
import { printEngineProgress } from "./engines.ts";
import { loadExperiment } from "../definitionSource.ts";
import { onInterrupt } from "../interrupt.ts";
import { exitCodes, openServices, storeDirOf, type ProgramFiles } from "../session.ts";
import type { StepEvents } from "../stepEvents.ts";
import { StepFeed } from "../stepFeed.ts";
import { requireTags } from "../tags.ts";
import { jsonReport, textReport, type TrainReport } from "../trainReport.ts";

export interface TrainOptions {
  readonly preset?: string;
  readonly set: readonly string[];
  readonly engine?: EngineChoice;
  readonly safe?: boolean;
  readonly robust?: boolean;
  readonly name?: string;
  readonly tag: readonly string[];
  /** File that the run begins from. */
  readonly weights?: string;
  readonly partial?: boolean;
  readonly byShape?: boolean;
  readonly stepEvents?: StepEvents;
  readonly store?: string;
  readonly json?: boolean;
}

/** @returns the exit code: 0 finished, 1 failed, 3 diverged, 130 stopped by a signal. */
export async function train(programFiles: ProgramFiles, file: string | undefined, options: TrainOptions): Promise<number> {
  requireTags("--tag", options.tag);
  if (options.weights === undefined && (options.partial || options.byShape)) throw new UserError(`${options.partial ? "--partial" : "--by-shape"} needs --weights FILE`);
  const chosen = await loadExperiment({ file, store: options.store, preset: options.preset, set: [...options.set, ...(options.engine ? [`engine.kind=${options.engine}`] : []), ...(options.name === undefined ? [] : [`name=${JSON.stringify(options.name)}`])] });
  const tuned = options.robust ? robustOf(chosen) : chosen;
  const experiment = options.safe ? madeSafe(tuned) : tuned;
  const services = await openServices(programFiles, storeDirOf(options.store));
  try {
    if (!options.json) printEngineProgress(services);
    return await trainToTheEnd(services, await begunFrom(services, experiment, options), options);
  } finally {
    await services.close();
  }
}

/** The experiment with the weights of the file that it begins from. */
async function begunFrom({ handlers }: Services, experiment: Experiment, { weights: file, partial = false, byShape = false }: TrainOptions): Promise<Experiment> {
  if (file === undefined) return experiment;
  const { weights, remarks } = await handlers["networks.begin"]({ experiment, from: { path: resolve(file) }, partial, byShape });
  for (const remark of remarks) console.error(remark);
  return { ...experiment, weights };
}

/** @throws UserError naming the field that the robust preset cannot change */
function robustOf(chosen: Experiment): Experiment {
  const result = madeRobust(chosen);
  if (result.ok) return result.experiment;
  throw new UserError(`--robust: ${result.errors.map(({ path, message }) => `${path}: ${message}`).join("; ")}`);
}

/** Trains an experiment, reports its progress, and resolves with the command's exit code. */
export function trainToTheEnd(services: Services, experiment: Experiment, options: FollowOptions & { readonly tag?: readonly string[] } = {}): Promise<number> {
  const start = async () => {
    const run = await services.handlers["runs.start"]({ experiment });
    if (options.tag?.length) await services.handlers["runs.tag"]({ runs: [run.id], add: [...new Set(options.tag)], remove: [] });
    return run;
  };
  // Hints name settings that are valid but have no effect.
  return followToTheEnd(services, start, options, towerHints(experiment.tower, parameterNames(experiment)));
}

/** How a run is reported. */
export interface FollowOptions {
  readonly json?: boolean | undefined;
  readonly stepEvents?: StepEvents | undefined;
}

/** Reports on a run that `begin` starts or resumes, and resolves with the command's exit code. */
export async function followToTheEnd(services: Services, begin: () => RunSummary | Promise<RunSummary>, { json = false, stepEvents }: FollowOptions = {}, hints: readonly string[] = []): Promise<number> {
  const report = json ? jsonReport(process, new StepFeed(services, stepEvents)) : textReport();
  try {
    for (const hint of hints) report.note(hint);
    const last = await untilItEnds(services, begin, report);
    // What is reported as finished is in the store.
    await services.settled();
    await report.rest?.(last);
    report.ended(last);
    if (isResumable(last.status)) report.note(`to resume: hypertower resume ${last.id}`);
    return exitCodeOf(last);
  } finally {
    report.close();
  }
}

function exitCodeOf({ status }: RunSummary): number {
  if (status === "finished") return exitCodes.ok;
  if (status === "diverged") return exitCodes.diverged;
  return status === "stopped" ? exitCodes.interrupted : exitCodes.error;
}

/** Begins a run, reports its progress, and resolves with its final state. */
export async function untilItEnds(services: Services, begin: () => RunSummary | Promise<RunSummary>, report: TrainReport): Promise<RunSummary> {
  const begun = await begin();
  report.started(begun);

  const ended = new Promise<RunSummary>((resolve) => {
    services.on("run.changed", (run) => {
      if (run.id !== begun.id) return;
      report.progress(run);
      if (!isActive(run.status)) resolve(run);
    });
    services.on("run.evaluated", ({ run, evaluations }) => {
      if (run === begun.id) for (const evaluation of evaluations) report.evaluated(begun, evaluation);
    });
    services.on("run.noted", ({ run, event }) => {
      if (run === begun.id && event.kind === "guard") report.guarded(begun, event);
    });
  });
  const forgetSignals = onInterrupt(() => {
    report.note("stopping; progress is saved (repeat to force)");
    // Fails if the run has just ended.
    Promise.resolve(services.handlers["runs.stop"]({ run: begun.id })).catch((error: unknown) => report.note(messageOf(error)));
  });
  try {
    const now = await services.handlers["runs.get"]({ run: begun.id });
    return isActive(now.status) ? await ended : now;
  } finally {
    forgetSignals();
  }
}
