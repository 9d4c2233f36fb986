/** Output of `study`: lines for people, or one JSON object per line. */
import { SingleBar } from "cli-progress";
import { metricText } from "../../../shared/metrics.ts";
import type { Study } from "../../../shared/study/study.ts";
import { noTimesWords } from "../../../shared/study/cohorts.ts";
import { measureRuns } from "../../../shared/study/curves.ts";
import { explosionWords, measure, metricFor, type StudyMetric } from "../../../shared/study/metric.ts";
import type { StudyDetail, StudyPoint, StudySummary } from "../../../shared/study/result.ts";
import { sensitivityOf } from "../../../shared/study/sensitivity.ts";
import type { Evaluation } from "../../../shared/run.ts";
import type { StepEvents } from "../stepEvents.ts";
import { nounFor, plural } from "../../../shared/text.ts";
import { formatDuration } from "../format.ts";
import { trainedText } from "../../../shared/trainedTime.ts";
import { methodsObject } from "./methods.ts";
import { resultsTable } from "./table.ts";

export interface StudyReport {
  started(study: StudySummary): void;
  progress(study: StudySummary): void;
  /** A run changed its state. */
  advanced(point: StudyPoint): void;
  /** One of its runs was evaluated. */
  evaluated?(run: string, evaluation: Evaluation): void;
  ended(study: StudyDetail): void;
  note(message: string): void;
  /** Restores the terminal. */
  close(): void;
}

interface Streams {
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean };
}

/** Number of runs that need no more training. */
export const endedRuns = ({ finished, diverged, failed, pruned, skipped }: StudySummary) => finished + diverged + failed + pruned + skipped;

const over: readonly StudyPoint["status"][] = ["finished", "diverged", "failed", "pruned", "skipped"];
const isOver = ({ status }: StudyPoint) => over.includes(status);

/** Progress on standard error: a bar on a terminal, else a line for every run that ended. */
function progressOn({ stderr }: Streams) {
  const bar = stderr.isTTY
    ? new SingleBar({ stream: stderr, format: "{bar} {percentage} %  {value}/{total} runs{left}", gracefulExit: false, hideCursor: true, clearOnComplete: true, barsize: 20 })
    : null;
  let total = 0;
  let base: Study["base"] | null = null;
  const reported = new Set<string>();
  const left = ({ millisecondsLeft }: StudySummary) => ({ left: millisecondsLeft === null ? "" : `  ${formatDuration(millisecondsLeft)} left` });
  const say = (text: string) => {
    if (bar) stderr.write("\r\u001B[K");
    stderr.write(`${text}\n`);
  };
  return {
    say,
    started: (study: StudySummary) => {
      total = study.total;
      base = study.study.base;
      bar?.start(total, endedRuns(study), left(study));
    },
    progress: (study: StudySummary) => bar?.update(endedRuns(study), left(study)),
    /** Whether this is the first report of the run's end. */
    advanced: (point: StudyPoint): boolean => {
      const end = `${point.run ?? point.key} ${point.status}`;
      if (!isOver(point) || reported.has(end)) return false;
      reported.add(end);
      if (bar) return true;
      const result = base ? resultOf(point, base) : "";
      say(`[${String(reported.size).padStart(String(total).length)}/${total}] ${point.key}: ${point.status === "finished" ? result : `${point.status}${point.reason ? `: ${point.reason}` : ""}`}`);
      return true;
    },
    close: () => bar?.stop(),
  };
}

const headlineMetric = (base: Study["base"]): StudyMetric => ({ name: metricFor(undefined, base), at: "final" });

/** Headline metric of a finished run, or `exploded`. */
function resultOf(point: StudyPoint, base: Study["base"]): string {
  const metric = headlineMetric(base);
  const { outcome, value } = measure(point, metric, base);
  return outcome === "exploded" ? "exploded" : metricText(metric.name, value);
}

/** The number of exploded runs, and what that means; empty for none. */
function explodedLine({ study, points }: StudyDetail): string {
  const count = measureRuns(study, points, headlineMetric(study.base)).runs.filter(({ outcome }) => outcome === "exploded").length;
  return count === 0 ? "" : `${plural(count, "run")} exploded and ${nounFor(count, "counts", "count")} as the worst. ${explosionWords(study.base)}`;
}

export function textReport(streams: Streams = process): StudyReport {
  const progress = progressOn(streams);
  const line = (text: string) => streams.stdout.write(`${text}\n`);
  return {
    started: (study) => {
      progress.say(`study ${study.id}  ${study.name}  ${plural(study.total, "run")}`);
      progress.started(study);
    },
    progress: progress.progress,
    advanced: progress.advanced,
    ended: (study) => {
      progress.close();
      line(resultsTable(study.study, study.points));
      line("");
      line(outcome(study));
      const exploded = explodedLine(study);
      if (exploded !== "") line(exploded);
      if (endedRuns(study) > 0 && !study.study.methods) {
        const { verdict, noTimes } = sensitivityOf(study.study, study.points);
        line(verdict.headline);
        if (noTimes !== null) line(noTimes);
      }
      line(`study ${study.id}`);
    },
    note: progress.say,
    close: progress.close,
  };
}

export function jsonReport(streams: Streams = process, often: StepEvents = "none"): StudyReport {
  const progress = progressOn(streams);
  let reportedAt = performance.now();
  const line = (object: object) => streams.stdout.write(`${JSON.stringify(object)}\n`);
  return {
    started: (study) => {
      line({ event: "started", type: "started", ...studyLine(study), definition: study.study });
      progress.started(study);
    },
    progress: (study) => {
      progress.progress(study);
      const now = performance.now();
      if (often === "none" || now - reportedAt < (often === "all" ? 0 : often)) return;
      reportedAt = now;
      line({ event: "progress", type: "progress", ...studyLine(study), running: study.running, millisecondsLeft: study.millisecondsLeft });
    },
    advanced: (point) => {
      if (progress.advanced(point)) line({ event: "run", type: "run", ...point });
    },
    evaluated: (run, evaluation) => {
      if (often !== "none") line({ event: "evaluated", type: "epoch", run, ...evaluation });
    },
    ended: (study) => line({ event: "ended", type: study.status, status: study.status, ...studyLine(study), reason: study.reason, points: study.points, ...noTimes(study.study), ...methodsObject(study.study, study.points) }),
    note: progress.say,
    close: progress.close,
  };
}

function noTimes(study: Study): { noTimes?: string } {
  const words = noTimesWords(study);
  return words === null ? {} : { noTimes: words };
}

function studyLine({ id, name, total, finished, diverged, failed, pruned, skipped }: StudySummary) {
  return { study: id, name, total, finished, diverged, failed, pruned, skipped };
}

/** `finished in 3 min 20 s: 40 finished, 4 diverged of 44 runs` */
export function outcome(study: StudySummary): string {
  const { status, reason, trained, total } = study;
  const took = status === "finished" && trained !== null ? ` in ${trainedText(trained, formatDuration)}` : "";
  const counts = (["finished", "diverged", "pruned", "skipped", "failed"] as const).flatMap((what) => (study[what] > 0 ? [`${study[what]} ${what}`] : []));
  return `${status}${took}: ${counts.join(", ") || "none"} of ${plural(total, "run")}${reason ? `. ${reason}` : ""}`;
}
