/** How a study is trained, from what a few steps take: with trainers that only answer. */
import { expect, it } from "vitest";
import { Calibration } from "../../../src/main/hosting/calibration.ts";
import { Measurements } from "../../../src/main/hosting/measurements.ts";
import type { FromTrainer, ToTrainer } from "../../../src/main/trainer/messages.ts";
import type { Trainer, TrainerExit } from "../../../src/main/hosting/process.ts";
import { expandStudy } from "../../../src/shared/study/expand.ts";
import { study } from "../../../src/shared/study/study.ts";

const description = { device: "a device", driver: null, memory: null, libraries: {} };

/** So many runs of one program, 1,175 steps each. */
function runs(count: number) {
  const expansion = expandStudy(study.parse({ base: {}, axes: [], heights: null, seeds: Array.from({ length: count }, (_, seed) => seed) }));
  if (!expansion.ok) throw new Error("the study cannot be expanded");
  return expansion.cells;
}

/** @param stepOf milliseconds of a step of so many runs at once; throws where they do not fit the memory */
function machine(stepOf: (cohort: number) => number) {
  const cohorts: number[] = [];
  const launch = (): Trainer => {
    const heard: ((message: FromTrainer) => void)[] = [];
    const gone: ((exit: TrainerExit) => void)[] = [];
    const answer = ({ cohort }: Extract<ToTrainer, { type: "measure" }>): FromTrainer => {
      try {
        return { type: "measured", measurement: { step: stepOf(cohort), evaluation: 0, begin: 0 }, description };
      } catch (error) {
        return { type: "failed", message: (error as Error).message };
      }
    };
    return {
      pid: 1,
    launched: Promise.resolve(true),
      send: (order) => {
        if (order.type !== "measure") throw new Error(`a trainer is sent ${order.type}`);
        cohorts.push(order.cohort);
        queueMicrotask(() => {
          for (const listener of heard) listener(answer(order));
          for (const listener of gone) listener({ code: 0, signal: null, stderr: "" });
        });
      },
      onMessage: (listener) => (heard.push(listener), () => undefined),
      onExit: (listener) => (gone.push(listener), () => undefined),
      kill: () => undefined,
    };
  };
  const store = { measurements: { find: () => undefined, save: () => undefined } };
  return { calibration: new Calibration({ startTrainer: launch, measurements: new Measurements(store as never, Promise.resolve("here")), cores: 1 }), cohorts };
}

it.each([
  ["as large as they can be where a step of many costs little more", 300, (cohort: number) => Math.sqrt(cohort), [1, 16, 64, 256], 256],
  ["no larger than there are runs", 20, (cohort: number) => 10 * Math.sqrt(cohort), [1, 16, 20], 20],
  ["none where a step of many costs as much as theirs one by one", 300, (cohort: number) => cohort, [1, 16], 1],
  ["until a larger one is hardly faster", 300, (cohort: number) => Math.max(4, cohort / 8), [1, 16, 64, 256], 64],
  ["as large as the memory holds", 300, (cohort: number) => { if (cohort > 64) throw new Error("out of memory"); return Math.sqrt(cohort); }, [1, 16, 64, 256], 64],
  ["none, and none tried, for a study that takes less than a minute", 20, () => 1, [1], 1],
] as const)("automatic cohorts are %s", async (_what, count, stepOf, tried, taken) => {
  const { calibration, cohorts } = machine(stepOf);
  expect(await calibration.choose(runs(count), "auto")).toEqual({ workers: 1, threads: 1, cohort: taken });
  expect(cohorts).toEqual(tried);
});

it("a cohort that is asked for is measured as it is, and is no larger than there are runs", async () => {
  const { calibration, cohorts } = machine(() => 1);
  expect(await calibration.choose(runs(8), 32)).toEqual({ workers: 1, threads: 1, cohort: 8 });
  expect(cohorts).toEqual([8]);
});
