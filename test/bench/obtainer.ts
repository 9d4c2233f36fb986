/** Runs of single experiments, each trained once: a run that the store has already is taken from there. */
import { isDeepStrictEqual } from "node:util";
import type { Experiment } from "../../src/shared/experiment.ts";
import { isActive, type RunSummary } from "../../src/shared/run.ts";
import { summaryParts } from "../../src/shared/runPages.ts";
import { UserError, type Services } from "../../src/main/services/services.ts";

/** The same trajectory: everything but the name. */
function sameExperiment(a: Experiment, b: Experiment): boolean {
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
