/** `hypertower runs`: the runs of the store, newest first. */
import { formatPercent, formatTime, levelValues, table } from "../format.ts";
import { exitCodes, openExisting, storeDirOf, type Places } from "../session.ts";

export interface RunsOptions {
  readonly store?: string;
  readonly json?: boolean;
}

export async function runs(places: Places, options: RunsOptions): Promise<number> {
  const storeDir = storeDirOf(options.store);
  const services = await openExisting(places, storeDir);
  try {
    const list = [...(await services.handlers["runs.list"]({ deleted: false }))].sort((a, b) => b.createdAt - a.createdAt);
    if (options.json) {
      for (const run of list) console.log(JSON.stringify({ ...run, hyperparameters: levelValues(run) }));
    } else if (list.length === 0) {
      console.log(`no runs in ${storeDir} yet`);
    } else {
      const rows = list.map((run) => [
        run.id,
        run.status,
        formatTime(run.createdAt),
        `${run.steps}/${run.totalSteps}`,
        formatPercent(run.testError),
        run.stack,
        run.name === run.stack ? "" : run.name,
      ]);
      console.log(table([["RUN", "STATUS", "CREATED", "STEPS", "TEST ERROR", "STACK", "NAME"], ...rows]));
    }
    return exitCodes.ok;
  } finally {
    await services.close();
  }
}
