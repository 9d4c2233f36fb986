/** Schedules in the step program: the factor as nodes, what is in force, cohorts, and resumed runs. */
import { describe, expect, it } from "vitest";
import { compileCohort } from "../../../src/core/engines/cohort.ts";
import { ReferenceExecutable, referenceEngine } from "../../../src/core/engines/reference/engine.ts";
import { scheduleFactor } from "../../../src/core/hyperoptimizers/scheduleFactor.ts";
import { fingerprint } from "../../../src/core/program/fingerprint.ts";
import { input } from "../../../src/core/program/operations/index.ts";
import { makeProgram } from "../../../src/core/program/program.ts";
import type { Captured, Saver } from "../../../src/core/checkpoint/saver.ts";
import type { ExperimentInput } from "../../../src/shared/experiment.ts";
import { factorAt, segmentsOf } from "../../../src/shared/schedules/segments.ts";
import type { ScheduleInput } from "../../../src/shared/schedules/schema.ts";
import { level as levelSchema } from "../../../src/shared/tower.ts";
import { level, scheduleLength, smallProblem } from "../../support/problems.ts";
import { trainHere } from "../../support/trainHere.ts";

const segmentsFor = (schedule: ScheduleInput) => segmentsOf(levelSchema.parse({ optimizer: "sgd", schedules: { alpha: schedule } }).schedules!["alpha"]!, scheduleLength);
const steps = Array.from({ length: scheduleLength.totalSteps + 5 }, (_, t) => t);

it.each<[string, ScheduleInput]>([
  ["constant", [{ kind: "constant", value: 0.3 }]],
  ["warm-up, then cosine", [{ kind: "warmUp", from: 0.1, until: 1 }, { kind: "cosine", to: 0.01 }]],
  ["linear", "linear"],
  ["polynomial", [{ kind: "polynomial", power: 1.7, until: 3.3 }]],
  ["step", [{ kind: "step", at: [1, 2.5] }]],
  ["warm-up-stable-decay", "warmUpStableDecay"],
  ["one-cycle", "oneCycle"],
])("the program's factor is the schedule's to the last digits: %s", (_, schedule) => {
  const segments = segmentsFor(schedule);
  const executable = new ReferenceExecutable(makeProgram({ at: { outputs: { factor: scheduleFactor(segments, input("step", [])) }, updates: {} } }));
  for (const step of steps) {
    const factor = executable.runNow("at", { step: Float64Array.of(step) })["factor"]!;
    const expected = factorAt(segments, step);
    expect(Math.abs(factor - expected), `step ${step}`).toBeLessThanOrEqual(1e-15 * Math.max(1, Math.abs(expected)));
  }
});

it("a tower without schedules is the program it was", () => {
  const programOf = (changes: Record<string, unknown>) => fingerprint(smallProblem([level("adam", changes), level("sgd")]).training.program);
  expect(programOf({ schedules: {} })).toBe(programOf({}));
  expect(programOf({ schedules: { alpha: "cosine" } })).not.toBe(programOf({}));
  const { procedures } = smallProblem([level("adam"), level("sgd")]).training.program;
  const outputs = Object.values(procedures).flatMap((procedure) => Object.keys(procedure.outputs));
  expect(outputs.filter((name) => name.endsWith(".inForce"))).toEqual([]);
});

/** Rows of a small problem: outputs of begin, then of every step. */
function rowsOf(levels: readonly ReturnType<typeof level>[], count = 8): Record<string, number>[] {
  const { training, initialState, batchSize, batch } = smallProblem(levels, { hypergradients: "moving" });
  const engine = new ReferenceExecutable(training.program);
  engine.restore(initialState);
  return Array.from({ length: count }, (_, t) => ({ ...engine.runNow(`${t === 0 ? "begin" : "step"}@${batchSize}`, batch(t)) }));
}

