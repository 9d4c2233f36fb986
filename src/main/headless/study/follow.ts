/** Trains a study from the command line: starts it, reports its progress, and stops it on a signal. */
import { messageOf } from "../../../shared/errors.ts";
import type { StudySummary } from "../../../shared/study/result.ts";
import type { Services } from "../../services/services.ts";
import { exitCodes } from "../exitCodes.ts";
import { onInterrupt } from "../interrupt.ts";
import type { StepFeed } from "../stepFeed.ts";
import type { StudyReport } from "./report.ts";

/** Begins a study, reports its progress until it stands still, and resolves with the command's exit code. */
export async function follow(services: Services, begin: () => StudySummary | Promise<StudySummary>, report: StudyReport, steps?: StepFeed): Promise<number> {
  let id: string | undefined;
  let asked = false;
  /** Where the study trains, unless on this machine. */
  let fleet: string | undefined;
  let leave: () => void = () => undefined;
  const stop = () => {
    if (id === undefined) return;
    // Fails if the study has just ended.
    Promise.resolve(services.handlers["studies.stop"]({ study: id })).catch((error: unknown) => report.note(messageOf(error)));
  };
  const forget = onInterrupt(() => {
    asked = true;
    if (fleet !== undefined) return leave();
    report.note("stopping; progress is saved (repeat to force)");
    stop();
  });
  try {
    let end: () => void = () => undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    let isLeft = false;
    leave = () => {
      isLeft = true;
      end();
    };
    const standsStill = ({ status }: StudySummary) => status !== "running" && status !== "paused";
    services.on("study.changed", (changed) => {
      if (changed.id !== id) return;
      report.progress(changed);
      if (standsStill(changed)) end();
    });
    services.on("study.advanced", ({ study, point }) => {
      if (study === id) report.advanced(point);
    });
    const runs = new Set<string>();
    services.on("run.changed", (run) => {
      if (id === undefined || run.study !== id) return;
      runs.add(run.id);
      steps?.changed(run);
    });
    services.on("run.evaluated", ({ run, evaluations }) => {
      if (runs.has(run)) for (const evaluation of evaluations) report.evaluated?.(run, evaluation);
    });
    const begun = await begin();
    id = begun.id;
    fleet = begun.fleet;
    report.started(begun);
    if (asked && fleet !== undefined) leave();
    else if (asked) stop();
    if (!standsStill(await services.handlers["studies.get"]({ study: id }))) await ended;
    if (isLeft) {
      report.note(`${fleet} goes on with the study; to take it in: hypertower study --resume ${id}`);
      return exitCodes.interrupted;
    }
    // Stopping runs still report their last step.
    const last = await untilQuiet(services, id);
    if (steps) {
      await services.settled();
      for (const run of runs) await steps.rest(run);
    }
    report.ended(last);
    if (last.status === "stopped" || last.status === "interrupted") report.note(`to resume: hypertower study --resume ${id}`);
    if (last.status !== "finished") return asked ? exitCodes.interrupted : exitCodes.error;
    return last.finished + last.diverged + last.pruned + last.skipped === last.total ? exitCodes.ok : exitCodes.error;
  } finally {
    forget();
    report.close();
  }
}

async function untilQuiet(services: Services, study: string) {
  for (;;) {
    const now = await services.handlers["studies.get"]({ study });
    if (now.running === 0) return now;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
