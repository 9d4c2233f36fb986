/** Training as a library: the same numbers as the workbench and as by hand, on both engines. */
import { describe, expect, it } from "vitest";
import {
  adam,
  batches,
  constants,
  defineModel,
  DivergenceError,
  kaimingUniform,
  loadMnist,
  meanSquaredError,
  mlp,
  nll,
  ops,
  optimize,
  sgd,
  stack,
  zeros,
} from "../../../src/library/index.ts";
import { toEffective } from "../../../src/core/hyperoptimizers/stored.ts";
import { Random } from "../../../src/core/models/random.ts";
import { loadDataset } from "../../../src/core/datasets/index.ts";
import { batchesInOrder } from "../../../src/core/feeds/batches.ts";
import { prepareRun } from "../../../src/core/training/prepare.ts";
import { steadyEngines } from "../../support/engines.ts";
import { experiment } from "../../../src/shared/experiment.ts";

const line = defineModel({
  inputs: { x: [1] },
  parameters: { w: zeros([1, 1]), b: zeros([1]) },
  forward: ({ x }, { w, b }) => ops.linear(x, w, b),
});

/** f(w) = w^2, from w = 3. */
const parabola = defineModel({ inputs: {}, parameters: { w: constants([], 3) }, forward: (_, { w }) => ops.mul(w, w) });
const itself = (outputs: Parameters<typeof ops.neg>[0]) => outputs;

it("takes the very steps the workbench takes", async () => {
  const size = { trainExamples: 300, testExamples: 150 };
  const config = experiment.parse({ dataset: size, batchSize: 128, budget: { epochs: 2 }, seed: 7, generator: 2 });
  const [{ training: program, executable }, dataset] = [await prepareRun(config), await loadDataset(config.dataset)];
  const random = new Random(7, "shuffling", 2);
  const expected: number[][] = [];
  for (let epoch = 0; epoch < 2; epoch++) {
    for (const { size, features, labels } of batchesInOrder({ examples: dataset.train, order: random.permutation(300), batchSize: 128 })) {
      const outputs = await executable.run(`${expected.length === 0 ? "begin" : "step"}@${size}`, { features, labels });
      expected.push([outputs["loss"]!, ...program.hyperparameters.map(({ name, storedAs }) => toEffective(outputs[name]!, storedAs))]);
    }
  }
  await executable.dispose();

  const { train } = await loadMnist(size);
  const training = await optimize(mlp([784, 128, 10]), { optimizer: adam({ optimizer: sgd(1e-5) }), loss: nll, seed: 7 });
  const ours: number[][] = [];
  for (const batch of batches(train, 128, { seed: 7, epochs: 2 })) {
    const { loss, hyperparameters } = await training.step(batch);
    ours.push([loss, ...Object.values(hyperparameters)]);
  }
  await training.dispose();
  expect(ours).toHaveLength(6);
  expect(ours).toEqual(expected);
});

it.each(steadyEngines)("trains convolutions and pools of one's own on %s", async (engine) => {
  const model = defineModel({
    inputs: { image: [2, 6, 6] },
    parameters: { depthwise: kaimingUniform([4, 1, 3, 3]), up: kaimingUniform([4, 1, 2, 2]), out: kaimingUniform([2, 1]) },
    forward: ({ image }, { depthwise, up, out }) => {
      const features = ops.maxPool2d(ops.conv2d(image, depthwise, { groups: 2, padding: [1, 1, 0, 0] }), { size: 3, stride: 2, padding: 1 });
      const larger = ops.tanh(ops.convTranspose2d(features, up, { stride: 2 }));
      const pooled = ops.reshape(ops.globalMaxPool(ops.avgPool2d(larger, { size: 2, stride: 1 })), [image.shape[0]!, 1]);
      return ops.logSoftmax(ops.matmul(pooled, out, { transposeB: true }));
    },
  });
  // Bright images and dark ones.
  const image = Float64Array.from({ length: 8 * 72 }, (_, i) => (Math.floor(i / 72) % 2) + ((i * 7) % 11) / 20);
  const batch = { image, targets: Int32Array.from({ length: 8 }, (_, i) => i % 2) };
  const training = await optimize(model, { optimizer: adam({ alpha: 0.02 }), loss: nll, engine, seed: 3 });
  const losses: number[] = [];
  for (let step = 0; step < 60; step++) losses.push((await training.step(batch)).loss);
  await training.dispose();
  expect(losses.at(-1)!).toBeLessThan(0.5 * losses[0]!);
});

