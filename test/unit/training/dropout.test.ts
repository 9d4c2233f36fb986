/** Dropout: what is left out, what stays, and that both are the same again. */
import { describe, expect, it } from "vitest";
import { ReferenceExecutable } from "../../../src/core/engines/reference/engine.ts";
import { buildModel } from "../../../src/core/models/build.ts";
import { input } from "../../../src/core/program/operations/index.ts";
import { makeProgram } from "../../../src/core/program/program.ts";
import type { Captured } from "../../../src/core/checkpoint/saver.ts";
import { classification } from "../../../src/core/tasks/classification.ts";
import { languageModelling } from "../../../src/core/tasks/languageModelling.ts";
import { StepMasks } from "../../../src/core/training/masks.ts";
import type { Task } from "../../../src/core/tasks/task.ts";
import { experiment, fieldErrors, type ExperimentInput } from "../../../src/shared/experiment.ts";
import { describeModel } from "../../../src/shared/models/architecture.ts";
import { model as modelSchema } from "../../../src/shared/models/schema.ts";
import { values, type DataShape } from "../../../src/shared/models/shape.ts";
import { gradientError, pseudoRandom } from "../../support/finiteDifferences.ts";
import { trainHere } from "../../support/trainHere.ts";

const built = (model: unknown, data: DataShape) => buildModel(describeModel(modelSchema.parse(model), data));

describe("masks", () => {
  const masks = [
    { name: "dropout1.mask", shape: [50, 20], p: 0.3 },
    { name: "dropout2.mask", shape: [1000], p: 0.5 },
  ];
  const copied = (of: StepMasks, step: number) => structuredClone(of.at(step, 10));

  it("leave out as much as they say", () => {
    const { "dropout1.mask": some, "dropout2.mask": half } = copied(new StepMasks(masks, 1, 1), 0);
    const share = (mask: Uint8Array) => mask.reduce((sum, one) => sum + one, 0) / mask.length;
    expect(new Set(some)).toEqual(new Set([0, 1]));
    // Five standard deviations of 10,000 draws.
    expect(Math.abs(share(some!) - 0.7)).toBeLessThan(5 * Math.sqrt((0.3 * 0.7) / 10_000));
    expect(Math.abs(share(half!) - 0.5)).toBeLessThan(5 * Math.sqrt(0.25 / 10_000));
  });

  it.each([1 / 1000, 1 / 3, 0.5, 0.999])("leave out %d of the places, however little a byte tells of it", (p) => {
    const { mask } = new StepMasks([{ name: "mask", shape: [100_000], p }], 1, 1).at(0, 10) as { mask: Uint8Array };
    const left = mask.reduce((sum, one) => sum + 1 - one, 0) / mask.length;
    expect(Math.abs(left - p)).toBeLessThan(5 * Math.sqrt((p * (1 - p)) / mask.length));
  });

  it("are those of the seed and the step, whichever came before", () => {
    const one = new StepMasks(masks, 1, 1);
    copied(one, 3);
    expect(copied(one, 7)).toEqual(copied(new StepMasks(masks, 1, 1), 7));
    expect(copied(one, 7)).not.toEqual(copied(one, 8));
    expect(copied(one, 7)).not.toEqual(copied(new StepMasks(masks, 2, 1), 7));
  });
});

it("scales what stays by 1 / (1 - p) in training, and leaves all as it is in evaluation", () => {
  const data = { input: values(6), classes: 6 };
  const model = built({ kind: "sequential", layers: [{ kind: "dropout", p: 0.75 }, { kind: "linear", bias: false }] }, data);
  const identity = input("identity", [6, 6]);
  const x = input("x", [1, 6]);
  const pass = (training: boolean) => model.forward({ node: x, batch: 1, shape: [6], layout: "rows" }, { parameters: [identity], buffers: {}, training }).output.node;
  const engine = new ReferenceExecutable(makeProgram({ train: { outputs: {}, updates: { y: pass(true) } }, evaluate: { outputs: {}, updates: { y: pass(false) } } }));
  const given = { x: Float64Array.of(1, 2, 3, 4, 5, 6), identity: Float64Array.from({ length: 36 }, (_, i) => (i % 7 === 0 ? 1 : 0)) };
  engine.runNow("train", { ...given, "dropout1.mask": Uint8Array.of(1, 0, 0, 1, 0, 1) });
  expect([...engine.stateNow()["y"]!]).toEqual([4, 0, 0, 16, 0, 24]);
  engine.runNow("evaluate", given);
  expect([...engine.stateNow()["y"]!]).toEqual([1, 2, 3, 4, 5, 6]);
});

