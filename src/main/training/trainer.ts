/** Entry of a trainer process: trains a run, or several one after another, reports every step, and goes when its parent goes. */
import { stepsPerEpoch, totalSteps, type Experiment } from "../../shared/experiment.ts";
import { experimentHash } from "./checkpoint/file.ts";
import { CheckpointFolder } from "./checkpoint/folder.ts";
import { CheckpointSaver } from "./checkpoint/saver.ts";
import { RunControl } from "./control.ts";
import { describeEnvironment } from "./environment.ts";
import { measure } from "./measure.ts";
import type { CheckpointOrder, FromTrainer, ToTrainer } from "./messages.ts";
import { predict } from "./prediction/jobs.ts";
import { prepareRun } from "./prepare.ts";
import { Reporter } from "./reporter.ts";
import { loggedMetrics, TrainingRun, type RunListener } from "./run.ts";
import { WeightsFolder } from "./weights/folder.ts";
import { WeightsKeeper } from "./weights/keeper.ts";

/** The parent's end: Electron's port, or Node's IPC channel. */
interface Port {
  send(message: FromTrainer): void;
  receive(listener: (message: ToTrainer) => void): void;
  /** Leaves once everything sent has gone out. */
  close(): void;
}

/** What Electron adds to `process` in a utility process. */
interface ParentPort {
  postMessage(message: FromTrainer): void;
  on(event: "message", listener: (event: { readonly data: ToTrainer }) => void): void;
}

function openPort(): Port {
  const { parentPort } = process as NodeJS.Process & { readonly parentPort?: ParentPort };
  if (parentPort) {
    return {
      send: (message) => parentPort.postMessage(message),
      receive: (listener) => parentPort.on("message", (event: { readonly data: ToTrainer }) => listener(event.data)),
      close: () => setTimeout(() => process.exit(0), 200),
    };
  }
  if (!process.send) {
    process.stderr.write("hypertower: the trainer is started by the workbench or the command line, not by hand\n");
    process.exit(2);
  }
  process.on("disconnect", () => process.exit(0));
  // Disconnecting drops what a busy parent has not read yet: wait until the last message has gone out.
  let sent = Promise.resolve();
  return {
    send: (message) => {
      sent = new Promise((resolve) => process.send?.(message, () => resolve()));
    },
    receive: (listener) => process.on("message", (message) => listener(message as ToTrainer)),
    close: () => void sent.then(() => process.disconnect()),
  };
}

// A terminal's Ctrl+C reaches every process of the group; the host decides what becomes of the run.
process.on("SIGINT", () => undefined);

const port = openPort();
/** Of the latest run. */
let control = new RunControl();

async function start({ experiment, startPaused, checkpoints }: Extract<ToTrainer, { type: "start" }>): Promise<void> {
  control = new RunControl();
  if (startPaused) control.pause();
  const resumed = checkpoints?.resume ? new CheckpointFolder(checkpoints.storeFolder).read({ id: checkpoints.run, experiment }) : undefined;
  const prepared = await prepareRun(experiment);
  const metrics = loggedMetrics(prepared.training);
  const reporter = new Reporter({
    columns: metrics.length,
    trainExamples: prepared.feed.examples,
    totalSteps: totalSteps(experiment),
    stepsPerEpoch: stepsPerEpoch(experiment),
    send: (message) => port.send(message),
  });
  const saver = checkpoints && checkpointSaver(experiment, checkpoints, reporter);
  const listener: RunListener = {
    step: ({ step, values }) => reporter.add(step, values),
    evaluation: (evaluation) => {
      reporter.flush();
      port.send({ type: "evaluation", evaluation });
    },
    paused: () => {
      reporter.flush();
      port.send({ type: "paused" });
    },
    resumed: () => {
      reporter.restartClock();
      port.send({ type: "resumed" });
    },
    rolledBack: (step, message) => {
      reporter.flush();
      port.send({ type: "rolledBack", step, message });
    },
  };
  const keeper = checkpoints?.keepWeights ? weightsKeeper(experiment, checkpoints) : undefined;
  const run = new TrainingRun(prepared, control, listener, saver, keeper);
  if (resumed) run.restore(resumed);
  port.send({
    type: "started",
    device: prepared.device,
    environment: await describeEnvironment(prepared.libraries),
    metrics,
    totalSteps: totalSteps(experiment),
    ...(resumed && { from: { step: resumed.position.step, evaluated: resumed.position.evaluated } }),
  });
  const end = await run.train();
  // What is still being written belongs to this run.
  await Promise.all([saver?.settled(), keeper?.settled()]);
  reporter.flush();
  port.send({ type: "ended", ...end });
  await prepared.executable.dispose();
}

function checkpointSaver(experiment: Experiment, { run, storeFolder, every }: CheckpointOrder, reporter: Reporter): CheckpointSaver {
  const folder = new CheckpointFolder(storeFolder);
  return new CheckpointSaver({
    of: { run, experiment: experimentHash(experiment), engine: experiment.engine.kind },
    every,
    fileAt: (step) => folder.pendingFileOf(run, step),
    before: () => reporter.flush(),
    saved: (step) => port.send({ type: "checkpoint", step }),
    failed: (step, { message }) => port.send({ type: "checkpointFailed", step, message }),
  });
}

function weightsKeeper(experiment: Experiment, { run, storeFolder }: CheckpointOrder): WeightsKeeper {
  const folder = new WeightsFolder(storeFolder);
  return new WeightsKeeper({
    of: { run, experiment: experimentHash(experiment) },
    fileAt: (step) => folder.pendingFileOf(run, step),
    kept: (step) => port.send({ type: "weights", step }),
    failed: (step, { message }) => port.send({ type: "weightsFailed", step, message }),
  });
}

/** Does what was asked, then leaves or waits for more. */
function work(task: Promise<void>, stay = false): void {
  task.then(
    () => (stay ? port.send({ type: "idle" }) : port.close()),
    (error: unknown) => {
      port.send({ type: "failed", message: error instanceof Error ? error.message : String(error) });
      port.close();
    },
  );
}

port.receive((message) => {
  switch (message.type) {
    case "start":
      return work(start(message), message.stay);
    case "measure":
      return work(
        measure(message.experiment).then((measurement) => port.send({ type: "measured", measurement })),
        message.stay,
      );
    case "predict":
      return work(
        predict(message.experiment, message.weights, message.job).then((result) => port.send({ type: "predicted", result })),
        message.stay,
      );
    case "pause":
      return control.pause();
    case "resume":
      return control.resume();
    case "stop":
      return control.stop();
  }
});
