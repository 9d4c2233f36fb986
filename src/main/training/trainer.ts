/** Entry of a trainer process: trains one run, reports every step, and goes when its parent goes. */
import { stepsPerEpoch, totalSteps } from "../../shared/experiment.ts";
import { RunControl } from "./control.ts";
import { describeEnvironment } from "./environment.ts";
import type { FromTrainer, ToTrainer } from "./messages.ts";
import { prepareRun } from "./prepare.ts";
import { Reporter } from "./reporter.ts";
import { loggedMetrics, TrainingRun } from "./run.ts";

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
const control = new RunControl();

async function start({ experiment, startPaused }: Extract<ToTrainer, { type: "start" }>): Promise<void> {
  if (startPaused) control.pause();
  const prepared = await prepareRun(experiment);
  const metrics = loggedMetrics(prepared.training);
  const reporter = new Reporter({
    columns: metrics.length,
    trainExamples: prepared.dataset.train.count,
    totalSteps: totalSteps(experiment),
    stepsPerEpoch: stepsPerEpoch(experiment),
    send: (message) => port.send(message),
  });
  const run = new TrainingRun(prepared, control, {
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
  });
  port.send({
    type: "started",
    device: prepared.device,
    environment: await describeEnvironment(prepared.libraries),
    metrics,
    totalSteps: totalSteps(experiment),
  });
  const end = await run.train();
  reporter.flush();
  port.send({ type: "ended", ...end });
  await prepared.executable.dispose();
}

port.receive((message) => {
  switch (message.type) {
    case "start":
      start(message)
        .catch((error: unknown) => port.send({ type: "failed", message: error instanceof Error ? error.message : String(error) }))
        .finally(() => port.close());
      break;
    case "pause":
      return control.pause();
    case "resume":
      return control.resume();
    case "stop":
      return control.stop();
  }
});