describe.each(steadyEngines)("on %s", (engine) => {
  /** Relative rounding of a few operations. */
  const digits = engine === "reference" ? 12 : 5;

  it("adds the gradients of a parameter that stands in two places", async () => {
    // loss = (w w x - t)^2, so d loss / d w = 2 (w w x - t) (2 w x).
    const tied = defineModel({
      inputs: { x: [1] },
      parameters: { w: constants([1, 1], 0.5), b: constants([1], 0.25) },
      forward: ({ x }, { w, b }) => ops.add(ops.matmul(ops.matmul(x, w), ops.transpose(w)), ops.sub(b, b)),
    });
    const [kappa, x, t] = [1e-4, 2, 3];
    let [w, alpha, gradient, hypergradient] = [0.5, 0.002, 0, 0];
    const training = await optimize(tied, { optimizer: sgd({ alpha, optimizer: sgd(kappa) }), loss: meanSquaredError, engine });
    for (let step = 0; step < 5; step++) {
      alpha -= kappa * hypergradient;
      w -= alpha * gradient;
      const now = 2 * (w * w * x - t) * 2 * w * x;
      hypergradient = -now * gradient;
      gradient = now;
      const result = await training.step({ x: [x], targets: [t] });
      expect(result.loss).toBeCloseTo((w * w * x - t) ** 2, digits);
      expect(result.hyperparameters["L0.alpha"]).toBeCloseTo(alpha, digits);
      expect(result.hypergradients["L0.alpha"]).toBeCloseTo(hypergradient, digits - 2);
    }
    await training.dispose();
  });

  it("leaves frozen parameters as they are, bit for bit, and keeps them in a snapshot", async () => {
    const frozen = [0.1234567];
    const begin = (parameters: Record<string, number[]>) =>
      optimize(line, { optimizer: adam({ alpha: 0.1, weightDecay: 0.1, freeze: "b", optimizer: sgd(1e-4) }), loss: meanSquaredError, parameters, engine });
    const training = await begin({ b: frozen });
    const { b: before } = await training.parameters();
    for (let step = 0; step < 50; step++) await training.step({ x: [1, 2], targets: [1, 3] });
    const { b, w } = await training.parameters();
    expect(b).toEqual(before);
    expect(w).not.toEqual(Float64Array.of(0));
    const other = await begin({});
    await other.restore(JSON.parse(JSON.stringify(await training.save())));
    expect(await other.parameters()).toEqual({ w, b });
    expect(await other.step({ x: [1], targets: [1] })).toEqual(await training.step({ x: [1], targets: [1] }));
    expect((await other.predict({ x: [0] })).values).toEqual(b);
    await Promise.all([training.dispose(), other.dispose()]);
  });

  it("moves groups by optimizers of their own", async () => {
    const optimizer = sgd({ alpha: 0.1, groups: [{ name: "offset", match: "b", alpha: 0.01 }], optimizer: sgd({ alpha: 1e-3, groups: [{ name: "still", match: "*[offset]", frozen: true }] }) });
    const training = await optimize(line, { optimizer, loss: meanSquaredError, engine });
    await training.step({ x: [1], targets: [1] });
    const { w, b } = await training.parameters();
    expect(w![0]).toBeCloseTo(0.2, digits);
    expect(b![0]).toBeCloseTo(0.02, digits);
    for (let step = 0; step < 3; step++) await training.step({ x: [1], targets: [1] });
    const { "L0.alpha": rest, "L0.alpha[offset]": offset } = await training.hyperparameters();
    expect(rest).toBeGreaterThan(0.1);
    expect(offset).toBeCloseTo(0.01, 8);
    await training.dispose();
  });

  it("takes the steps that SGD / SGD takes by hand", async () => {
    const [kappa, steps] = [1e-4, 5];
    let [w, alpha, gradient, hypergradient] = [3, 0.1, 0, 0];
    const training = await optimize(parabola, { optimizer: sgd({ alpha, optimizer: sgd(kappa) }), loss: itself, engine });
    for (let step = 0; step < steps; step++) {
      alpha -= kappa * hypergradient;
      w -= alpha * gradient;
      hypergradient = -(2 * w) * gradient;
      gradient = 2 * w;
      const result = await training.step({});
      expect(result.step).toBe(step);
      expect(result.loss).toBeCloseTo(w * w, digits);
      expect(result.hyperparameters["L0.alpha"]).toBeCloseTo(alpha, digits);
      expect(result.hypergradients["L0.alpha"]).toBeCloseTo(hypergradient, digits - 1);
    }
    alpha -= kappa * hypergradient;
    w -= alpha * gradient;
    expect((await training.hyperparameters())["L0.alpha"]).toBeCloseTo(alpha, digits);
    expect((await training.parameters())["w"]![0]).toBeCloseTo(w, digits);
    expect((await training.predict({})).values[0]).toBeCloseTo(w * w, digits);
    expect(training.steps).toBe(steps);
  });

  it("fits a line, with batches of any size and numbers in any array", async () => {
    const training = await optimize(line, { optimizer: adam({ alpha: 0.05, optimizer: sgd(1e-5) }), loss: meanSquaredError, engine });
    for (let i = 0; i < 150; i++) {
      await training.step({ x: [0, 1, 2], targets: [1, 3, 5] });
      await training.step({ x: Float32Array.of(3), targets: Float64Array.of(7) });
      await training.step({ x: { values: Uint8Array.of(8, 2), scale: 0.5 }, targets: Int32Array.of(9, 3) });
    }
    const { w, b } = await training.parameters();
    expect(w![0]).toBeCloseTo(2, 1);
    expect(b![0]).toBeCloseTo(1, 1);
    expect((await training.evaluate({ count: 2, arrays: { x: [0, 10], targets: [1, 21] } })).loss).toBeLessThan(0.01);
    const { shape, values } = await training.predict({ x: [0, 10] });
    expect(shape).toEqual([2, 1]);
    expect(values[1]).toBeCloseTo(10 * w![0]! + b![0]!, 4);
  });

  it("goes on bit for bit from a snapshot that has been through JSON", async () => {
    const batch = (n: number) => ({ x: [n % 3, 1], targets: [n % 5, 2] });
    const options = { optimizer: adam({ optimizer: adam({ alpha: 1e-4, optimizer: sgd(1e-5) }) }), loss: meanSquaredError, engine };
    const one = await optimize(line, options);
    for (let n = 0; n < 4; n++) await one.step(batch(n));
    const saved = JSON.stringify(await one.save());
    const other = await optimize(line, { ...options, seed: 99 });
    await other.restore(JSON.parse(saved));
    expect(other.steps).toBe(4);
    expect(await other.parameters()).toEqual(await one.parameters());
    expect(await other.hyperparameters()).toEqual(await one.hyperparameters());
    for (let n = 4; n < 8; n++) expect(await other.step(batch(n))).toEqual(await one.step(batch(n)));
    expect(JSON.stringify(await other.save())).toBe(JSON.stringify(await one.save()));
    await one.restore(JSON.parse(saved));
    expect(JSON.stringify(await one.save())).toBe(saved);
  });

  it("sees further with a horizon, whose tangents a snapshot keeps", async () => {
    // w -= alpha 2 w at every step: w(3) = 3 (1 - 2 alpha)^3, and the loss is its square.
    const options = { optimizer: sgd({ alpha: 0.1, optimizer: sgd({ alpha: 0, horizon: 1 }) }), loss: itself, engine };
    const one = await optimize(parabola, options);
    const other = await optimize(parabola, options);
    for (let n = 0; n < 2; n++) await one.step({});
    await other.restore(JSON.parse(JSON.stringify(await one.save())));
    for (const training of [one, other]) {
      const hypergradients = [await training.step({}), await training.step({})].map(({ hypergradients: { "L0.alpha": slope } }) => slope!);
      [2, 3].forEach((t, i) => expect(hypergradients[i]).toBeCloseTo(9 * 2 * t * 0.8 ** (2 * t - 1) * -2, 4));
      await training.dispose();
    }
    expect(() => stack([{ optimizer: "lion" }, { optimizer: "sgd", horizon: 1 }])).toThrow("Lion cannot be followed");
  });

  it("takes every option of a level, and keeps its state too", async () => {
    const options = { clipNorm: 1, warmUp: 1, every: 2, until: 5 };
    const optimizer = adam({
      amsgrad: true,
      alphaAs: "log",
      weightDecay: 0.01,
      optimizer: sgd({ alpha: 1e-3, mu: 0.5, nesterov: true, ...options, optimizer: sgd({ alpha: 1e-6, alphaAs: "squared" }) }),
    });
    const one = await optimize(line, { optimizer, loss: meanSquaredError, engine });
    const batch = { x: [0, 1, 2], targets: [1, 3, 5] };
    for (let n = 0; n < 3; n++) await one.step(batch);
    const saved = JSON.stringify(await one.save());
    const steps = [];
    for (let n = 3; n < 8; n++) steps.push(await one.step(batch));
    expect(steps.at(-1)!.hyperparameters["L0.alpha"]).toBeGreaterThan(0.001);
    expect(steps.at(-1)!.hyperparameters["L0.alpha"]).toBeLessThan(0.01);
    const other = await optimize(line, { optimizer, loss: meanSquaredError, engine });
    await other.restore(JSON.parse(saved));
    for (const expected of steps) expect(await other.step(batch)).toEqual(expected);
    expect(await other.hyperparameters()).toEqual(await one.hyperparameters());
  });

  it("goes back to before the first step", async () => {
    const training = await optimize(line, { optimizer: sgd(0.1), loss: meanSquaredError, engine });
    const saved = await training.save();
    const first = await training.step({ x: [1], targets: [2] });
    await training.restore(saved);
    expect(training.steps).toBe(0);
    expect(await training.parameters()).toEqual({ w: Float64Array.of(0), b: Float64Array.of(0) });
    expect((await training.evaluate([{ x: [1], targets: [2] }])).loss).toBe(4);
    expect(await training.step({ x: [1], targets: [2] })).toEqual(first);
  });

  it("reports a step that diverged, and steps on only where that is asked for", async () => {
    const options = { optimizer: sgd({ alpha: 1e9, optimizer: sgd(1e9) }), loss: itself, engine };
    const training = await optimize(parabola, options);
    const failed = await (async () => {
      for (;;) await training.step({});
    })().catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(DivergenceError);
    const { result, message } = failed as DivergenceError;
    expect(message).toMatch(/^training diverged at step \d+: (the loss|L0.alpha) became (NaN|-?Infinity)$/);
    expect(training.steps).toBe(result.step + 1);
    const going = await optimize(parabola, { ...options, divergence: "report" });
    for (let n = 0; n <= result.step; n++) await going.step({});
    expect(Number.isFinite((await going.step({})).loss)).toBe(false);
  });
});

