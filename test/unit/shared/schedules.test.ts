/** Schedules: their factors, what is refused, how a tower is named with them. */
import { describe, expect, it } from "vitest";
import { validateExperiment, type ExperimentInput } from "../../../src/shared/experiment.ts";
import { factorAt, segmentsOf } from "../../../src/shared/schedules/segments.ts";
import { hyperparameterColumns, inForceColumns, level, notation, tower, type LevelInput } from "../../../src/shared/tower.ts";
import { scheduleInWords } from "../../../src/shared/schedules/spec.ts";
import type { ScheduleInput } from "../../../src/shared/schedules/schema.ts";

const length = { stepsPerEpoch: 20, totalSteps: 100 };

function factors(schedule: ScheduleInput, steps: readonly number[]): number[] {
  const parsed = level.parse({ optimizer: "sgd", schedules: { alpha: schedule } });
  const segments = segmentsOf(parsed.schedules!["alpha"]!, length);
  return steps.map((t) => factorAt(segments, t));
}

const close = (values: readonly number[]) => values.map((value) => expect.closeTo(value, 12) as unknown as number);

describe("factors", () => {
  it.each<[string, ScheduleInput, readonly number[], readonly number[]]>([
    ["constant", [{ kind: "constant", value: 0.5 }], [0, 50, 99], [0.5, 0.5, 0.5]],
    ["warm-up, then 1", [{ kind: "warmUp", until: 1 }], [0, 5, 20, 99], [0, 0.25, 1, 1]],
    ["linear to zero", "linear", [0, 25, 99], [1, 0.75, 0.01]],
    ["cosine", [{ kind: "cosine", to: 0.1 }], [0, 30, 50, 99], [1, 0.1 + 0.45 * (1 + Math.cos(0.3 * Math.PI)), 0.55, 0.1 + 0.45 * (1 + Math.cos(0.99 * Math.PI))]],
    ["polynomial", [{ kind: "polynomial", power: 3, to: 0.2 }], [0, 50], [1, 0.2 + 0.8 * 0.125]],
    ["step, in steps", { unit: "steps", pieces: [{ kind: "step", at: [10, 40.5], factor: 0.1 }] }, [9, 10, 40, 41, 99], [1, 0.1, 0.1, 0.01, 0.01]],
    ["step, in epochs", [{ kind: "step", at: [1, 2.5], factor: 0.5, from: 2 }], [19, 20, 49, 50], [2, 1, 1, 0.5]],
    ["warm-up-stable-decay", "warmUpStableDecay", [0, 5, 10, 79, 90, 99], [0, 0.5, 1, 1, 0.5, 0.05]],
    ["one-cycle", "oneCycle", [0, 15, 30, 65, 99], [0.04, 0.52, 1, (1 + 4e-6) / 2, 4e-6 + (1 - 4e-6) * Math.sin(Math.PI / 2 / 70) ** 2]],
    ["several pieces", [{ kind: "warmUp", until: 1 }, { kind: "constant", until: 2 }, { kind: "cosine", until: 4 }], [10, 30, 60, 80, 99], [0.5, 1, 0.5, 0, 0]],
    ["warm-up over a twentieth of the run, then cosine", { unit: "shares", pieces: [{ kind: "warmUp", until: 0.05 }, "cosine"] }, [0, 2, 5, 52.5, 99], [0, 0.4, 1, 0.5, Math.sin(Math.PI / 2 / 95) ** 2]],
    ["step, in shares of the run", { unit: "shares", pieces: [{ kind: "step", at: [0.5, 0.75], factor: 0.5 }] }, [49, 50, 74, 75], [1, 0.5, 0.5, 0.25]],
    ["no warm-up and no plateau", [{ kind: "warmUpStableDecay", warmUp: 0, decay: 1 }], [0, 50], [1, 0.5]],
  ])("%s", (_, schedule, steps, expected) => {
    expect(factors(schedule, steps)).toEqual(close(expected));
  });
});

const base = { dataset: { trainExamples: 1000, testExamples: 100 }, batchSize: 100, budget: { epochs: 3 } } as const satisfies ExperimentInput;

function errorsOf(...levels: unknown[]): string[] {
  const result = validateExperiment({ ...base, tower: levels });
  return result.ok ? [] : result.errors.map(({ path, message }) => `${path}: ${message}`);
}
const sgd = (schedules: unknown, further: object = {}) => ({ optimizer: "sgd", schedules, ...further });

