/**
 * A trainer process that trains nothing: JSON in the experiment's name says
 * what it does. It sends the messages of messages.ts.
 */
import type { EngineKind } from "../../src/shared/engines.ts";
import type { Experiment } from "../../src/shared/experiment.ts";
import { hyperparameterColumns } from "../../src/shared/tower.ts";
import type { FromTrainer, ToTrainer } from "../../src/main/trainer/messages.ts";

export interface FakePlan {
  /** Total number of steps; 1,000 by default. */
  readonly steps?: number;
  /** Milliseconds between batches of 10 steps. */
  readonly every?: number;
  readonly evaluateAt?: number;
  readonly divergeAt?: number;
  /** Sends rows, writes to standard error, and aborts at once. */
  readonly crashAt?: number;
  readonly failAt?: number;
  /** Skips a step, which is forbidden. */
  readonly skipAt?: number;
  /** Stops sending and receiving messages, like a trainer with a hanging driver. */
  readonly hangAt?: number;
  readonly ignoreStop?: boolean;
  readonly neverStarts?: boolean;
  /** Does not exit after its final message. */
  readonly lingers?: boolean;
  /** Number of steps between evaluations; the test error is the seed plus 1 / epoch. */
  readonly epochSteps?: number;
  /** Diverges at step 20 if level 0's step size is this or larger. */
  readonly divergeFrom?: number;
  /** Fails at step 20 if the seed is this. */
  readonly failSeed?: number;
}

const batch = 10;

function say(message: FromTrainer): Promise<void> {
  return new Promise((resolve, reject) => process.send?.(message, (error: Error | null) => (error ? reject(error) : resolve())));
}

process.on("disconnect", () => process.exit(2));
process.on("message", (message: ToTrainer) => {
  if (message.type === "start") void train(message.experiment, message.stay ?? false, message.why);
  if (message.type === "measure" && !message.experiment.name.includes("neverStarts")) {
    void say({ type: "measured", measurement: { step: 1 / message.experiment.engine.threads, evaluation: 1, begin: 1 }, description: { device: "a fake device", driver: null, memory: null, libraries: {} } }).then(() => (message.stay ? say({ type: "idle" }) : process.disconnect()));
  }
});

async function train(experiment: Experiment, stay: boolean, why = "named in the experiment"): Promise<void> {
  const asked: FakePlan = experiment.name.startsWith("{") ? (JSON.parse(experiment.name.slice(0, experiment.name.lastIndexOf("}") + 1)) as FakePlan) : {};
  const plan = {
    ...asked,
    ...(asked.divergeFrom !== undefined && experiment.tower[0]!.alpha >= asked.divergeFrom && { divergeAt: 15 }),
    ...(asked.failSeed === experiment.seed && { failAt: 20 }),
  };
  const { steps = 1_000, every = 1 } = plan;
  const state = { paused: false, stopped: false };
  const hear = ({ type }: ToTrainer) => {
    if ((type === "stop" || type === "leave") && !plan.ignoreStop) state.stopped = true;
    if ((type === "pause" || type === "resume") && state.paused !== (type === "pause")) {
      state.paused = type === "pause";
      void say({ type: state.paused ? "paused" : "resumed" });
    }
  };
  process.on("message", hear);
  if (plan.neverStarts) return;
  const columns = hyperparameterColumns(experiment.tower);
  await say({
    type: "started",
    device: "a fake device",
    environment: { hypertower: "0", node: process.version, platform: process.platform, cpu: "none", libraries: {}, gitCommit: "abc", engine: { kind: experiment.engine.kind as EngineKind, device: "a fake device", driver: null, precision: "float32", why } },
    metrics: ["loss", "stepTime", ...columns.map((c) => c.metric)],
    totalSteps: steps,
  });

  const end = async (outcome: "finished" | "stopped" | "diverged", step: number, reason: string | null) => {
    const hyperparameters = Object.fromEntries(columns.map((c) => [c.metric, outcome === "diverged" ? NaN : c.initial + step]));
    await say({ type: "ended", outcome, reason, step, hyperparameters });
    process.off("message", hear);
    if (plan.lingers) return;
    if (stay) await say({ type: "idle" });
    else process.disconnect();
  };
  for (let step = 0; step < steps; ) {
    await new Promise((resolve) => setTimeout(resolve, every));
    if (state.stopped) return end("stopped", step, null);
    if (state.paused) continue;
    const row = (s: number) => [s === plan.divergeAt ? NaN : 1 / (1 + s), 1.5, ...columns.map((c) => c.initial + s)];
    const values = Float64Array.from(Array.from({ length: batch }, (_, i) => row(step + i)).flat());
    const firstStep = plan.skipAt === step ? step + 1 : step;
    const progress = { samplesPerSecond: 100, secondsLeft: Infinity, epoch: step / steps };
    const sent = say({ type: "rows", rows: { firstStep, count: batch, values }, progress });
    step += batch;
    if (plan.crashAt === step) {
      process.stderr.write("native code gave up\n");
      await sent;
      process.abort();
    }
    if (plan.hangAt === step) {
      await sent;
      process.off("message", hear);
      return;
    }
    if (plan.failAt === step) {
      await say({ type: "failed", message: "MNIST could not be read" });
      process.disconnect();
      return;
    }
    if (plan.epochSteps !== undefined && step % plan.epochSteps === 0) {
      const epoch = step / plan.epochSteps;
      await say({ type: "evaluation", evaluation: { step, epoch, trainLoss: 0.5, testLoss: 0.5, testError: experiment.seed + 1 / epoch } });
    }
    if (plan.evaluateAt === step) {
      await say({ type: "evaluation", evaluation: { step, epoch: 1, trainLoss: 0.5, testLoss: NaN, testError: 3.5 } });
    }
    if (plan.divergeAt !== undefined && plan.divergeAt < step) return end("diverged", plan.divergeAt, `loss is NaN at step ${plan.divergeAt}`);
  }
  await end("finished", steps, null);
}
