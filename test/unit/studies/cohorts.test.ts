/** Runs of a study that train as one program equal runs that train alone: they are logged, controlled, interrupted and resumed one by one. */
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { cohortsOf } from "../../../src/shared/study/cohorts.ts";
import { expandStudy } from "../../../src/shared/study/expand.ts";
import type { StudyDetail } from "../../../src/shared/study/result.ts";
import { study as schema, type StudyInput } from "../../../src/shared/study/study.ts";
import { createServices } from "../../../src/main/services/createServices.ts";
import type { Services } from "../../../src/main/services/services.ts";
import { nodeLauncher } from "../../../src/main/hosting/nodeLauncher.ts";
import { everything } from "../../support/edition.ts";
import { freshFolder, recordedLog } from "../../support/storeFixtures.ts";
import { processFile } from "../../support/processes.ts";

/** 8 steps an epoch; the largest step size, by its weight decay, diverges in the fourth. */
function aStudy(epochs: number, more: StudyInput = {}): StudyInput {
  return {
    base: {
      dataset: { kind: "digits", trainExamples: 200, testExamples: 100 },
      model: { hidden: [6] },
      tower: [{ optimizer: "sgd", weightDecay: 0.1 }],
      batchSize: 25,
      budget: { epochs },
      engine: { kind: "reference" },
    },
    axes: [{ values: { kind: "list", values: [0.1, 1, 1e12] } }],
    heights: { values: [0, 1], rule: { kind: "fixed", alphas: [1e-3] } },
    seeds: [0, 1],
    ...more,
  };
}

async function open(storeDir = freshFolder()) {
  const launch = nodeLauncher(processFile("trainer"));
  const pids: number[] = [];
  const launchTrainer = async () => {
    const process = await launch();
    if (process.pid !== undefined) pids.push(process.pid);
    return process;
  };
  const services = await createServices({ storeDir, host: "browser", version: "0", launchTrainer }, { log: recordedLog(), checkpointEvery: 20 });
  onTestFinished(() => services.close());
  return { services, storeDir, pids };
}

const begin = async ({ handlers }: Services, study: StudyInput, cohort: number) => (await handlers["studies.start"]({ study, workers: 1, cohort })).id;

const until = (services: Services, id: string, holds: (study: StudyDetail) => boolean) =>
  vi.waitFor(
    async () => {
      const now = await services.handlers["studies.get"]({ study: id });
      expect(holds(now), now.reason ?? now.points.map(({ status, reason }) => `${status} ${reason ?? ""}`).join("; ")).toBe(true);
      return now;
    },
    { interval: 20 },
  );
const ended = (study: StudyDetail) => study.status === "finished";

/** What every run logged but wall time, by cell. */
function logged(services: Services, { points }: StudyDetail) {
  return new Map(
    points.map(({ key, run, status, evaluations }) => {
      const steps = [...services.readSteps(run!)].map(({ values }) => values.filter((_, column) => column !== 1));
      return [key, { status, steps, evaluations: evaluations.map(({ step, testLoss, testError }) => [step, testLoss, testError]) }] as const;
    }),
  );
}