describe("in force", () => {
  const schedule: ScheduleInput = [{ kind: "warmUp", from: 0.25, until: 0.6 }, "cosine"];
  const factors = steps.map((t) => factorAt(segmentsFor(schedule), t));

  it("is the schedule where nothing is learned: row t has the value of update t, from 1", () => {
    const rows = rowsOf([level("sgd", { alpha: 0.4, mu: 0.5, schedules: { alpha: schedule, mu: schedule } })]);
    rows.forEach((row, t) => {
      expect(row["L0.alpha.inForce"]).toBeCloseTo(0.4 * factors[Math.max(0, t - 1)]!, 14);
      expect(row["L0.mu.inForce"]).toBeCloseTo(0.5 * factors[Math.max(0, t - 1)]!, 14);
    });
  });

  it("is scale times shape where the step size is learned", () => {
    const rows = rowsOf([level("sgd", { alpha: 0.4, alphaAs: "log", schedules: { alpha: schedule } }), level("sgd", { alpha: 0.1 })]);
    rows.forEach((row, t) => expect(row["L0.alpha.inForce"]).toBeCloseTo(Math.exp(row["L0.alpha"]!) * factors[Math.max(0, t - 1)]!, 14));
    expect(rows.at(-1)!["L0.alpha"]).not.toBe(rows[0]!["L0.alpha"]);
  });

  it("a constant schedule of 1 changes no number", () => {
    const [plain, scheduled] = [{}, { schedules: { alpha: "constant", beta2: "constant" } }].map((changes) => rowsOf([level("adam", changes), level("sgd", { alpha: 1e-3 })]));
    for (const [t, row] of plain!.entries()) expect(scheduled![t]).toMatchObject(row);
  });
});

it("runs of a cohort follow the schedule, each from its own step size", async () => {
  const levelsOf = (alpha: number) => [level("sgd", { alpha, schedules: { alpha: "cosine", weightDecay: "linear" }, weightDecay: 0.1 }), level("sgd", { alpha: 0.1 })];
  const alphas = [0.1, 0.4];
  const problems = alphas.map((alpha) => smallProblem(levelsOf(alpha), { hypergradients: "moving" }));
  const seats = await compileCohort(referenceEngine, problems[0]!.training.program, alphas.length, { threads: 1 });
  problems.forEach(({ initialState }, i) => seats[i]!.restore(initialState));
  const alone = alphas.map((alpha) => rowsOf(levelsOf(alpha)));
  for (let t = 0; t < 8; t++) {
    const rows = await Promise.all(problems.map(({ batch, batchSize }, i) => seats[i]!.run(`${t === 0 ? "begin" : "step"}@${batchSize}`, batch(t))));
    rows.forEach((row, i) => {
      for (const [name, value] of Object.entries(alone[i]![t]!)) expect(row[name], `${name} of run ${i} at step ${t}`).toBeCloseTo(value, 12);
    });
  }
  await Promise.all(seats.map((seat) => seat.dispose()));
});

it("a run resumed in the middle of its schedule continues bit for bit", async () => {
  const config: ExperimentInput = {
    dataset: { kind: "iris", validation: 0.2 },
    model: { kind: "mlp", hidden: [4] },
    batchSize: 24,
    budget: { epochs: 3 },
    tower: [{ optimizer: "adam", alpha: 0.01, schedules: { alpha: [{ kind: "warmUp", until: 1 }, "cosine"], beta1: [{ kind: "linear", to: 0.5 }] } }, { optimizer: "sgd", alpha: 1e-4 }],
    engine: { kind: "reference" },
  };
  const saved: Captured[] = [];
  const saver: Saver = { due: true, save: (captured) => Promise.resolve(void saved.push(structuredClone(captured))) };
  const whole = await trainHere(config, undefined, saver);
  expect(whole.steps).toHaveLength(12);
  for (const at of [3, 9]) {
    const rest = await trainHere(config, saved[at]);
    expect(rest.steps).toEqual(whole.steps.slice(at));
    expect(rest.state).toEqual(whole.state);
    expect(rest.end).toEqual(whole.end);
  }
  // The value in force of the last update: the cosine's last of 8 steps.
  expect(whole.end.hyperparameters["L0.alpha.inForce"]).toBeCloseTo(whole.end.hyperparameters["L0.alpha"]! * Math.sin(Math.PI / 16) ** 2, 12);
});
