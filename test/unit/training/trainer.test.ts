/** The trainer process for real: the same entry that the window and the command line start, on MNIST. */
import { describe, expect, it } from "vitest";
import type { FromTrainer, ToTrainer } from "../../../src/main/trainer/messages.ts";
import { nodeLauncher } from "../../../src/main/hosting/nodeLauncher.ts";
import { validateExperiment, type Experiment, type ExperimentInput } from "../../../src/shared/experiment.ts";
import { processFile } from "../../support/processes.ts";

const launch = nodeLauncher(processFile("trainer"));

function experiment(changes: ExperimentInput = {}): Experiment {
  const result = validateExperiment({
    dataset: { trainExamples: 1000, testExamples: 300 },
    model: { hidden: [16] },
    batchSize: 64,
    budget: { epochs: 2 },
    ...changes,
  });
  if (!result.ok) throw new Error(result.errors.map(({ message }) => message).join("; "));
  return result.experiment;
}

interface Trained {
  readonly messages: FromTrainer[];
  readonly metrics: readonly string[];
  /** Every step's values, in the order of `metrics`. */
  readonly steps: number[][];
  readonly end: Extract<FromTrainer, { type: "ended" }> | undefined;
}

type Act = (message: FromTrainer, send: (message: ToTrainer) => void) => void;

/** Runs a trainer to its exit, acting on its messages. */
async function train(config: Experiment, act: Act = () => undefined): Promise<Trained> {
  const trainer = await launch();
  const messages: FromTrainer[] = [];
  const steps: number[][] = [];
  let metrics: readonly string[] = [];
  trainer.onMessage((message) => {
    messages.push(message);
    if (message.type === "started") metrics = message.metrics;
    if (message.type === "rows") {
      const { firstStep, count, values } = message.rows;
      expect(firstStep).toBe(steps.length);
      for (let row = 0; row < count; row++) steps.push([...values.slice(row * metrics.length, (row + 1) * metrics.length)]);
    }
    act(message, (reply) => trainer.send(reply));
  });
  trainer.send({ type: "start", experiment: config });
  const exit = await new Promise<{ code: number | null; stderr: string }>((resolve) => trainer.onExit(resolve));
  expect(exit).toMatchObject({ code: 0, stderr: "" });
  return { messages, metrics, steps, end: messages.find((message) => message.type === "ended") };
}

/** Everything but the times. */
const trajectory = ({ metrics, steps }: Trained) => steps.map((values) => values.filter((_, i) => metrics[i] !== "stepTime"));

describe("a trainer process", () => {
  it("reports every step, an evaluation an epoch, and how it ended", async () => {
    const { messages, metrics, steps, end } = await train(experiment());
    expect(metrics).toEqual([
      "loss", "stepTime", "L0.alpha", "L0.beta1", "L0.beta2", "L1.alpha",
      "L0.alpha.hypergradient", "L0.beta1.hypergradient", "L0.beta2.hypergradient",
    ]);
    expect(steps).toHaveLength(32);
    const evaluations = messages.flatMap((message) => (message.type === "evaluation" ? [message.evaluation] : []));
    expect(evaluations.map(({ step, epoch }) => [step, epoch])).toEqual([[16, 1], [32, 2]]);
    expect(evaluations[1]!.testError!).toBeLessThan(60);
    expect(end).toMatchObject({ outcome: "finished", reason: null, step: 32 });
    // Adam's step size has moved, its own parent's has not; before the first update nothing has.
    expect(steps[0]![2]).toBe(0.001);
    expect(end!.hyperparameters["L0.alpha"]).not.toBe(0.001);
    expect(end!.hyperparameters["L1.alpha"]).toBe(1e-5);
    expect(steps[0]!.slice(6)).toEqual([0, 0, 0]);
    expect(steps[1]![6]).not.toBe(0);
  });

  it("repeats a seed's trajectory bit for bit, and another seed's differs", async () => {
    const [first, again, other] = [await train(experiment()), await train(experiment()), await train(experiment({ seed: 1 }))];
    expect(trajectory(again)).toEqual(trajectory(first));
    expect(again.end).toEqual(first.end);
    expect(trajectory(other)).not.toEqual(trajectory(first));
  });

  it("agrees with the reference engine", async () => {
    const small: ExperimentInput = { dataset: { trainExamples: 200, testExamples: 100 }, budget: { epochs: 1 } };
    const ours = await train(experiment(small));
    const reference = await train(experiment({ ...small, engine: { kind: "reference" } }));
    expect(ours.steps).toHaveLength(reference.steps.length);
    ours.steps.forEach((values, t) => expect(Math.abs(values[0]! - reference.steps[t]![0]!)).toBeLessThan(1e-5));
  });

  it("pauses, resumes and stops without changing what it computes", async () => {
    const undisturbed = await train(experiment({ budget: { epochs: 4 } }));
    let stepsAtPause = 0;
    const disturbed = await train(experiment({ budget: { epochs: 400 } }), (message, send) => {
      if (message.type === "started") send({ type: "pause" });
      if (message.type === "paused" && stepsAtPause++ === 0) setTimeout(() => send({ type: "resume" }), 50);
      if (message.type === "evaluation" && message.evaluation.epoch >= 4) send({ type: "stop" });
    });
    expect(disturbed.messages.map(({ type }) => type)).toContain("resumed");
    expect(disturbed.end?.outcome).toBe("stopped");
    expect(disturbed.end!.reason).toBe(`stopped at step ${disturbed.steps.length} of 6400`);
    expect(disturbed.steps.length).toBeLessThan(6400);
    expect(trajectory(disturbed).slice(0, 64)).toEqual(trajectory(undisturbed));
    // Where it was stopped, the model is evaluated once more.
    const evaluations = disturbed.messages.filter((message) => message.type === "evaluation");
    expect(evaluations.at(-1)!.evaluation.step).toBe(disturbed.steps.length);
  });

  it("stops before the first step when asked while preparing", async () => {
    const trainer = await launch();
    const ended = new Promise<FromTrainer>((resolve) => trainer.onMessage((m) => (m.type === "ended" || m.type === "failed") && resolve(m)));
    trainer.send({ type: "start", experiment: experiment() });
    trainer.send({ type: "stop" });
    expect(await ended).toMatchObject({ type: "ended", outcome: "stopped", step: 0, hyperparameters: { "L0.alpha": 0.001 } });
  });

  it("ends as diverged at the step where a value stops being finite, with the reason", async () => {
    const { steps, end } = await train(
      experiment({
        model: { hidden: [16], activation: "identity", outputActivation: "identity" },
        tower: [{ optimizer: "sgd", alpha: 100 }, { optimizer: "sgd", alpha: 1e6 }],
      }),
    );
    expect(end?.outcome).toBe("diverged");
    expect(end!.reason).toMatch(/^(L0\.alpha|the loss) became (NaN|-?Infinity) at step \d+$/);
    expect(steps.length).toBe(end!.step);
    expect(steps.at(-1)!.some((value) => !Number.isFinite(value))).toBe(true);
    expect(steps.slice(0, -1).flat().every(Number.isFinite)).toBe(true);
  });

  it("fails with the path when the dataset is not there", async () => {
    process.env["HYPERTOWER_MNIST"] = "/nowhere";
    try {
      const { messages } = await train(experiment());
      expect(messages).toEqual([{ type: "failed", message: expect.stringContaining("/nowhere/") as string }]);
    } finally {
      delete process.env["HYPERTOWER_MNIST"];
    }
  });
});
