/** The log of a run that goes on from its checkpoint, or once more from its first step. */
import type { FromTrainer } from "../trainer/messages.ts";
import { Retraced } from "./retraced.ts";
import type { RunLog } from "./runLog.ts";

export interface TakenUp {
  /** What is in the log already, and is trained again. */
  readonly retraced: Retraced;
  /** Steps after which the guard went back before. */
  readonly guarded: ReadonlySet<number>;
}

export interface Logged {
  readonly log: RunLog;
  readonly run: string;
  readonly note: (kind: string, message: string, step: number) => void;
}

/** @throws when the run logs other metrics now, or its checkpoint is ahead of its log */
export function takeUp({ log, run, note }: Logged, { metrics, environment, from, device }: Extract<FromTrainer, { type: "started" }>): TakenUp {
  const step = from?.step ?? 0;
  const { logged, evaluations, events, differences } = log.resumeSeries(run, metrics, from?.evaluated ?? null, environment);
  if (step > logged) throw new Error(`The checkpoint stands at step ${step}, but only ${logged} steps are logged.`);
  const retraced = new Retraced({
    metrics,
    logged,
    evaluations,
    steps: (first, end) => log.readSteps(run, first, end),
    onDifference: (at, message) => note("differs", message, at),
    onEqual: (first, last) => note("retraced", `steps ${first} to ${last} were trained again and came out as they are logged`, last),
  });
  const where = from ? `from the checkpoint at step ${step}` : "from the first step";
  const other = differences.length === 0 ? "" : `; other than at first: ${differences.join(", ")}`;
  note("resumed", `${where}, on ${device}; ${logged} steps are logged${other}`, step);
  return { retraced, guarded: new Set(events.flatMap((event) => (event.kind === "guard" ? [event.step] : []))) };
}
