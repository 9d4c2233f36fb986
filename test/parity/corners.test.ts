/** Where a rule has to choose or refuse, every engine does the same. */
import { describe, expect, it } from "vitest";
import { loadEngine } from "../../src/core/engines/index.ts";
import { gradients } from "../../src/core/program/gradients.ts";
import type { Node } from "../../src/core/program/node.ts";
import { avgPool2d, conv2d, conv2dInputGradient, conv2dWeightGradient, convTranspose2d, cumulativeSum, gather, input, matmul, maxPool2d, pad, reduceSum, scatterAdd, slice, split } from "../../src/core/program/operations/index.ts";
import { makeProgram } from "../../src/core/program/program.ts";
import { referenceEngine } from "../../src/core/engines/reference/engine.ts";
import { difference } from "../support/difference.ts";
import { presentEngines } from "../support/engines.ts";
import { pseudoRandom } from "../support/finiteDifferences.ts";
import { tolerances } from "../support/parity.ts";

describe.each(presentEngines)("%s", (kind) => {
  const compile = async (result: Node) => (await loadEngine[kind]()).compile(makeProgram({ run: { outputs: {}, updates: { result } } }), { threads: 1 });

  it("gives a maximum's gradient to the first of equals, row by row", async () => {
    const x = input("x", [1, 1, 4, 4]);
    const [toImage] = gradients(reduceSum(maxPool2d(x, 2)), [x]);
    const executable = await compile(toImage!);
    await executable.run("run", { x: Float64Array.of(0, 0, 1, 2, 0, 0, 2, 1, 3, 3, 0, 0, 1, 3, 0, 5) });
    expect([...(await executable.state())["result"]!]).toEqual([1, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1]);
    await executable.dispose();
  });

  it("adds up the gradients of windows that share a maximum, the first of equals", async () => {
    const x = input("x", [1, 1, 3, 4]);
    const pool = maxPool2d(x, { size: 2, stride: 1, padding: [1, 0, 0, 0] });
    const [toImage] = gradients(reduceSum(pool), [x]);
    const executable = await compile(toImage!);
    await executable.run("run", { x: Float64Array.of(1, 1, -1, -2, 0, 7, 7, 0, 0, 7, 7, 0) });
    expect([...(await executable.state())["result"]!]).toEqual([1, 1, 1, 0, 0, 4, 2, 0, 0, 0, 0, 0]);
    await executable.dispose();
  });

  it("refuses an index outside the table", async () => {
    const indices = input("i", [2], "int32");
    const executable = await compile(gather(input("table", [3, 2]), indices));
    await expect(executable.run("run", { table: new Float64Array(6), i: Int32Array.of(0, 3) })).rejects.toThrow();
    await executable.dispose();
  });

  it.each([{}, { transposeA: true }, { transposeB: true }])("multiplies over a long axis: %o", async (options) => {
    const [a, b] = [input("a", options.transposeA ? [2304, 8] : [8, 2304]), input("b", options.transposeB ? [32, 2304] : [2304, 32])];
    const values = { a: pseudoRandom(8 * 2304, 1), b: pseudoRandom(2304 * 32, 2) };
    const program = makeProgram({ run: { outputs: {}, updates: { result: matmul(a, b, options) } } });
    const [ours, expected] = await Promise.all(
      [await loadEngine[kind](), referenceEngine].map(async (engine) => {
        const executable = await engine.compile(program, { threads: 1 });
        await executable.run("run", values);
        const { result } = await executable.state();
        await executable.dispose();
        return result!;
      }),
    );
    expect(difference(ours!, expected!)).toBeLessThan(tolerances.longProduct);
  });
});

describe("shapes that do not fit are refused by name", () => {
  const image = input("x", [2, 3, 5, 5]);
  const weight = input("w", [4, 3, 3, 3]);

  it.each<[string, () => Node, string]>([
    ["channels", () => conv2d(image, input("w", [4, 2, 3, 3])), "the weight is for 2 channels, the image has 3"],
    ["axes", () => conv2d(image, input("w", [4, 3])), "the weight must be float with four axes"],
    ["kernel", () => conv2d(image, input("w", [4, 3, 6, 6])), "the kernel is larger than the padded image"],
    ["stride", () => conv2d(image, weight, { stride: 0 }), "the stride is 0; allowed: whole numbers from 1"],
    ["padding", () => conv2d(image, weight, { padding: 0.5 }), "the padding is 0.5; allowed: whole numbers from 0"],
    ["an adjoint of another image", () => conv2dInputGradient(input("g", [2, 4, 3, 3]), weight, [6, 5]), "does not match an image of 6 x 5"],
    ["an adjoint of another kernel", () => conv2dWeightGradient(image, input("g", [2, 4, 3, 3]), [2, 3]), "does not match a kernel of 2 x 3"],
    ["groups of the image", () => conv2d(image, weight, { groups: 2 }), "the weight is for 3 channels in each of 2 groups, the image has 3"],
    ["groups of the filters", () => conv2d(input("x", [2, 6, 5, 5]), input("w", [3, 3, 3, 3]), { groups: 2 }), "3 channels do not divide into 2 groups"],
    ["dilation", () => conv2d(image, weight, { dilation: [1, 0] }), "the dilation is 1, 0; allowed: whole numbers from 1"],
    ["a dilated kernel", () => conv2d(image, weight, { dilation: 3 }), "the kernel is larger than the padded image"],
    ["a padding by sides", () => conv2d(image, weight, { padding: [0, 0, -1, 0] }), "the padding is 0, 0, -1, 0; allowed: whole numbers from 0"],
    ["output padding", () => convTranspose2d(input("g", [2, 4, 3, 3]), weight, { outputPadding: 1 }), "does not match an image of 6 x 6"],
    ["a transposed convolution's padding", () => convTranspose2d(input("g", [2, 4, 1, 1]), weight, { padding: 2 }), "the padding leaves nothing of the result"],
    ["a window in the padding", () => maxPool2d(image, { size: 2, stride: 2, padding: 2 }), "the padding of 2, 2, 2, 2 leaves a window without a pixel"],
    ["windows by direction", () => avgPool2d(image, { size: [2, 6] }), "windows of 2 x 6 do not fit"],
    ["windows", () => maxPool2d(image, 6), "windows of 6 x 6 do not fit"],
    ["indices", () => gather(input("t", [3, 2]), input("i", [2])), "needs int32 indices"],
    ["an axis to gather along", () => gather(input("t", [3, 2]), input("i", [2], "int32"), 2), "the table has no axis 2"],
    ["a step", () => slice(input("x", [3]), 0, 0, 3, 0), "the step is 0; allowed: whole numbers except 0"],
    ["a slice backwards", () => slice(input("x", [3]), 0, 0, 3, -1), "0 to 3 along axis 0 is out of range"],
    ["pads", () => pad(input("x", [3]), [1], [1, 2]), "needs a float input and whole numbers for 1 axes"],
    ["a cut", () => pad(input("x", [3]), [-2], [-1]), "nothing of axis 0 is left"],
    ["parts", () => split(input("x", [3]), 0, [1, 1])[0]!, "parts of 1 + 1 do not fit along axis 0"],
    ["an axis to sum along", () => cumulativeSum(input("x", [3]), 1), "needs a float input with an axis 1"],
    ["values", () => scatterAdd(input("v", [3, 2]), input("i", [2], "int32"), 4), "needs one row of floats for each index"],
  ])("%s", (_, build, message) => {
    expect(build).toThrow(message);
  });
});