it("answers what training starts from before any step", async () => {
  const training = await optimize(line, { optimizer: adam({ optimizer: sgd(1e-5) }), loss: meanSquaredError, parameters: { w: [2] } });
  expect(await training.hyperparameters()).toEqual({ "L0.alpha": 0.001, "L0.beta1": 0.9, "L0.beta2": 0.999, "L1.alpha": 1e-5 });
  expect(await training.parameters()).toEqual({ w: Float64Array.of(2), b: Float64Array.of(0) });
  expect((await training.predict({ x: [3] })).values).toEqual(Float64Array.of(6));
  expect(training.steps).toBe(0);
});

it("evaluates every example once, in batches of any size, with metrics of one's own", async () => {
  const training = await optimize(line, {
    optimizer: sgd(),
    loss: meanSquaredError,
    parameters: { w: [1], b: [0] },
    metrics: { over: (outputs, targets) => ops.reduceSum(ops.cast(ops.greater(outputs, targets), "float")) },
  });
  const data = { count: 5, arrays: { x: [1, 2, 3, 4, 5], targets: [0, 0, 3, 9, 9] } };
  const expected = { examples: 5, loss: expect.closeTo((1 + 4 + 0 + 25 + 16) / 5, 6) as number, over: 2 / 5 };
  for (const batchSize of [1, 2, 1000]) expect(await training.evaluate(data, batchSize)).toEqual(expected);
  expect(await training.evaluate(batches(data, 3))).toEqual(expected);
});

