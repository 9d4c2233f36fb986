/** What the library refuses, in words that name it; nothing has changed afterwards. */
import { describe, expect, it } from "vitest";
import {
  adam,
  defineModel,
  meanSquaredError,
  mlp,
  nll,
  ops,
  optimize,
  OptimizerError,
  sgd,
  zeros,
  type Batch,
  type OptimizeOptions,
  type Optimizer,
  type Snapshot,
} from "../../../src/library/index.ts";

const line = defineModel({
  inputs: { x: [2] },
  parameters: { w: zeros([1, 2]), b: zeros([1]) },
  forward: ({ x }, { w, b }) => ops.linear(x, w, b),
});
const good = { x: [1, 2], targets: [3] };

describe("optimize", () => {
  const model = (changes: Partial<typeof line>) => ({ ...line, ...changes });
  it.each<[string, ReturnType<typeof model>, Partial<Record<keyof OptimizeOptions, unknown>>, string]>([
    ["no optimizer", line, { optimizer: undefined }, "optimizer is missing"],
    ["a group without parameters", line, { optimizer: adam({ groups: [{ name: "bias", match: "*.bias" }] }) }, "0.groups.0.match: group bias: *.bias matches none of the model's parameters; they are w, b"],
    ["a schedule over a budget", line, { optimizer: adam({ schedules: { alpha: { unit: "steps", pieces: [{ kind: "warmUp", until: 5 }, "cosine"] } } }) }, "0.schedules.alpha.pieces: a training has no budget; every piece needs until"],
    ["a schedule in shares of the run", line, { optimizer: adam({ schedules: { alpha: { unit: "shares", pieces: [{ kind: "cosine", until: 1 }] } } }) }, '0.schedules.alpha.unit: a training has no budget to take shares of; use "unit": "steps"'],
    ["a schedule in epochs", line, { optimizer: adam({ schedules: { alpha: [{ kind: "cosine", until: 5 }] } }) }, '0.schedules.alpha.unit: a training has no epochs of a fixed length; use "unit": "steps"'],
    ["no loss", line, { loss: "nll" }, "loss is missing"],
    ["an engine there is not", line, { engine: "cuda" }, "engine is cuda; allowed: onnx-cpu, "],
    ["an engine left open", line, { engine: "auto" }, "engine is auto; allowed: onnx-cpu, "],
    ["no threads", line, { threads: 0 }, "engine.threads must be at least 1"],
    ["a seed", line, { seed: 1.5 }, "seed is 1.5; allowed: whole numbers from 0 to 4294967295"],
    ["a parameter there is not", line, { parameters: { v: [1] } }, "the model has no parameter v; it has w, b"],
    ["too few initial values", line, { parameters: { w: [1] } }, "parameter w has 1 initial values; its shape [1, 2] needs 2"],
    ["an empty shape", model({ parameters: { w: zeros([0]), b: zeros([1]) } }), {}, "parameter w has shape [0]; allowed: whole numbers from 1"],
    ["no parameters", model({ parameters: {} as typeof line.parameters }), {}, "the model has no parameters"],
    ["an input named targets", model({ inputs: { x: [2], targets: [1] } as typeof line.inputs }), {}, "an input is named targets"],
    ["a metric named loss", line, { metrics: { loss: () => ops.constant(0) } }, "a metric is named loss"],
  ])("%s", async (_, model, changes, message) => {
    const options = { optimizer: sgd(), loss: meanSquaredError, ...changes } as OptimizeOptions;
    await expect(optimize(model, options)).rejects.toThrow(`optimize: ${message}`);
  });

  it("what is missing, and options there are not", async () => {
    const call = optimize as unknown as (...given: unknown[]) => Promise<unknown>;
    await expect(call()).rejects.toThrow("optimize: the model is missing; give one, such as mlp([784, 128, 10])");
    await expect(call(line)).rejects.toThrow("optimize: the options are missing; give an object with optimizer, loss, ");
    const options = { optimizer: sgd(), loss: meanSquaredError };
    await expect(call(line, { ...options, thread: 2 })).rejects.toThrow("optimize: there is no option thread; did you mean threads? The options are optimizer, loss, ");
    await expect(call(line, { ...options, thraeds: 2 })).rejects.toThrow("there is no option thraeds; did you mean threads?");
    await expect(call(line, { ...options, lerningrate: 2 })).rejects.toThrow("optimize: there is no option lerningrate. The options are ");
    await expect(call(line, { ...options, divergence: "ignore" })).rejects.toThrow("optimize: divergence is ignore; allowed: error, report");
    expect(() => (sgd as unknown as (options: unknown) => unknown)({ lerningrate: 0.1 })).toThrow("lerningrate");
    expect(() => (mlp as unknown as (...given: unknown[]) => unknown)([2, 1], { activatoin: "relu" })).toThrow("mlp: there is no option activatoin; did you mean activation?");
  });

  it("a tower that cannot stand by itself", async () => {
    const refused = (optimizer: Optimizer) => expect(optimize(line, { optimizer, loss: meanSquaredError })).rejects;
    const above = sgd({ warmUp: 3 });
    await refused(above).toThrow("optimize: 0.warmUp: warmUp is for levels that move hyperparameters, not for the first one");
    expect((await optimize(line, { optimizer: sgd({ optimizer: above }), loss: meanSquaredError })).optimizer.levels[1]).toMatchObject({ warmUp: 3 });
    await refused(sgd({ optimizer: sgd({ lookahead: 4 }) })).toThrow("optimize: 1.lookahead: lookahead is 4, which needs batches of one size, and a training of the library takes any: set it to 1, or use horizon");
    let tower = sgd();
    for (let level = 0; level < 100; level++) tower = sgd({ optimizer: tower });
    await refused(tower).toThrow("more than 100 levels");
    await refused(tower).toThrow(OptimizerError);
  });

  it.each([
    [() => mlp([784]), "mlp: 1 widths; allowed: at least two"],
    [() => mlp([784, 0]), "mlp: a width is 0; allowed: whole numbers from 1"],
    [() => mlp([2, 2], { activation: "gelu" as "relu" }), "mlp: activation is gelu; allowed: tanh, relu, sigmoid, identity"],
  ])("%s", (make, message) => {
    expect(make).toThrow(message);
  });
});

