/** `hypertower thin RUN…`: erases the values of runs and keeps summaries. */
import { formatBytes, formatCount } from "../../../shared/format.ts";
import { plural } from "../../../shared/text.ts";
import { thinWidth } from "../../../shared/thinning.ts";
import { confirmed } from "../confirm.ts";
import { findRuns } from "../find.ts";
import { exitCodes, storeDirOf, withStore, type ProgramFiles } from "../session.ts";
import { eraseWhole, whileAlive } from "./storage.ts";

export interface ThinCommandOptions {
  readonly keep: string;
  readonly yes?: boolean;
  readonly store?: string;
  readonly json?: boolean;
}

export async function thin(programFiles: ProgramFiles, wanted: readonly string[], options: ThinCommandOptions): Promise<number> {
  const width = thinWidth.parse(Number(options.keep));
  return withStore(programFiles, storeDirOf(options.store), async (services) => {
    const runs = await findRuns(services, wanted);
    const plan = await whileAlive(() => services.handlers["storage.planThinning"]({ runs, width }));
    const named = plan.runs.map(({ run, name, steps }) => `${name || run} (${run}, ${plural(steps, "step")})`).join(", ");
    const question = `Erase the ${formatCount(plan.values)} values of ${plural(runs.length, "run")}: ${named}; about ${formatBytes(plan.bytes)}. Summaries of ${width} steps each, evaluations, events, first and last values, checkpoints and weights stay; schedules can then not be exported, and the runs not be resumed`;
    if (!options.yes && !(await confirmed(`${question}? This cannot be undone. Type "erase" to go on: `, /^erase$/))) {
      console.error("Nothing was erased.");
      return exitCodes.error;
    }
    const { done } = await eraseWhole(services, { what: "steps", runs, width });
    console.log(options.json ? JSON.stringify({ done }) : done);
    return exitCodes.ok;
  });
}
