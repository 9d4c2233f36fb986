/** Trains one run from its order to its end, and says what happens to it. */
import type { EngineUse } from "../../shared/engines.ts";
import { stepsPerEpoch, totalSteps, type Experiment } from "../../shared/experiment.ts";
import { engineFailure } from "../../core/engines/failures.ts";
import { BatchError } from "../../core/feeds/ahead/batchMaker.ts";
import { CheckpointFolder } from "../hosting/checkpoint/folder.ts";
import { trajectoryOf } from "../../core/checkpoint/owner.ts";
import { CheckpointSaver } from "../../core/checkpoint/saver.ts";
import type { RunControl } from "../../core/training/control.ts";
import { describeEnvironment } from "./environment.ts";
import type { CheckpointOrder, FromTrainer, RunOrder } from "./messages.ts";
import type { PreparedRun } from "../../core/training/prepare.ts";
import { Reporter } from "./reporter.ts";
import { loggedMetrics, TrainingRun, type RunListener } from "../../core/training/run.ts";
import { WeightsFolder } from "../hosting/weights/folder.ts";
import { WeightsKeeper } from "../../core/weights/keeper.ts";

/** Milliseconds between two signs of life during an evaluation. */
const aliveEvery = 2_000;

type Send = (message: FromTrainer) => void;

/** @throws Error when the run cannot be prepared, its checkpoint not be used, or a step not be executed */
export async function trainOne({ experiment, checkpoints, why }: RunOrder, control: RunControl, prepare: () => Promise<PreparedRun>, send: Send): Promise<void> {
  const resumed = checkpoints?.resume ? new CheckpointFolder(checkpoints.storeFolder).read({ id: checkpoints.run, experiment }) : undefined;
  const prepared = await prepare();
  const metrics = loggedMetrics(prepared.training);
  const reporter = new Reporter({
    columns: metrics.length,
    trainExamples: prepared.feed.examples,
    totalSteps: totalSteps(experiment),
    stepsPerEpoch: stepsPerEpoch(experiment),
    send,
  });
  const saver = checkpoints && checkpointSaver(experiment, checkpoints, reporter, send);
  let aliveAt = performance.now();
  const listener: RunListener = {
    step: ({ step, values }) => reporter.add(step, values),
    evaluation: (evaluation) => {
      reporter.flush();
      send({ type: "evaluation", evaluation });
    },
    evaluating: () => {
      const now = performance.now();
      if (now - aliveAt < aliveEvery) return;
      aliveAt = now;
      send({ type: "alive" });
    },
    paused: () => {
      reporter.flush();
      send({ type: "paused" });
    },
    resumed: () => {
      reporter.restartClock();
      send({ type: "resumed" });
    },
    rolledBack: (step, message) => {
      reporter.flush();
      send({ type: "rolledBack", step, message });
    },
  };
  const keeper = checkpoints?.keepWeights ? weightsKeeper(experiment, checkpoints, send) : undefined;
  const run = new TrainingRun(prepared, control, listener, saver, keeper);
  if (resumed) run.restore(resumed);
  send({
    type: "started",
    device: prepared.device,
    environment: await describeEnvironment(prepared.libraries, engineUse(experiment, prepared, why)),
    metrics,
    totalSteps: totalSteps(experiment),
    ...(resumed && { from: { step: resumed.position.step, evaluated: resumed.position.evaluated } }),
  });
  const end = await run.train().catch((error: unknown) => {
    throw error instanceof BatchError ? error : engineFailure(experiment.engine.kind, error);
  });
  // What is still being written belongs to this run.
  await Promise.all([saver?.settled(), keeper?.settled()]);
  reporter.flush();
  send({ type: "ended", ...end });
  await prepared.executable.dispose();
}

function engineUse({ engine: { kind } }: Experiment, { device, driver, precision }: PreparedRun, why = "named in the experiment"): EngineUse | undefined {
  return kind === "auto" ? undefined : { kind, device, driver, precision, why };
}

function checkpointSaver(experiment: Experiment, { run, lease, storeFolder, every }: CheckpointOrder, reporter: Reporter, send: Send): CheckpointSaver {
  const folder = new CheckpointFolder(storeFolder);
  return new CheckpointSaver({
    of: { run, experiment: trajectoryOf(experiment), engine: experiment.engine.kind },
    every,
    fileAt: (step) => folder.pendingFileOf({ run, lease }, step),
    before: () => reporter.flush(),
    saved: (step) => send({ type: "checkpoint", step }),
    failed: (step, { message }) => send({ type: "checkpointFailed", step, message }),
  });
}

function weightsKeeper(experiment: Experiment, { run, lease, storeFolder }: CheckpointOrder, send: Send): WeightsKeeper {
  const folder = new WeightsFolder(storeFolder);
  return new WeightsKeeper({
    of: { run, experiment: trajectoryOf(experiment) },
    fileAt: (step) => folder.pendingFileOf({ run, lease }, step),
    kept: (step) => send({ type: "weights", step }),
    failed: (step, { message }) => send({ type: "weightsFailed", step, message }),
  });
}
