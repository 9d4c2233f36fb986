/** `hypertower resume RUN`: resumes a stopped, failed or interrupted run. */
import { isActive } from "../../../shared/run.ts";
import { UserError } from "../../services/services.ts";
import { findRun } from "../find.ts";
import { storeDirOf, withStore, type ProgramFiles } from "../session.ts";
import type { StepEvents } from "../stepEvents.ts";
import { followToTheEnd } from "./train.ts";

export interface ResumeOptions {
  readonly fromStart?: boolean;
  readonly stepEvents?: StepEvents;
  readonly store?: string;
  readonly json?: boolean;
}

/** @returns the exit code, as `train` does */
export async function resume(programFiles: ProgramFiles, wanted: string, { fromStart = false, store, json, stepEvents }: ResumeOptions): Promise<number> {
  return withStore(programFiles, storeDirOf(store), async (services) => {
    const run = await findRun(services, wanted);
    const { status } = await services.handlers["runs.get"]({ run });
    const resumption = await services.handlers["runs.resumption"]({ run });
    if (isActive(status)) throw new UserError(`run ${run} is ${status}: another Hypertower process trains it`);
    if (!resumption) throw new UserError(`run ${run} is ${status}; only a run that is stopped, failed or interrupted can be resumed`);
    if (resumption.problem !== null && !fromStart) {
      throw new UserError(`run ${run} cannot be resumed. ${resumption.problem} To restart it at its first step, add --from-start; the log is kept.`);
    }
    return await followToTheEnd(services, () => services.handlers["runs.resume"]({ run, fromStart }), { json, stepEvents });
  });
}
