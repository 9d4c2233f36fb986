/** `hypertower runs`: the runs of the store, newest first. */
import { namedMetricText } from "../../../shared/metrics.ts";
import type { ListedRun } from "../../../shared/listedRun.ts";
import { nextPage, runsPerPage, summaryParts } from "../../../shared/runPages.ts";
import type { Services } from "../../services/services.ts";
import { findStudy } from "../find.ts";
import { formatTime, levelValues, table } from "../format.ts";
import { exitCodes, openExisting, storeDirOf, type ProgramFiles } from "../session.ts";

export interface RunsOptions {
  /** Study whose runs to list; single runs by default. */
  readonly study?: string;
  readonly store?: string;
  readonly json?: boolean;
}

export async function runs(programFiles: ProgramFiles, options: RunsOptions): Promise<number> {
  const storeDir = storeDirOf(options.store);
  const services = await openExisting(programFiles, storeDir);
  try {
    const study = options.study === undefined ? null : await findStudy(services, options.study);
    if (options.json) {
      for await (const part of pages(services, study)) {
        for (const ids of summaryParts(part.map(({ id }) => id))) {
          for (const run of await services.handlers["runs.summaries"]({ runs: ids })) console.log(JSON.stringify({ ...run, hyperparameters: levelValues(run) }));
        }
      }
      return exitCodes.ok;
    }
    const list: ListedRun[] = [];
    for await (const part of pages(services, study)) list.push(...part);
    if (list.length === 0) {
      console.log(study === null ? `no single runs in ${storeDir} yet; "hypertower studies" lists the studies` : `the study ${study} has no runs`);
    } else {
      const rows = list.map((run) => {
        const { result } = run;
        return [
          run.id,
          run.status,
          formatTime(run.createdAt),
          `${run.steps}/${run.totalSteps}`,
          namedMetricText(result.name, result.value),
          run.stack,
          run.name === run.stack ? "" : run.name,
        ];
      });
      console.log(table([["RUN", "STATUS", "CREATED", "STEPS", "RESULT", "STACK", "NAME"], ...rows]));
    }
    return exitCodes.ok;
  } finally {
    await services.close();
  }
}

async function* pages(services: Services, study: string | null): AsyncGenerator<readonly ListedRun[]> {
  for (let before: ReturnType<typeof nextPage>, more = true; more; more = before !== undefined) {
    const part = await services.handlers["runs.list"]({ deleted: false, study, limit: runsPerPage, before });
    yield part;
    before = nextPage(part);
  }
}