it("classifies: the share of wrong answers beside the loss", async () => {
  const training = await optimize(mlp([2, 3], { outputActivation: "identity" }), {
    optimizer: sgd(),
    loss: nll,
    parameters: { "layer1.weight": [9, 0, 0, 9, 0, 0], "layer1.bias": [0, 0, 0] },
  });
  const { loss, error } = await training.evaluate([{ features: [1, 0, 0, 1, 1, 0, 0, 1], targets: [0, 1, 1, 2] }]);
  expect(error).toBe(0.5);
  expect(loss).toBeCloseTo(Math.log(1 + 2 * Math.exp(-9)) + 9 / 2, 5);
});

it("takes several inputs, class indices among them, and parameters of any name", async () => {
  const names = ["count", "small", "L0.alpha", "settled.p0", "p0.gradient"];
  const model = defineModel({
    inputs: { x: [], which: { shape: [], dtype: "int32" } },
    parameters: Object.fromEntries(names.map((name, i) => [name, constants([2], i)])),
    forward: ({ x, which }, parameters) => {
      const sum = names.map((name) => parameters[name]!).reduce((a, b) => ops.add(a, b));
      return ops.mul(x, ops.reduceSum(ops.mul(ops.oneHot(which, 2), sum), [1]));
    },
  });
  const training = await optimize(model, { optimizer: sgd({ alpha: 0.01, optimizer: sgd(1e-6) }), loss: meanSquaredError });
  expect((await training.predict({ x: [1, 2], which: [0, 1] })).values).toEqual(Float64Array.of(10, 20));
  for (let n = 0; n < 200; n++) await training.step({ x: [1, 1], which: Uint8Array.of(0, 1), targets: [5, 15] });
  const learned = await training.parameters();
  expect(Object.keys(learned)).toEqual(names);
  names.forEach((name, i) => {
    expect(learned[name]![0]).toBeCloseTo(i - 1, 2);
    expect(learned[name]![1]).toBeCloseTo(i + 1, 2);
  });
});

