/** Operations on what convolutions answer, whose channels an engine may keep in blocks of 16 or of 8: they and their gradients agree with the reference. */
import { describe, expect, it } from "vitest";
import { onnxCpuEngine } from "../../src/core/engines/onnx/engine.ts";
import { referenceEngine } from "../../src/core/engines/reference/engine.ts";
import { gradients } from "../../src/core/program/gradients.ts";
import { sizeOf, type Node, type Shape } from "../../src/core/program/node.ts";
import * as ops from "../../src/core/program/operations/index.ts";
import { makeProgram } from "../../src/core/program/program.ts";
import { pseudoRandom } from "../support/finiteDifferences.ts";

const { add, constant, conv2d, div, dot, input, maxPool2d, mean, mul, reduceSum, relu, reshape, sqrt, sub, tanh, variance } = ops;
const channels = 16;

/** Runs a result and its gradients with respect to all inputs on both engines. */
async function compare(result: Node, given: (name: string, shape: Shape, index: number) => Float64Array) {
  const seed = input("seed", result.shape);
  const { procedures } = makeProgram({ run: { outputs: {}, updates: { result } } });
  const inputs = procedures["run"]!.inputs;
  const adjoints = gradients(dot(result, seed), inputs);
  const program = makeProgram({ run: { outputs: {}, updates: { result, ...Object.fromEntries(inputs.map((node, i) => [`to ${node.attributes.name}`, adjoints[i]!])) } } });
  const values = Object.fromEntries(program.procedures["run"]!.inputs.map(({ attributes: { name }, shape }, i) => [name, given(name, shape, i)]));
  const [found, again, expected] = await Promise.all(
    [onnxCpuEngine, onnxCpuEngine, referenceEngine].map(async (engine) => {
      const executable = await engine.compile(program, { threads: 1 });
      await executable.run("run", values);
      const state = await executable.state();
      await executable.dispose();
      return state;
    }),
  );
  expect(again).toEqual(found);
  for (const [name, reference] of Object.entries(expected!)) {
    const scale = reference.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1e-3);
    const worst = reference.reduce((largest, value, i) => Math.max(largest, Math.abs(value - found![name]![i]!)), 0);
    expect(worst / scale, name).toBeLessThan(1e-5);
  }
}

describe.each<[string, Shape]>([
  ["images of 6 x 5", [3, channels, 6, 5]],
  ["a batch of one block", [16, 2 * channels, 4, 4]],
])("%s", (_, shape) => {
  const count = shape[1]!;
  const x = input("x", shape);
  const convolved = () => conv2d(x, input("w", [count, count, 3, 3]), { padding: 1 });
  const channel = (name: string) => input(name, [1, count, 1, 1]);
  const normalized = (y: Node) => {
    const [center, spread] = [mean(y, [0, 2, 3]), variance(y, [0, 2, 3])];
    const factor = div(channel("a"), sqrt(add(spread, constant(1e-5))));
    return add(mul(y, factor), sub(channel("b"), mul(center, factor)));
  };

  it.each<[string, (y: Node) => Node]>([
    ["relu", relu],
    ["relu of a bias", (y) => relu(add(y, reshape(input("c", [count]), [count, 1, 1])))],
    ["tanh, and a sum of two convolutions", (y) => add(tanh(y), conv2d(tanh(y), input("v", [count, count, 3, 3]), { padding: 1 }))],
    ["a factor a channel", (y) => mul(channel("a"), y)],
    ["a summand a channel", (y) => add(y, channel("b"))],
    ["a channel's value less", (y) => sub(y, channel("b"))],
    ["a value for each channel of each example", (y) => mul(y, input("e", [...shape.slice(0, 2), 1, 1]))],
    ["sums of channels", (y) => reduceSum(y, [0, 2, 3])],
    ["sums of images", (y) => reduceSum(y, [2, 3])],
    ["sums over rows", (y) => reduceSum(y, [2])],
    ["variance", (y) => variance(y, [0, 2, 3])],
    ["batch normalization", (y) => relu(normalized(y))],
    ["batch normalization and a shortcut", (y) => relu(add(normalized(y), x))],
    ["a comparison with another image", (y) => ops.select(ops.greater(y, x), y, x)],
    ["maxima", (y) => maxPool2d(y, 2)],
    ["maxima of windows of 3, convolved", (y) => conv2d(maxPool2d(y, 3), input("v", [count, count, 1, 1]))],
    ["windows of 1", (y) => maxPool2d(y, 1)],
    ["a slice of channels", (y) => ops.slice(relu(y), 1, 3, 9)],
  ])("%s", async (_, of) => {
    await compare(of(convolved()), (__, size, i) => pseudoRandom(sizeOf(size), i + 1));
  });
});

it("of equal maxima the first gets the gradient", async () => {
  const y = conv2d(input("x", [2, channels, 7, 8]), input("w", [channels, channels, 1, 1]));
  const identity = Float64Array.from({ length: channels * channels }, (_, i) => (i % (channels + 1) === 0 ? 1 : 0));
  for (const size of [2, 3]) {
    await compare(maxPool2d(y, size), (name, shape, i) => {
      if (name === "w") return identity;
      const random = pseudoRandom(sizeOf(shape), i + 1);
      return name === "x" ? random.map(Math.round) : random;
    });
  }
});

it.each<[string, Shape, Shape, { stride?: number; padding?: number }]>([
  ["more padding than the image is high", [2, channels, 1, 4], [channels, channels, 3, 3], { padding: 2 }],
  ["5 x 5 on narrow images", [3, channels, 5, 6], [channels, channels, 5, 5], { padding: 2 }],
  ["one channel", [5, 1, 7, 6], [channels, 1, 5, 5], { padding: 2 }],
  ["three channels, stride 2", [4, 3, 9, 8], [channels, 3, 3, 3], { stride: 2, padding: 1 }],
  ["stride 3, rows and columns left over", [2, channels, 8, 9], [channels, channels, 2, 2], { stride: 3 }],
  ["more examples than a block", [18, channels, 4, 4], [channels, channels, 3, 3], { padding: 1 }],
])("weights of a convolution: %s", async (_, image, weight, options) => {
  await compare(relu(conv2d(input("x", image), input("w", weight), options)), (__, shape, i) => pseudoRandom(sizeOf(shape), i + 1));
});