describe("a study in cohorts", () => {
  it("has the same results as single runs, including diverged runs", async () => {
    const { services } = await open();
    const together = await begin(services, aStudy(4), 4);
    // Four runs in one process are four runs.
    await vi.waitFor(() => expect(services.training()).toBe(4), { interval: 5 });
    const alone = await begin(services, aStudy(4), 1);
    const [ours, expected] = [await until(services, together, ended), await until(services, alone, ended)];
    expect(ours.study.cohort).toBe(4);
    const [a, b] = [logged(services, ours), logged(services, expected)];
    expect([...a.values()].filter(({ status }) => status === "diverged")).toHaveLength(4);
    for (const [key, { status, steps, evaluations }] of b) {
      const mine = a.get(key)!;
      expect(mine.status, key).toBe(status);
      expect(mine.steps.length, key).toBe(steps.length);
      expect(mine.evaluations.length, key).toBe(evaluations.length);
      const pairs = [steps, evaluations].flatMap((rows, i) => rows.flat().map((value, j) => [(i === 0 ? mine.steps : mine.evaluations).flat()[j], value] as const));
      for (const [is, was] of pairs) {
        if (Number.isFinite(was)) expect(Math.abs(is! - was!) / Math.max(1, Math.abs(was!)), key).toBeLessThan(1e-12);
        else expect(is, key).toEqual(was);
      }
    }
  });

  it("is completed by another host after a close, and by another trainer after a kill, with identical numbers", async () => {
    const undisturbed = await open();
    const of = aStudy(25, { axes: [{ values: { kind: "list", values: [0.1, 0.5, 1] } }], seeds: [0] });
    const whole = await until(undisturbed.services, await begin(undisturbed.services, of, 3), ended);

    const first = await open();
    const id = await begin(first.services, of, 3);
    await until(first.services, id, ({ points }) => points.some(({ steps }) => steps > 30));
    await first.services.close();
    const { services, pids } = await open(first.storeDir);
    await services.handlers["studies.resume"]({ study: id });
    await until(services, id, ({ points }) => points.filter(({ status }) => status === "running").some(({ steps }) => steps > 60));
    process.kill(pids.at(-1)!, "SIGKILL");
    const completed = await until(services, id, ended);
    expect(completed.points.map(({ status }) => status)).toEqual(whole.points.map(() => "finished"));
    expect(logged(services, completed)).toEqual(logged(undisturbed.services, whole));
  });

  it.runIf(everything)("stops and pauses its runs one by one", async () => {
    const { services } = await open();
    const of = aStudy(60, { axes: [{ values: { kind: "list", values: [0.1, 0.5, 1] } }], heights: null, seeds: [0] });
    const id = await begin(services, of, 3);
    const running = await until(services, id, ({ points }) => points.every(({ status, steps }) => status === "running" && steps > 5));
    const [stopped, paused, free] = running.points.map(({ run }) => run!) as [string, string, string];
    expect(await services.handlers["runs.stop"]({ run: stopped })).toMatchObject({ status: "stopped" });
    const stands = await services.handlers["runs.pause"]({ run: paused });
    expect(stands.status).toBe("paused");
    await vi.waitFor(async () => expect((await services.handlers["runs.get"]({ run: free })).status).toBe("finished"), { interval: 20 });
    expect(await services.handlers["runs.get"]({ run: paused })).toMatchObject({ status: "paused", steps: stands.steps });
    await services.handlers["runs.resume"]({ run: paused, fromStart: false });
    await until(services, id, ended);
    // The one that was stopped goes on by itself.
    await services.handlers["studies.retry"]({ study: id });
    await until(services, id, ({ points }) => points.every(({ status }) => status === "finished"));
    const alone = await until(services, await begin(services, of, 1), ended);
    const [a, b] = [logged(services, await services.handlers["studies.get"]({ study: id })), logged(services, alone)];
    for (const [key, { steps }] of b) expect(a.get(key)!.steps.flat().every((value, i) => Math.abs(value - steps.flat()[i]!) < 1e-9 * Math.max(1, Math.abs(value))), key).toBe(true);
  });

  it("refuses invalid settings", async () => {
    const { services } = await open();
    const halving = { rungs: [1], keep: 0.5 };
    await expect(begin(services, aStudy(3, { halving }), 4)).rejects.toThrow("The study is not valid: cohort: cohort is 4, and successive halving ends the runs of a cohort at different steps; allowed with it: 1");
    expect(await services.handlers["studies.validate"]({ study: { ...aStudy(3), cohort: 0 } })).toMatchObject({
      ok: false,
      errors: [{ path: "cohort", message: 'cohort must be "auto" or a whole number from 1 to 1024' }],
    });
  });
});

describe("cohortsOf()", () => {
  const cellsOf = (input: StudyInput) => {
    const of = schema.parse(input);
    const expansion = expandStudy(of);
    if (!expansion.ok) throw new Error("not valid");
    return { cells: expansion.cells, seeds: of.seeds };
  };

  it("groups runs that differ only in state, those of one seed first", () => {
    const { cells, seeds } = cellsOf(aStudy(3));
    const cohorts = cohortsOf(cells, seeds, 4);
    expect(cohorts.map((cohort) => cohort.map(({ height, seed, values }) => `${height} ${seed} ${values[0]}`))).toEqual([
      ["0 0 0.1", "0 0 1", "0 0 1000000000000", "0 1 0.1"],
      ["0 1 1", "0 1 1000000000000"],
      ["1 0 0.1", "1 0 1", "1 0 1000000000000", "1 1 0.1"],
      ["1 1 1", "1 1 1000000000000"],
    ]);
    expect(cohortsOf(cells, seeds, 1)).toEqual(cells.map((cell) => [cell]));
  });

  it("separates runs whose programs differ: momentum off, a constant of an option, another budget", () => {
    const momentum = cellsOf({ base: { tower: [{ optimizer: "sgd" }, { optimizer: "sgd" }] }, axes: [{ hyperparameter: "mu", values: { kind: "list", values: [0, 0.5, 0.9] } }] });
    expect(cohortsOf(momentum.cells, momentum.seeds, 8).map(({ length }) => length)).toEqual([1, 2]);
    const stacks = cellsOf({ stacks: [
      { name: "a", tower: [{ optimizer: "adam" }] },
      { name: "b", tower: [{ optimizer: "adam", clipNorm: 1 }] },
      { name: "c", tower: [{ optimizer: "adam", alpha: 0.1 }], epochs: 2 },
      { name: "d", tower: [{ optimizer: "adam", alpha: 0.1 }] },
    ] });
    expect(cohortsOf(stacks.cells, stacks.seeds, 8).map((cohort) => cohort.map(({ stack }) => stack))).toEqual([["a", "d"], ["b"], ["c"]]);
  });
});