describe("a schedule in shares of the run", () => {
  it("has the same form under every budget", () => {
    const written = level.parse({ optimizer: "sgd", schedules: { alpha: { unit: "shares", pieces: [{ kind: "warmUp", until: 0.05 }, { kind: "constant", until: 0.5 }, "cosine"] } } });
    const [short, long] = [100, 4000].map((totalSteps) => segmentsOf(written.schedules!["alpha"]!, { stepsPerEpoch: 20, totalSteps }));
    const shares = [0, 0.02, 0.05, 0.3, 0.5, 0.75, 0.99];
    expect(shares.map((share) => factorAt(long!, 4000 * share))).toEqual(close(shares.map((share) => factorAt(short!, 100 * share))));
  });

  it("fits every budget, and is named by its unit", () => {
    const schedules = { alpha: { unit: "shares", pieces: [{ kind: "warmUp", until: 0.05 }, { kind: "step", at: [0.5], until: 1 }] } } as const;
    for (const epochs of [1, 300]) expect(validateExperiment({ ...base, budget: { epochs }, tower: [{ optimizer: "sgd", schedules }] })).toMatchObject({ ok: true });
    expect(scheduleInWords(level.parse({ optimizer: "sgd", schedules }).schedules!["alpha"]!)).toBe("warm-up (from 0, to 1) until 0.05, step (from 1, factor 0.1, at 0.5) until 1, in shares of the run");
  });
});

describe("validation", () => {
  it("accepts schedules that end with the budget", () => {
    expect(errorsOf(sgd({ alpha: [{ kind: "warmUp", until: 3 }] }))).toEqual([]);
    expect(errorsOf(sgd({ alpha: { unit: "steps", pieces: [{ kind: "warmUp", until: 10 }, { kind: "linear", until: 30 }] } }))).toEqual([]);
  });

  it.each<[string, unknown[], string]>([
    ["longer than the budget", [sgd({ alpha: [{ kind: "linear", until: 4 }] })], "tower.0.schedules.alpha.pieces.0.until: alpha: piece 1 of its schedule ends at 4 epochs, after the budget of 3 epochs"],
    ["longer in steps, in a group", [sgd(undefined, { groups: [{ name: "bias", match: "*.bias", schedules: { alpha: { unit: "steps", pieces: [{ kind: "linear", until: 31 }] } } }] })], "tower.0.groups.0.schedules.alpha.pieces.0.until: alpha: piece 1 of its schedule ends at 31 steps, after the budget of 30 steps"],
    ["a milestone after the budget", [sgd({ alpha: [{ kind: "step", at: [1, 3] }] })], "tower.0.schedules.alpha.pieces.0.at: alpha: the milestone 3 of its schedule is not before the end of the budget of 3 epochs"],
    ["a piece without room", [sgd({ alpha: [{ kind: "warmUp", until: 3 }, "cosine"] })], "tower.0.schedules.alpha.pieces.1.until: alpha: piece 2 of its schedule would begin at 3 epochs, the end of the budget of 3 epochs"],
    ["a share above 1", [sgd({ alpha: { unit: "shares", pieces: [{ kind: "linear", until: 5 }] } })], "tower.0.schedules.alpha.pieces.0.until: piece 1 (linear): it ends at 5; allowed for shares of the run: greater than 0, at most 1"],
    ["a piece after the whole run", [sgd({ alpha: { unit: "shares", pieces: [{ kind: "warmUp", until: 1 }, "cosine"] } })], "tower.0.schedules.alpha.pieces.1.until: piece 2 (cosine): it would begin at 1, the end of the run"],
    ["a milestone at the end of the run", [sgd({ alpha: { unit: "shares", pieces: [{ kind: "step", at: [1] }] } })], "tower.0.schedules.alpha.pieces.0.at: piece 1 (step): the milestone 1 is outside of the piece, which lasts from 0 to the end of the budget"],
    ["an unknown unit", [sgd({ alpha: { unit: "percent", pieces: ["cosine"] } })], "tower.0.schedules.alpha.unit: unit must be one of: epochs, steps, shares"],
    ["overlapping pieces", [sgd({ alpha: [{ kind: "warmUp", until: 2 }, { kind: "linear", until: 1 }] })], "tower.0.schedules.alpha.pieces.1.until: piece 2 (linear): it ends at 1, but the piece before it ends at 2; pieces must be in order and may not overlap"],
    ["a piece without an end in the middle", [sgd({ alpha: ["warmUp", "cosine"] })], "tower.0.schedules.alpha.pieces.0.until: piece 1 (warmUp): until is missing; only the last piece may last to the end of the budget"],
    ["a milestone outside of its piece", [sgd({ alpha: [{ kind: "warmUp", until: 1 }, { kind: "step", at: [0.5] }] })], "tower.0.schedules.alpha.pieces.1.at: piece 2 (step): the milestone 0.5 is outside of the piece, which lasts from 1 to the end of the budget"],
    ["unordered milestones", [sgd({ alpha: [{ kind: "step", at: [2, 1] }] })], "tower.0.schedules.alpha.pieces.0.at: milestones must increase"],
    ["no milestones", [sgd({ alpha: "step" })], 'tower.0.schedules.alpha.pieces.0.at: step needs milestones: "at" must be a list of numbers of the schedule\'s unit'],
    ["shares above 1", [sgd({ alpha: [{ kind: "warmUpStableDecay", warmUp: 0.6, decay: 0.5 }] })], "tower.0.schedules.alpha.pieces.0.decay: piece 1 (warmUpStableDecay): warmUp and decay are shares of the piece and add up to 1.1; allowed: at most 1"],
    ["an unknown hyperparameter", [sgd({ beta1: "cosine" })], "tower.0.schedules.beta1: SGD has no hyperparameter beta1 to schedule; allowed: alpha, mu, weightDecay, dampening, sInit, sDecay, sLogEps"],
    ["an unknown kind", [sgd({ alpha: "sine" })], "tower.0.schedules.alpha.pieces.0.kind: a piece's kind must be one of: constant, warmUp, linear, cosine, polynomial, step, warmUpStableDecay, oneCycle"],
    ["a field of another kind", [sgd({ alpha: [{ kind: "linear", power: 2 }] })], "tower.0.schedules.alpha.pieces.0.power: there is no field named power"],
    ["a negative factor", [sgd({ alpha: [{ kind: "linear", to: -1 }] })], "tower.0.schedules.alpha.pieces.0.to: to of linear is -1; allowed: from 0 to 1000000"],
    ["a value outside its domain", [{ optimizer: "adam", schedules: { beta1: [{ kind: "constant", value: 2 }] } }], "tower.0.schedules.beta1: Adam beta1 0.9 times the factor 2 is 1.8; allowed: strictly between 0 and 1"],
    ["a learned beta that may pass 1", [{ optimizer: "adam", schedules: { beta1: [{ kind: "constant", value: 1.05 }] } }, { optimizer: "sgd" }], "tower.0.schedules.beta1: Adam beta1 is learned, so a factor above 1 could take it beyond 1; use factors of at most 1"],
    ["an upper level", [{ optimizer: "adam" }, sgd({ alpha: "cosine" })], "tower.1.schedules: schedules are for the first level, which moves the weights; what is above it moves hyperparameters itself"],
    ["no object", [sgd("cosine")], "tower.0.schedules: schedules must be an object: a schedule for each hyperparameter's name"],
  ])("%s", (_, levels, message) => {
    expect(errorsOf(...levels)).toContain(message);
  });
});

