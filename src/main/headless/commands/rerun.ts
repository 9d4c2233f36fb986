/** `hypertower rerun RUN`: trains the plain optimizer from the values that the run's tower learned. */
import { importedProblem } from "../../../shared/importedRun.ts";
import { plainAtLearnedValues } from "../../../shared/rerun.ts";
import { UserError } from "../../services/services.ts";
import { findRun } from "../find.ts";
import { storeDirOf, withStore, type ProgramFiles } from "../session.ts";
import type { StepEvents } from "../stepEvents.ts";
import { trainToTheEnd } from "./train.ts";

export interface RerunOptions {
  readonly store?: string;
  readonly json?: boolean;
  readonly stepEvents?: StepEvents;
}

/** @returns the exit code, as `train` does */
export async function rerun(programFiles: ProgramFiles, wanted: string, options: RerunOptions): Promise<number> {
  return withStore(programFiles, storeDirOf(options.store), async (services) => {
    const id = await findRun(services, wanted);
    const run = await services.handlers["runs.get"]({ run: id });
    const problem = importedProblem(run, "rerun");
    if (problem !== null) throw new UserError(problem);
    const plain = plainAtLearnedValues(run);
    if ("impossible" in plain) throw new UserError(`run ${id} cannot be rerun. ${plain.impossible}`);
    return await trainToTheEnd(services, plain.experiment, options);
  });
}