describe("a batch", () => {
  it.each<[string, unknown, string]>([
    ["nothing", undefined, "batch: must be an object of arrays by name"],
    ["without an input", { targets: [1] }, "batch: x is missing"],
    ["without targets", { x: [1, 2] }, "batch: targets is missing"],
    ["with another name", { ...good, y: [1] }, "batch: there is no input named y; allowed: x, targets"],
    ["of half an example", { x: [1, 2, 3], targets: [3] }, "batch: x has 3 values; each example has 2"],
    ["of too many targets", { x: [1, 2], targets: [3, 4] }, "input targets has 2 values instead of 1"],
    ["of words", { x: "12", targets: [3] }, "batch: x must be a Float32Array"],
    ["with a scale of nothing", { x: { values: Float32Array.of(1, 2), scale: NaN }, targets: [3] }, "batch: the scale of x is NaN"],
  ])("%s", async (_, batch, message) => {
    const training = await optimize(line, { optimizer: sgd(), loss: meanSquaredError });
    await expect(training.step(batch as typeof good)).rejects.toThrow(message);
    expect(training.steps).toBe(0);
    expect(await training.step(good)).toMatchObject({ step: 0, loss: 9 });
  });

  it.each<[string, Batch<"features" | "targets">, string]>([
    ["a class there is not", { features: [1, 2, 3, 4], targets: [0, 3] }, "batch: targets[1] is 3; allowed: classes 0 to 2"],
    ["a negative class", { features: [1, 2], targets: Int32Array.of(-1) }, "batch: targets[0] is -1; allowed: classes 0 to 2"],
    ["half a class", { features: [1, 2], targets: [0.5] }, "batch: targets[0] is 0.5; allowed: whole numbers"],
    ["classes as floats", { features: [1, 2], targets: Float32Array.of(1) }, "batch: targets holds whole numbers; allowed: Int32Array"],
    ["more classes than examples", { features: [1, 2], targets: [0, 1] }, "batch: targets has 2 examples, features has 1"],
  ])("%s", async (_, batch, message) => {
    const training = await optimize(mlp([2, 3]), { optimizer: sgd(), loss: nll });
    await expect(training.step(batch)).rejects.toThrow(message);
    await expect(training.evaluate([batch])).rejects.toThrow(message);
  });

  it("without examples has no mean", async () => {
    const training = await optimize(line, { optimizer: sgd(), loss: meanSquaredError });
    await expect(training.evaluate([])).rejects.toThrow("evaluate: there are no examples");
  });
});

