/** Trains one run from its order to its end, and reports on it. */
import type { EngineUse } from "../../shared/engines.ts";
import { stepsPerEpoch, totalSteps, type Experiment } from "../../shared/experiment.ts";
import { engineFailure } from "../../core/engines/failures.ts";
import { BatchError } from "../../core/feeds/ahead/batchMaker.ts";
import { CheckpointError } from "../../core/checkpoint/container.ts";
import { decodeCheckpoint, type Checkpoint } from "../../core/checkpoint/file.ts";
import { requireOwner, trajectoryOf } from "../../core/checkpoint/owner.ts";
import { CheckpointSaver } from "../../core/checkpoint/saver.ts";
import type { RunControl } from "../../core/training/control.ts";
import { messageOf } from "../../shared/errors.ts";
import { describeEnvironment } from "./environment.ts";
import type { FileKind, RunPort } from "./files.ts";
import type { CheckpointOrder, FromTrainer, RunOrder } from "./messages.ts";
import type { PreparedRun } from "../../core/training/prepare.ts";
import { Reporter } from "./reporter.ts";
import { loggedMetrics, TrainingRun, type RunListener } from "../../core/training/run.ts";
import { WeightsKeeper } from "../../core/weights/keeper.ts";

/** Milliseconds between signs of life. */
const aliveEvery = 2_000;

type Send = (message: FromTrainer) => void;

/** @throws Error when the run cannot be prepared, its checkpoint cannot be used, or a step fails */
export async function trainOne({ experiment, checkpoints, why }: RunOrder, control: RunControl, files: RunPort, prepare: () => Promise<PreparedRun>, send: Send): Promise<void> {
  const resumed = checkpoints?.resume ? usable(await files.received, { id: checkpoints.run, experiment }) : undefined;
  const prepared = await prepare();
  const metrics = loggedMetrics(prepared.training);
  // The host answers with `stored`, so that a slow host is not buried in what a fast run reports.
  const report = (message: FromTrainer) => {
    control.reported();
    send(message);
  };
  const reporter = new Reporter({
    columns: metrics.length,
    trainExamples: prepared.feed.examples,
    totalSteps: totalSteps(experiment),
    stepsPerEpoch: stepsPerEpoch(experiment),
    send: report,
  });
  const saver = checkpoints && checkpointSaver(experiment, checkpoints, reporter, sink("checkpoint", files, send));
  let aliveAt = performance.now();
  const listener: RunListener = {
    step: ({ step, values }) => reporter.add(step, values),
    evaluation: (evaluation) => {
      reporter.flush();
      report({ type: "evaluation", evaluation });
    },
    alive: () => {
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
  const keeper = checkpoints?.keepWeights ? weightsKeeper(experiment, checkpoints, sink("weights", files, send)) : undefined;
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
  // Finish writing this run's files.
  await Promise.all([saver?.settled(), keeper?.settled()]);
  reporter.flush();
  send({ type: "ended", ...end });
  await prepared.executable.dispose();
}

function engineUse({ engine: { kind } }: Experiment, { device, driver, precision }: PreparedRun, why = "named in the experiment"): EngineUse | undefined {
  return kind === "auto" ? undefined : { kind, device, driver, precision, why };
}

/** @throws CheckpointError saying why the run cannot resume from it */
function usable(bytes: Uint8Array, run: Parameters<typeof requireOwner>[1]): Checkpoint {
  try {
    const checkpoint = decodeCheckpoint(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    requireOwner(checkpoint, run);
    return checkpoint;
  } catch (error) {
    throw new CheckpointError(`the checkpoint cannot be used: ${messageOf(error)}`, { cause: error });
  }
}

type Sink = (step: number, bytes: Uint8Array) => Promise<void>;

function sink(kind: FileKind, files: RunPort, send: Send): Sink {
  return (step, bytes) => files.send(kind, step, bytes, (piece) => send({ type: "file", kind, step, piece }));
}

function checkpointSaver(experiment: Experiment, { run, every }: CheckpointOrder, reporter: Reporter, sink: Sink): CheckpointSaver {
  return new CheckpointSaver({
    of: { run, experiment: trajectoryOf(experiment), engine: experiment.engine.kind },
    every,
    before: () => reporter.flush(),
    sink,
  });
}

function weightsKeeper(experiment: Experiment, { run }: CheckpointOrder, sink: Sink): WeightsKeeper {
  return new WeightsKeeper({ of: { run, experiment: trajectoryOf(experiment) }, experiment, sink });
}
