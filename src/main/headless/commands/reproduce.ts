/** `hypertower reproduce RUN`: trains the same experiment again and compares every step. */
import { compareRuns, environmentDifferences, type Comparison } from "../../../shared/reproduction.ts";
import { importedProblem } from "../../../shared/importedRun.ts";
import { isActive, type RunDetail } from "../../../shared/run.ts";
import { plural } from "../../../shared/text.ts";
import { UserError, type Services } from "../../services/services.ts";
import { findRun } from "../find.ts";
import { exitCodes, openExisting, storeDirOf, type ProgramFiles } from "../session.ts";
import { jsonReport, textReport } from "../trainReport.ts";
import { untilItEnds } from "./train.ts";

export interface ReproduceOptions {
  readonly store?: string;
  readonly json?: boolean;
}

const maxName = 200;
const suffix = ", reproduced";

/** @returns the exit code: 0 identical, 4 different, 1 when it could not be compared, 130 stopped */
export async function reproduce(programFiles: ProgramFiles, wanted: string, options: ReproduceOptions): Promise<number> {
  const services = await openExisting(programFiles, storeDirOf(options.store));
  const report = options.json ? jsonReport() : textReport();
  try {
    const original = await services.handlers["runs.get"]({ run: await findRun(services, wanted) });
    const problem = importedProblem(original, "reproduced");
    if (problem !== null) throw new UserError(problem);
    if (isActive(original.status)) throw new UserError(`run ${original.id} is ${original.status}; only an ended run can be reproduced`);
    if (original.steps === 0) throw new UserError(`run ${original.id} has logged no steps; there is nothing to compare`);
    const name = `${original.name.slice(0, maxName - suffix.length)}${suffix}`;
    const complete = original.status === "finished" || original.status === "diverged";
    // An incomplete run is repeated up to its last step.
    let enough = false;
    const last = await untilItEnds(services, () => services.handlers["runs.start"]({ experiment: { ...original.experiment, name } }), {
      ...report,
      progress: (run) => {
        report.progress(run);
        if (complete || enough || run.steps < original.steps) return;
        enough = true;
        Promise.resolve(services.handlers["runs.stop"]({ run: run.id })).catch(() => undefined);
      },
    });
    report.ended(last);
    report.close();
    if (last.status === "failed" || last.status === "interrupted") throw new UserError(`run ${last.id} ${last.status}${last.reason ? `: ${last.reason}` : ""}; nothing was compared`);
    if (last.status === "stopped" && !enough) return exitCodes.interrupted;
    const repeated = await services.handlers["runs.get"]({ run: last.id });
    const comparison = compareRuns(logged(services, original), logged(services, repeated), complete ? Infinity : original.steps);
    say(original, repeated, comparison, options.json ?? false);
    return comparison.identical ? exitCodes.ok : exitCodes.different;
  } finally {
    report.close();
    await services.close();
  }
}

const logged = (services: Services, { id, metrics }: RunDetail) => ({ metrics, steps: services.readSteps(id) });

function say(original: RunDetail, repeated: RunDetail, comparison: Comparison, json: boolean): void {
  const environment = original.environment && repeated.environment ? environmentDifferences(original.environment, repeated.environment) : [];
  if (json) {
    console.log(JSON.stringify({ type: "comparison", original: original.id, repeated: repeated.id, ...comparison, environment }));
    return;
  }
  if (comparison.identical) {
    console.log(`identical: ${plural(comparison.steps, "step")}, all ${comparison.metrics} logged metrics, bit for bit`);
  } else if (comparison.metric === "step") {
    const [longer, shorter] = comparison.original === null ? ["the repetition", "the original"] : ["the original", "the repetition"];
    console.log(`different after ${plural(comparison.steps, "identical step")}: ${longer} has a step ${comparison.step}, ${shorter} has not`);
  } else if (comparison.original === null) {
    console.log(`different: only one of the two logs ${comparison.metric}`);
  } else {
    console.log(`different from step ${comparison.step} on: ${comparison.metric} was ${comparison.original}, now ${String(comparison.repeated)} (${plural(comparison.steps, "step")} before it identical)`);
  }
  for (const line of environment) console.log(`  ${line}`);
}
