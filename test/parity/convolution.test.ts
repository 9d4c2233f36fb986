/** Convolutions of sizes for which an engine may have forms of its own: blocks of channels, batches in parts. */
import { describe, expect, it } from "vitest";
import { onnxCpuEngine } from "../../src/core/engines/onnx/engine.ts";
import { referenceEngine } from "../../src/core/engines/reference/engine.ts";
import { gradients } from "../../src/core/program/gradients.ts";
import type { Node, Shape } from "../../src/core/program/node.ts";
import { add, conv2d, conv2dInputGradient, dot, input, matmul, mul, relu } from "../../src/core/program/operations/index.ts";
import type { ConvolutionOptions } from "../../src/core/program/windows.ts";
import { makeProgram } from "../../src/core/program/program.ts";
import { pseudoRandom } from "../support/finiteDifferences.ts";

const sizeOf = (shape: Shape) => shape.reduce((product, n) => product * n, 1);

describe("convolutions and their gradients agree with the reference", () => {
  it.each<[string, Shape, Shape, ConvolutionOptions]>([
    ["channels in blocks", [3, 16, 5, 4], [32, 16, 3, 3], { padding: 1 }],
    ["channels in blocks, stride 2", [2, 32, 5, 5], [16, 32, 3, 3], { stride: 2, padding: 1 }],
    ["few channels to blocks", [2, 3, 6, 5], [16, 3, 3, 3], {}],
    ["blocks to few channels", [2, 16, 6, 5], [3, 16, 3, 3], { padding: 1 }],
    ["no whole blocks", [2, 20, 4, 4], [12, 20, 3, 3], { padding: 1 }],
    ["a kernel that is not square", [2, 16, 4, 6], [16, 16, 3, 1], {}],
    ["padding wider than the kernel", [1, 16, 3, 3], [16, 16, 1, 1], { padding: 1 }],
    ["depthwise", [2, 32, 6, 5], [32, 1, 3, 3], { groups: 32, padding: 1 }],
    ["depthwise, dilated, sides of their own", [2, 16, 7, 6], [16, 1, 3, 2], { groups: 16, padding: [2, 0, 1, 1], dilation: [2, 1] }],
    ["depthwise, stride 2", [2, 16, 7, 6], [16, 1, 3, 3], { groups: 16, padding: 1, stride: 2 }],
    ["depthwise, padding wider than the kernel", [2, 16, 3, 3], [16, 1, 1, 1], { groups: 16, padding: 1 }],
    ["depthwise, two filters for each channel", [2, 16, 5, 5], [32, 1, 3, 3], { groups: 16 }],
    ["groups of blocks", [2, 32, 5, 5], [32, 16, 3, 3], { groups: 2, padding: 1 }],
    ["a batch in unequal parts", [7, 16, 32, 32], [16, 16, 3, 3], { padding: 1 }],
    ["a batch in unequal parts, stride 2", [9, 16, 32, 32], [16, 16, 3, 3], { stride: 2, padding: 1 }],
  ])("%s", async (_, image, weight, options) => {
    const [x, w] = [input("x", image), input("w", weight)];
    const y = conv2d(x, w, options);
    const [toImage, toWeight] = gradients(dot(y, input("g", y.shape)), [x, w]);
    const program = makeProgram({ run: { outputs: {}, updates: { y, toImage: toImage!, toWeight: toWeight! } } });
    const given = { x: pseudoRandom(sizeOf(image), 1), w: pseudoRandom(sizeOf(weight), 2), g: pseudoRandom(sizeOf(y.shape), 3) };
    const [found, expected] = await Promise.all(
      [onnxCpuEngine, referenceEngine].map(async (engine) => {
        const executable = await engine.compile(program, { threads: 1 });
        await executable.run("run", given);
        const state = await executable.state();
        await executable.dispose();
        return state;
      }),
    );
    for (const [name, values] of Object.entries(expected!)) {
      const scale = values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
      const worst = values.reduce((largest, value, i) => Math.max(largest, Math.abs(value - found![name]![i]!)), 0);
      // Sums of up to 9216 float32 products.
      expect(worst / scale, name).toBeLessThan(1e-5);
    }
  });
});

describe("what is fused agrees with the reference", () => {
  const image: Shape = [2, 16, 4, 3];
  const [x, g, w] = [input("x", image), input("g", image), input("w", [16, 16, 3, 3])];
  const channel = (name: string, shape: Shape = [1, 16, 1, 1]) => input(name, shape);
  const [a, b, c] = [channel("a"), channel("b"), channel("c", [16, 1, 1])];

  it.each<[string, Node]>([
    ["a convolution's bias", add(conv2d(x, w, { padding: 1 }), c)],
    ["a depthwise convolution's bias and relu", relu(add(conv2d(x, input("d", [16, 1, 3, 3]), { padding: 1, groups: 16 }), c))],
    ["an image added to a depthwise convolution's gradient", add(conv2dInputGradient(g, input("d", [16, 1, 3, 3]), [4, 3], { padding: 1, groups: 16 }), x)],
    ["a convolution's bias that is read twice", mul(add(conv2d(x, w, { padding: 1 }), c), add(conv2d(x, w, { padding: 1 }), c))],
    ["a factor and a summand", add(mul(x, a), b)],
    ["a factor before, a summand before", add(c, mul(a, x))],
    ["two images", add(add(mul(x, a), mul(g, b)), c)],
    ["an image besides", add(add(x, mul(g, b)), c)],
    ["a product that is read elsewhere", add(mul(x, a), mul(add(mul(x, a), b), g))],
    ["a factor for a column, not a channel", add(mul(x, channel("r", [3])), b)],
    ["a product added to another one, and to a matrix", add(input("p", [5, 7]), add(matmul(input("l", [5, 3]), input("m", [3, 7])), matmul(input("l", [5, 3]), input("n", [3, 7]))))],
    ["a product that is added to what is also read elsewhere", mul(add(input("p", [5, 7]), matmul(input("l", [5, 3]), input("m", [3, 7]))), input("p", [5, 7]))],
    ["as many columns as channels", add(mul(input("s", [1, 3, 2, 3]), channel("r", [3])), channel("q", [3]))],
  ])("%s", async (_, result) => {
    const program = makeProgram({ run: { outputs: {}, updates: { result } } });
    const given = Object.fromEntries(program.procedures["run"]!.inputs.map((node, i) => [node.attributes.name, pseudoRandom(sizeOf(node.shape), i)]));
    const [found, expected] = await Promise.all(
      [onnxCpuEngine, referenceEngine].map(async (engine) => {
        const executable = await engine.compile(program, { threads: 1 });
        await executable.run("run", given);
        const { result: values } = await executable.state();
        await executable.dispose();
        return values;
      }),
    );
    expect(found!.length).toBe(expected!.length);
    expected!.forEach((value, i) => expect(Math.abs(found![i]! - value)).toBeLessThan(1e-5 * Math.max(1, Math.abs(value))));
  });
});