describe("a model or a loss", () => {
  it("whose shapes do not fit", async () => {
    const bent = { ...line, forward: ({ x }: Record<"x", Parameters<typeof ops.neg>[0]>) => ops.matmul(x, x) };
    const training = await optimize(bent, { optimizer: sgd(), loss: meanSquaredError });
    await expect(training.step(good)).rejects.toThrow("matmul(input[1, 2], input[1, 2]): inner sizes differ");
  });

  it("that is no scalar", async () => {
    const training = await optimize(line, { optimizer: sgd(), loss: (outputs, targets) => ops.sub(outputs, targets) });
    await expect(training.step(good)).rejects.toThrow("the loss has shape [1, 1]; it must be a scalar");
  });

  it("a metric that is no scalar", async () => {
    const training = await optimize(line, { optimizer: sgd(), loss: meanSquaredError, metrics: { wide: (outputs) => outputs } });
    await expect(training.evaluate([good])).rejects.toThrow("metric wide has shape [1, 1]; it must be a scalar");
  });
});

describe("a snapshot", () => {
  const optimizer = adam({ optimizer: sgd(1e-5) });
  const trained = async () => {
    const training = await optimize(line, { optimizer, loss: meanSquaredError });
    await training.step(good);
    return training;
  };

  it.each<[string, (saved: Snapshot) => unknown, string]>([
    ["that is none", () => ({}), 'this is not a snapshot: its format is not "hypertower-training"'],
    ["of a later version", (saved) => ({ ...saved, version: 2 }), "the snapshot has version 2; this Hypertower reads version 1"],
    ["with half its steps", (saved) => ({ ...saved, step: 0.5 }), "the snapshot is damaged: step:"],
    ["without a variable", ({ state: { count: _, ...state }, ...rest }) => ({ ...rest, state }), "the snapshot is damaged: state.count is missing"],
    ["with one too many", (saved) => ({ ...saved, state: { ...saved.state, odd: saved.state["count"] } }), "there is no state variable named odd"],
    ["with a variable cut off", (saved) => ({ ...saved, state: { ...saved.state, small: saved.state["count"] } }), "state small has 1 values instead of 3"],
    ["with half a number", (saved) => ({ ...saved, state: { ...saved.state, count: { dtype: "float64", base64: "AAAA" } } }), "state.count has 3 bytes, not a multiple of 8"],
    ["of another model", (saved) => ({ ...saved, parameters: [{ name: "w", shape: [3] }] }), "the snapshot is of a model with w [3]; this one has w [1, 2], b [1]"],
    ["of another optimizer", (saved) => ({ ...saved, tower: sgd().levels }), "the snapshot's optimizer differs from this one, Adam / SGD(1e-5)"],
  ])("%s", async (_, change, message) => {
    const saved = await (await trained()).save();
    const training = await trained();
    await training.step(good);
    const before = await training.save();
    await expect(training.restore(change(saved) as Snapshot)).rejects.toThrow(message);
    expect(await training.save()).toEqual(before);
    await training.restore(saved);
    expect(await training.save()).toEqual(saved);
  });
});
