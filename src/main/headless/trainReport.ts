/** Output of `train`: lines for people, or one JSON object per line. */
import { SingleBar } from "cli-progress";
import { evaluation as evaluationSchema, type Evaluation, type RunEvent, type RunSummary } from "../../shared/run.ts";
import { resultOf } from "../../shared/metrics.ts";
import { stepsPerEpoch } from "../../shared/experiment.ts";
import { plural } from "../../shared/text.ts";
import { trainedText } from "../../shared/trainedTime.ts";
import type { StepFeed } from "./stepFeed.ts";
import { epochLine, experimentLine, formatDuration, formatLoss, levelLines, levelValues, resultLine } from "./format.ts";

export interface TrainReport {
  started(run: RunSummary): void;
  progress(run: RunSummary): void;
  evaluated(run: RunSummary, evaluation: Evaluation): void;
  /** The guard restored an earlier state. */
  guarded(run: RunSummary, event: RunEvent): void;
  /** Resolves when every step of a run whose log is settled was reported. */
  rest?(run: RunSummary): Promise<void>;
  ended(run: RunSummary): void;
  /** A remark for the person at the terminal. */
  note(message: string): void;
  /** Restores the terminal. */
  close(): void;
}

interface Streams {
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean };
}

/** Writes one JSON object per line, and nothing else, to standard output; the last one has the run's final status. */
export function jsonReport({ stdout, stderr }: Streams = process, steps?: Pick<StepFeed, "started" | "changed" | "rest">): TrainReport {
  const line = (object: object) => stdout.write(`${JSON.stringify(object)}\n`);
  const bar = progressBar(stderr);
  return {
    started: (run) => {
      line({ event: "started", type: "started", run: run.id, name: run.name, stack: run.stack, totalSteps: run.totalSteps, experiment: run.experiment });
      steps?.started(run);
      bar.start(run);
    },
    progress: (run) => {
      steps?.changed(run);
      bar.update(run);
    },
    ...(steps && { rest: (run: RunSummary) => steps.rest(run.id) }),
    evaluated: (run, evaluation) => line({ event: "evaluated", type: "epoch", run: run.id, ...evaluationSchema.parse(evaluation) }),
    guarded: (run, { step, message }) => line({ event: "guard", type: "guard", run: run.id, step, message }),
    ended: (run) =>
      line({
        event: "ended",
        type: run.status,
        status: run.status,
        run: run.id,
        steps: run.steps,
        epoch: run.epoch,
        loss: run.loss,
        testError: run.testError,
        result: resultOf(run),
        hyperparameters: levelValues(run),
        reason: run.reason,
      }),
    note: (message) => stderr.write(`${message}\n`),
    close: bar.close,
  };
}

/** Writes lines for people to standard output, and a progress bar to standard error on a terminal. */
export function textReport({ stdout, stderr }: Streams = process): TrainReport {
  const bar = progressBar(stderr);
  const line = (text: string) => bar.around(() => stdout.write(`${text}\n`));
  return {
    started: (run) => {
      line(`run ${run.id}  ${run.stack}`);
      line(experimentLine(run.experiment));
      bar.start(run);
    },
    progress: bar.update,
    evaluated: (run, evaluation) => line(epochLine(evaluation, run.experiment)),
    guarded: (_, { message }) => line(`guard: ${message}`),
    ended: (run) => {
      bar.close();
      const took = run.trained === null ? "" : ` in ${trainedText(run.trained, formatDuration)}`;
      line(`${run.status} after ${plural(run.steps, "step")}${took}${run.reason ? `: ${run.reason}` : ""}`);
      line(resultLine(run));
      levelLines(run).forEach(line);
      line(`run ${run.id}`);
    },
    note: (message) => bar.around(() => stderr.write(`${message}\n`)),
    close: bar.close,
  };
}

interface Bar {
  start(run: RunSummary): void;
  update(run: RunSummary): void;
  /** Writes without leaving a piece of the bar in the text. */
  around(write: () => void): void;
  close(): void;
}

const silentBar: Bar = { start: () => undefined, update: () => undefined, around: (write) => write(), close: () => undefined };

function progressBar(stderr: Streams["stderr"]): Bar {
  if (!stderr.isTTY) return silentBar;
  const bar = new SingleBar({
    stream: stderr,
    format: "{bar} {percentage} %  step {value}/{total}  epoch {epoch}  loss {loss}  {speed}{left}",
    clearOnComplete: true,
    hideCursor: true,
    // Ctrl+C is ours: the run is to be stopped, not left.
    gracefulExit: false,
    barsize: 20,
    barCompleteChar: "█",
    barIncompleteChar: "░",
  });
  let active = false;
  return {
    start: (run) => {
      active = true;
      bar.start(run.totalSteps, run.steps, barFields(run));
    },
    update: (run) => {
      if (active) bar.update(run.steps, barFields(run));
    },
    around: (write) => {
      if (active) stderr.write("\r\u001B[K");
      write();
      if (active) bar.render();
    },
    close: () => {
      if (active) bar.stop();
      active = false;
    },
  };
}

function barFields(run: RunSummary): Record<string, string> {
  const epochs = run.experiment.budget.epochs;
  return {
    epoch: `${Math.min(epochs, Math.floor(run.steps / stepsPerEpoch(run.experiment)) + 1)}/${epochs}`,
    loss: run.steps === 0 ? "–" : formatLoss(run.loss),
    speed: run.samplesPerSecond === null ? run.status : `${Math.round(run.samplesPerSecond)} samples/s`,
    left: run.secondsLeft === null ? "" : `  ${formatDuration(run.secondsLeft * 1000)} left`,
  };
}