it("draws other weights from another seed, the same from the same, whatever is given for one of them", async () => {
  const weights = async (options: { seed?: number; parameters?: Record<string, number[]> }) => {
    const training = await optimize(mlp([2, 3]), { optimizer: sgd(), loss: nll, ...options });
    return training.parameters();
  };
  const first = await weights({ seed: 1 });
  expect(await weights({ seed: 1 })).toEqual(first);
  expect((await weights({ seed: 2 }))["layer1.weight"]).not.toEqual(first["layer1.weight"]);
  expect(await weights({ seed: 1, parameters: { "layer1.weight": [0, 0, 0, 0, 0, 0] } })).toEqual({
    ...first,
    "layer1.weight": new Float64Array(6),
  });
});

it("takes calls one after the other, awaited or not", async () => {
  const options = { optimizer: adam({ optimizer: sgd(1e-3) }), loss: meanSquaredError };
  const [one, other] = await Promise.all([optimize(line, options), optimize(line, options)]);
  const batch = (n: number) => ({ x: [n], targets: [1 - n] });
  const awaited = [];
  for (let n = 0; n < 5; n++) awaited.push(await one.step(batch(n)));
  const refused = other.step({ x: [] });
  const together = Promise.all([0, 1, 2, 3, 4].map((n) => other.step(batch(n))));
  const saved = other.save();
  await expect(refused).rejects.toThrow("batch: x has 0 values");
  expect(await together).toEqual(awaited);
  expect(await saved).toEqual(await one.save());
});

it("can be disposed of, once its work is done", async () => {
  const training = await optimize(line, { optimizer: sgd(), loss: meanSquaredError });
  const last = training.step({ x: [1], targets: [1] });
  await training.dispose();
  await training.dispose();
  expect((await last).step).toBe(0);
  await expect(training.save()).rejects.toThrow("disposed of");
});

it("follows a schedule, and holds its last value", async () => {
  const training = await optimize(parabola, {
    optimizer: sgd({ alpha: 0.1, schedules: { alpha: { unit: "steps", pieces: [{ kind: "linear", to: 0.5, until: 2 }] } } }),
    loss: itself,
    engine: "reference",
  });
  let w = 3;
  expect(await training.hyperparameters()).toMatchObject({ "L0.alpha.inForce": 0.1 });
  for (const factor of [1, 0.75, 0.5, 0.5]) {
    await training.step({});
    w -= 0.1 * factor * 2 * w;
    expect((await training.parameters())["w"]![0]).toBeCloseTo(w, 12);
    expect((await training.hyperparameters())["L0.alpha.inForce"]).toBeCloseTo(0.1 * factor, 12);
  }
});
