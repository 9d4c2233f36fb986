/** A trainer that only logs, as fast as the host stores: made-up values through the real reporter. Plan: JSON in the experiment's name. */
import { hyperparameterColumns } from "../../src/shared/tower.ts";
import type { FromTrainer, ToTrainer } from "../../src/main/trainer/messages.ts";
import { Reporter } from "../../src/main/trainer/reporter.ts";

export interface FastPlan {
  readonly steps: number;
  /** Steps between evaluations. */
  readonly evaluateEvery: number;
}

/** Messages that may wait to be stored. */
const maxUnstored = 4;
/** Steps between checks whether to wait. */
const stepsAtOnce = 256;

let unstored = 0;
let resume: () => void = () => undefined;

process.on("disconnect", () => process.exit(0));
process.on("message", (message: ToTrainer) => {
  if (message.type === "start") void log(message);
  if (message.type !== "stored") return;
  unstored -= message.reports;
  if (unstored <= maxUnstored) resume();
});

async function log({ experiment }: Extract<ToTrainer, { type: "start" }>): Promise<void> {
  const { steps, evaluateEvery } = JSON.parse(experiment.name) as FastPlan;
  const columns = hyperparameterColumns(experiment.tower);
  const metrics = ["loss", "stepTime", ...columns.map((c) => c.metric), ...columns.map((c) => c.hypergradient)];
  const send = (message: FromTrainer, done: () => void = () => undefined) => {
    if (message.type === "rows" || message.type === "evaluation") unstored++;
    process.send?.(message, undefined, undefined, done);
  };
  const environment = { hypertower: "", node: "", platform: "", cpu: "", libraries: {}, gitCommit: null };
  send({ type: "started", device: "none", environment, metrics, totalSteps: steps });

  const reporter = new Reporter({ columns: metrics.length, trainExamples: 60_000, totalSteps: steps, stepsPerEpoch: 235, send });
  const values = metrics.map(() => 0);
  let noise = 1;
  for (let step = 0; step < steps; ) {
    for (const end = Math.min(steps, step + stepsAtOnce); step < end; step++) {
      for (let i = 0; i < values.length; i++) {
        noise = (Math.imul(noise, 1_664_525) + 1_013_904_223) >>> 0;
        values[i] = 2.3 * Math.exp(-step / steps) + noise / 2 ** 34;
      }
      reporter.add(step, values);
      if ((step + 1) % evaluateEvery !== 0) continue;
      reporter.flush();
      send({ type: "evaluation", evaluation: { step: step + 1, epoch: (step + 1) / 235, trainLoss: values[0]!, testLoss: 1, testError: 10 } });
    }
    await new Promise((done) => setImmediate(done));
    if (unstored > maxUnstored) await new Promise<void>((done) => (resume = done));
  }
  reporter.flush();
  send({ type: "ended", outcome: "finished", reason: null, step: steps, hyperparameters: {} }, () => process.disconnect());
}
