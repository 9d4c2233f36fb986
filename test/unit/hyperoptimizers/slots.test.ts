/** The model's summary counts the slots that a compiled program has, for every optimizer and option, on every level. */
import { describe, expect, it } from "vitest";
import { towerLevel } from "../../../src/core/training/prepare.ts";
import { summarizeModel } from "../../../src/shared/models/summary.ts";
import { model } from "../../../src/shared/models/schema.ts";
import { optimizerNames } from "../../../src/shared/optimizers.ts";
import { tower as towerSchema, type LevelInput, type Tower } from "../../../src/shared/tower.ts";
import { towerState } from "../../../src/shared/towerState.ts";
import { smallProblem } from "../../support/problems.ts";

/** Numbers of slot values by level in the state of the program. */
function allocated(tower: Tower): number[] {
  const { program, hyperparameters } = smallProblem(tower.map(towerLevel), { hypergradients: "moving" }).training;
  const learned = new Set(hyperparameters.map(({ name }) => name));
  // `L1.m.L0.alpha` and a group's `L1.d` are slots; `L0.alpha`, `L1.count` and `L0.alpha.hypergradient` are not.
  const slots = program.state.flatMap(({ name, shape }) => {
    const [, level] = name.endsWith(".hypergradient") || learned.has(name) ? [] : (/^L(\d+)\.(?!count\b)/.exec(name) ?? []);
    return level === undefined ? [] : [{ level: Number(level), size: shape.reduce((product, n) => product * n, 1) }];
  });
  return tower.map((_, index) => slots.filter(({ level }) => level === index).reduce((sum, { size }) => sum + size, 0));
}

const { weights } = smallProblem([towerLevel(towerSchema.parse([{ optimizer: "sgd" }])[0]!)]);
const parameters = Object.entries(weights).map(([name, { length }]) => ({ name, size: length, axes: name.endsWith(".weight") ? 2 : 1 }));
const parameterCount = parameters.reduce((sum, { size }) => sum + size, 0);

const cases: readonly (readonly [what: string, level: LevelInput, perValue: number, perArray?: number, perGroup?: number])[] = [
  ["plain SGD", { optimizer: "sgd" }, 0],
  ["SGD with momentum", { optimizer: "sgd", mu: 0.9 }, 1],
  ["SGD with momentum from 0", { optimizer: "sgd", momentumFromZero: true }, 1],
  ["SGD with Nesterov's momentum", { optimizer: "sgd", mu: 0.9, nesterov: true }, 1],
  ["SGD with dampened momentum and decay", { optimizer: "sgd", mu: 0.9, dampening: 0.5, weightDecay: 0.01, weightDecayAs: "coupled" }, 1],
  ["Adam", { optimizer: "adam" }, 2],
  ["AMSGrad", { optimizer: "adam", amsgrad: true }, 3],
  ["Adam that learns its step size alone", { optimizer: "adamBaydin" }, 2],
  ["AdaGrad", { optimizer: "adaGrad" }, 1],
  ["RMSProp", { optimizer: "rmsProp" }, 1],
  ["RMSProp that learns its step size alone", { optimizer: "rmsPropAlpha" }, 1],
  ["Adam as in PyTorch", { optimizer: "adam", convention: "pytorch" }, 2],
  ["NAdam", { optimizer: "nAdam" }, 2, 0, 1],
  ["Lion", { optimizer: "lion" }, 1],
  ["Schedule-Free SGD", { optimizer: "scheduleFreeSgd" }, 1, 0, 2],
  ["Schedule-Free AdamW", { optimizer: "scheduleFreeAdam" }, 2, 0, 2],
  ["Prodigy", { optimizer: "prodigy" }, 4, 0, 3],
  ["D-Adaptation SGD", { optimizer: "dAdaptSgd" }, 2, 0, 3],
  ["D-Adaptation Adam", { optimizer: "dAdaptAdam" }, 3, 0, 2],
  ["DoG", { optimizer: "dog" }, 2, 0, 2],
  ["DoG without averaging", { optimizer: "dog", averaging: null }, 1, 0, 2],
  ["LDoG", { optimizer: "lDog" }, 2, 2],
  ["DoWG", { optimizer: "dowg" }, 1, 0, 2],
  ["LAMB", { optimizer: "lamb" }, 2],
  ["MoMo", { optimizer: "moMo" }, 1, 0, 2],
  ["MoMo-Adam", { optimizer: "moMoAdam" }, 2, 0, 2],
];