describe("towers", () => {
  const written: LevelInput = { optimizer: "adam", schedules: { alpha: [{ kind: "warmUp", until: 1 }, "cosine"], weightDecay: "linear" }, weightDecay: 0.1, groups: [{ name: "bias", match: "*.bias", alpha: 0.1 }, { name: "out", match: "*", schedules: {} }] };

  it("are named with their schedules", () => {
    expect(notation(tower.parse([written]))).toBe("Adam(0.001 warm-up cosine, λ 0.1 linear){bias: Adam(0.1 warm-up cosine, λ 0.1 linear), out: Adam(λ 0.1)}");
    expect(notation(tower.parse([{ optimizer: "adam", schedules: { alpha: "cosine" } }]))).toBe("Adam(0.001 cosine)");
  });

  it("log what is in force beside what is learned", () => {
    const levels = tower.parse([written, { optimizer: "sgd" }]);
    expect(inForceColumns(levels).map(({ metric, initial }) => [metric, initial])).toEqual([
      ["L0.alpha.inForce", 0],
      ["L0.weightDecay.inForce", 0.1],
      ["L0.alpha[bias].inForce", 0],
      ["L0.weightDecay[bias].inForce", 0.1],
    ]);
    const { schedules: _, ...plain } = written;
    expect(hyperparameterColumns(levels)).toEqual(hyperparameterColumns(tower.parse([plain, { optimizer: "sgd" }])));
  });

  it("without one have no field for them", () => {
    const levels = tower.parse([{ optimizer: "adam" }, { optimizer: "sgd" }]);
    expect(levels.some((of) => "schedules" in of)).toBe(false);
    expect(inForceColumns(levels)).toEqual([]);
  });
});
