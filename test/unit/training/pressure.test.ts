import { expect, it, vi } from "vitest";
import { RunControl } from "../../../src/core/training/control.ts";
import { prepareRun } from "../../../src/core/training/prepare.ts";
import { TrainingRun, type RunEnd } from "../../../src/core/training/run.ts";
import { WeightsKeeper } from "../../../src/core/weights/keeper.ts";
import { experiment } from "../../../src/shared/experiment.ts";

/** A run of 120 steps whose every step is a report that nobody stores by itself. */
async function reportingRun() {
  const prepared = await prepareRun(
    experiment.parse({ dataset: { kind: "iris", trainExamples: 120, testExamples: 30 }, model: { kind: "mlp", hidden: [4] }, batchSize: 1, budget: { epochs: 1 }, evaluation: { every: "end" } }),
  );
  const control = new RunControl();
  const seen = { steps: 0, alive: 0, paused: 0 };
  const run = new TrainingRun(prepared, control, {
    step: () => {
      seen.steps++;
      control.reported();
    },
    evaluation: () => undefined,
    alive: () => seen.alive++,
    paused: () => seen.paused++,
    resumed: () => undefined,
    rolledBack: () => undefined,
  });
  let end: RunEnd | undefined;
  const ended = run.train().then((how) => (end = how));
  const reaches = (steps: number) => vi.waitFor(() => expect(seen.steps).toBe(steps));
  return { control, seen, ended, reaches, end: () => end };
}

it("waits when 64 reports are not stored, says that it is alive, and goes on as they are", async () => {
  const { control, seen, ended, reaches, end } = await reportingRun();
  await reaches(64);
  await vi.waitFor(() => expect(seen.alive).toBeGreaterThan(0));
  expect(seen.steps).toBe(64);
  control.stored(10);
  await reaches(74);
  expect(end()).toBeUndefined();
  control.stored(74);
  expect(await ended).toMatchObject({ outcome: "finished", step: 120 });
});

it("pauses and stops while it waits", async () => {
  const { control, seen, ended, reaches } = await reportingRun();
  await reaches(64);
  control.pause();
  await vi.waitFor(() => expect(seen.paused).toBe(1));
  control.resume();
  control.stop();
  expect(await ended).toMatchObject({ outcome: "stopped", step: 64 });
});

it("stores, of the weights that wait, the best and the latest", async () => {
  const stored: number[] = [];
  let done: () => void = () => undefined;
  const keeper = new WeightsKeeper({
    of: { run: "r", experiment: "e" },
    experiment: experiment.parse({}),
    sink: (step) => {
      stored.push(step);
      return new Promise((resolve) => (done = resolve));
    },
  });
  const keep = (step: number, testError: number) => keeper.keep({ step, epoch: 1, trainLoss: 1, testLoss: 1, testError }, []);
  keep(1, 9);
  keep(2, 5);
  keep(3, 3);
  keep(4, 4);
  keep(5, 6);
  for (const expected of [[1], [1, 3], [1, 3, 5]]) {
    await vi.waitFor(() => expect(stored).toEqual(expected));
    done();
  }
  await keeper.settled();
  keep(6, 1);
  expect(stored).toEqual([1, 3, 5, 6]);
});