describe("slots", () => {
  it("has a case for every optimizer, Muon's apart because it keeps less for matrices", () => {
    const covered = new Set(cases.map(([, level]) => towerSchema.parse([level])[0]!.optimizer));
    expect([...covered, "muon"].sort()).toEqual([...optimizerNames].sort());
  });

  it.each(cases.map(([what, level, perValue, perArray = 0, perGroup = 0]) => [what, level, perValue, perArray, perGroup] as const))("%s: as many as the program has, on each of three levels", (_, level, perValue, perArray, perGroup) => {
    const tower = towerSchema.parse([level, level, level]);
    const counted = towerState(tower, parameters);
    expect(counted.map(({ slots }) => slots)).toEqual(allocated(tower));
    expect(counted[0]).toEqual({ moved: parameterCount, slots: perValue * parameterCount + perArray * parameters.length + perGroup });
    expect(counted.slice(1).every(({ moved, slots }) => moved > 0 && slots === (perValue + perArray) * moved + perGroup)).toBe(true);
  });

  it("of Muon: one for matrices, two for everything else", () => {
    const tower = towerSchema.parse([{ optimizer: "muon" }]);
    const vectors = parameters.filter(({ axes }) => axes === 1).reduce((sum, { size }) => sum + size, 0);
    expect(towerState(tower, parameters)[0]!.slots).toBe(parameterCount + vectors);
    expect(allocated(tower)).toEqual([parameterCount + vectors]);
  });

  it("of Mechanic: the start, the sum of updates and four numbers for each decay, beside those of the optimizer that it tunes", () => {
    const [stored, recomputed] = (["stored", "recomputed"] as const).map((mechanicUpdates) => towerSchema.parse([{ optimizer: "adam", mechanic: true, mechanicBetas: [0.5, 0.9, 0.99], mechanicUpdates }]));
    expect(towerState(stored!, parameters)[0]!.slots).toBe(4 * parameterCount + 12);
    expect(towerState(recomputed!, parameters)[0]!.slots).toBe(3 * parameterCount + 12);
    expect([allocated(stored!), allocated(recomputed!)]).toEqual([[4 * parameterCount + 12], [3 * parameterCount + 12]]);
  });

  it("follows groups: each by its own optimizer, nothing for what is frozen", () => {
    const bias = parameters.filter(({ name }) => name.endsWith(".bias")).reduce((sum, { size }) => sum + size, 0);
    const tower = towerSchema.parse([
      { optimizer: "adam", amsgrad: true, groups: [{ name: "bias", match: "*.bias", optimizer: "sgd", mu: 0.9 }] },
      { optimizer: "adam", groups: [{ name: "betas", match: "beta*", frozen: true }, { name: "rest", match: "*[bias]", optimizer: "rmsProp" }] },
      { optimizer: "sgd", mu: 0.5 },
    ]);
    const counted = towerState(tower, parameters);
    expect(counted.map(({ slots }) => slots)).toEqual(allocated(tower));
    expect(counted[0]!.slots).toBe(3 * (parameterCount - bias) + bias);

    const frozen = towerSchema.parse([{ optimizer: "adam", groups: [{ name: "first", match: "layer1.*", frozen: true }] }]);
    expect(towerState(frozen, parameters)[0]!.slots).toBe(allocated(frozen)[0]);
  });

  it("are part of the memory in a model's summary", () => {
    const given = { model: model.parse({}), data: { input: { kind: "values", shape: [1, 28, 28] }, classes: 10 }, batchSize: 1 } as const;
    const memory = (level: LevelInput) => summarizeModel({ ...given, tower: towerSchema.parse([level]) }).memory;
    const plain = memory({ optimizer: "sgd" });
    // Float32, each slot twice: a step reads one and writes the other.
    const slot = 2 * 4 * 101_770;
    expect([memory({ optimizer: "sgd", mu: 0.9 }), memory({ optimizer: "adam" }), memory({ optimizer: "adam", amsgrad: true })]).toEqual([plain + slot, plain + 2 * slot, plain + 3 * slot]);
    expect(summarizeModel(given).memory).toBe(plain);
  });
});
