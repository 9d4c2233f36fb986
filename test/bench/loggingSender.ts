/** A trainer that only logs: made-up steps at a given rate through the real reporter, timed. Plan: JSON in the experiment's name. */
import { hyperparameterColumns } from "../../src/shared/tower.ts";
import type { FromTrainer, ToTrainer } from "../../src/main/trainer/messages.ts";
import { Reporter } from "../../src/main/trainer/reporter.ts";

export interface SenderPlan {
  readonly stepsPerSecond: number;
  readonly steps: number;
  /** Steps before the timing starts. */
  readonly warmUp: number;
}

const clock = () => performance.now();

process.on("disconnect", () => process.exit(0));
process.on("message", (message: ToTrainer) => {
  if (message.type === "start") void log(message);
});

async function log({ experiment }: Extract<ToTrainer, { type: "start" }>): Promise<void> {
  const { stepsPerSecond, steps, warmUp } = JSON.parse(experiment.name) as SenderPlan;
  const columns = hyperparameterColumns(experiment.tower);
  const metrics = ["loss", "stepTime", ...columns.map((c) => c.metric), ...columns.map((c) => c.hypergradient)];
  const send = (message: FromTrainer, done: () => void = () => undefined) =>
    void process.send?.(message, undefined, undefined, done);
  const environment = { hypertower: "", node: "", platform: "", cpu: "", libraries: {}, gitCommit: null };
  send({ type: "started", device: "none", environment, metrics, totalSteps: steps });

  const reporter = new Reporter({ columns: metrics.length, trainExamples: 60_000, totalSteps: steps, stepsPerEpoch: 235, send });
  const begin = clock();
  let spent = 0;
  for (let step = 0; step < steps; ) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    const due = Math.min(steps, Math.floor(((clock() - begin) / 1000) * stepsPerSecond));
    for (; step < due; step++) {
      const values = metrics.map((_, i) => Math.sin(step * (i + 1)));
      const before = clock();
      reporter.add(step, values);
      if (step >= warmUp) spent += clock() - before;
    }
  }
  reporter.flush();
  // The sender's time per step travels back in the place of a learned value.
  const hyperparameters = { [columns[0]!.metric]: spent / (steps - warmUp) };
  send({ type: "ended", outcome: "finished", reason: null, step: steps, hyperparameters }, () => process.disconnect());
}
