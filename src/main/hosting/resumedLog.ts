/** The log of a run that resumes from its checkpoint or restarts at its first step. */
import type { FromTrainer } from "../trainer/messages.ts";
import { ReplayVerifier } from "./replayVerifier.ts";
import type { RunLog } from "./runLog.ts";

export interface ResumedLog {
  /** Compares the steps that are trained again with the logged ones. */
  readonly verifier: ReplayVerifier;
  /** Steps whose rollback by the guard is in the log already. */
  readonly guarded: Set<number>;
}

export interface RunToResume {
  readonly log: RunLog;
  readonly run: string;
  readonly note: (kind: string, message: string, step: number) => void;
  /** Where the run trains, if that is elsewhere: other machines may compute other last digits, and the log is then cut back. */
  readonly elsewhere?: { readonly onCutBack: (step: number) => void } | undefined;
}

/** @throws when the run logs other metrics now, or its checkpoint is ahead of its log */
export function resumeLog({ log, run, note, elsewhere }: RunToResume, { metrics, environment, from, device, attached }: Extract<FromTrainer, { type: "started" }>): ResumedLog {
  const step = from?.step ?? 0;
  const { logged, evaluations, events, differences } = log.resumeSeries(run, metrics, from?.evaluated ?? null, environment);
  if (step > logged) throw new Error(`The checkpoint stands at step ${step}, but only ${logged} steps are logged.`);
  const guarded = new Set(events.flatMap((event) => (event.kind === "guard" ? [event.step] : [])));
  const cutBack = elsewhere && ((at: number, difference: string) => {
    const { steps } = log.cutBack(run, metrics, at);
    for (const rolledBack of [...guarded]) if (rolledBack >= at) guarded.delete(rolledBack);
    elsewhere.onCutBack(at);
    note("cutBack", `${difference}; its ${steps} logged steps from there on were removed, and the log goes on with what ${device} trained`, at);
  });
  const verifier = new ReplayVerifier({
    metrics,
    logged,
    evaluations,
    steps: (first, end) => log.readSteps(run, first, end),
    cutBack,
    onDifference: (at, message) => note("differs", message, at),
    onEqual: (first, last) => note("retraced", `steps ${first} to ${last} were trained again and came out as they are logged`, last),
  });
  const where = from ? `from the checkpoint at step ${step}` : "from the first step";
  const other = differences.length === 0 ? "" : `; other than at first: ${differences.join(", ")}`;
  if (attached) note("attached", `taken in again, from ${device}; ${logged} steps are logged`, logged);
  else note("resumed", `${where}, on ${device}; ${logged} steps are logged${other}`, step);
  return { verifier, guarded };
}