describe("gradients agree with finite differences", () => {
  const check = (task: Task, masks: StepMasks, given: Record<string, Float64Array | Uint8Array | Int32Array>, batch: number) => {
    const parameters = task.parameters.map(({ name, shape }, i) => ({ node: input(name, shape), values: pseudoRandom(shape.reduce((a, b) => a * b, 1), i) }));
    const { loss } = task.loss(parameters.map(({ node }) => node), batch);
    expect(gradientError({ inputs: parameters, result: loss, given: { ...given, ...masks.at(4, batch) } })).toBeLessThan(1e-6);
  };

  it("of an MLP", () => {
    const model = built({ kind: "mlp", hidden: [5, 4], dropout: 0.4 }, { input: values(6), classes: 3 });
    const task = classification({ model, exampleShape: [6], scale: 1 / 255 });
    check(task, new StepMasks(model.masks, 3, 1), { features: Uint8Array.from({ length: 24 }, (_, i) => (i * 37) % 256), labels: Uint8Array.of(0, 2, 1, 1) }, 4);
  });

  it.each(["lstm", "gru"])("of a character RNN of %s cells", (cell) => {
    const model = built({ kind: "charRnn", cell, layers: 3, hidden: 3, embedding: 2, dropout: 0.4, steps: 4 }, { input: { kind: "tokens", shape: [4], vocabulary: 5 }, classes: 5 });
    expect(model.masks.map(({ name, shape }) => [name, shape])).toEqual([["rnn.mask_l0", [4, 3]], ["rnn.mask_l1", [4, 3]]]);
    const codes = (first: number) => Int32Array.from({ length: 8 }, (_, i) => (i * 3 + first) % 5);
    check(languageModelling({ model, steps: 4 }), new StepMasks(model.masks, 3, 1), { symbols: codes(0), targets: codes(1), carry: Float64Array.of(0) }, 2);
  });
});

describe("a run", () => {
  const config: ExperimentInput = {
    dataset: { kind: "digits", trainExamples: 300, testExamples: 50 },
    model: { hidden: [8], dropout: 0.25 },
    batchSize: 60,
    budget: { epochs: 3 },
  };

  it("is the same again, and another without", async () => {
    const { end: _end, ...first } = await trainHere(config);
    const { end: _other, ...again } = await trainHere(config);
    expect(again).toEqual(first);
    const plain = await trainHere({ ...config, model: { hidden: [8] } });
    expect(plain.steps[0]).not.toEqual(first.steps[0]);
    expect(Object.keys(plain.state)).toEqual(Object.keys(first.state));
  });

  it("goes on from a checkpoint as if nothing had been", async () => {
    let captured: Captured | undefined;
    let due = 0;
    const saver = {
      get due() {
        return ++due === 8;
      },
      save: (all: Captured) => {
        captured = structuredClone(all);
        return Promise.resolve();
      },
    };
    const whole = await trainHere(config, undefined, saver);
    expect(captured!.position.step).toBe(7);
    const rest = await trainHere(config, captured);
    expect(rest.steps).toEqual(whole.steps.slice(7));
    expect(rest.state).toEqual(whole.state);
  });
});

describe("what is refused", () => {
  const problems = (model: unknown) => {
    const parsed = experiment.safeParse({ model, ...(JSON.stringify(model).includes("charRnn") ? { dataset: { kind: "tiny-shakespeare" } } : {}) });
    return parsed.success ? [] : fieldErrors(parsed.error).map(({ path, message }) => `${path}: ${message}`);
  };
  it.each([
    [{ kind: "mlp", dropout: 1 }, "model.dropout: model.dropout must be below 1"],
    [{ kind: "mlp", dropout: -0.1 }, "model.dropout: model.dropout must be at least 0"],
    [{ kind: "cnn", dropout: "half" }, "model.dropout: model.dropout must be a number from 0 to below 1"],
    [{ kind: "mlp", hidden: [], dropout: 0.1 }, "model.dropout: dropout acts on hidden layers, and there is none: set it to 0 or add a layer"],
    [{ kind: "charRnn", layers: 1, dropout: 0.1 }, "model.dropout: dropout acts between recurrent layers, and there is 1: set it to 0 or add a layer"],
    [{ kind: "sequential", layers: [{ kind: "flatten" }, { kind: "dropout", p: 1 }, { kind: "linear" }] }, "model.layers.1.p: p must be below 1"],
  ])("%j", (model, message) => expect(problems(model)).toContain(message));

  it("nothing of what is allowed", () => {
    for (const model of [{ kind: "mlp", dropout: 0 }, { kind: "cnn", dropout: 0.99 }, { kind: "charRnn", dropout: 0.2 }]) expect(problems(model), JSON.stringify(model)).toEqual([]);
  });
});
