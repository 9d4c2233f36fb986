/** Functions of networks against PyTorch: values and gradients in float64, and on every engine. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { loadEngine } from "../../../src/core/engines/index.ts";
import { attention, gelu, groupNorm, layerNorm, rmsNorm, rotary, silu, sinusoids } from "../../../src/core/models/functions.ts";
import { gradients } from "../../../src/core/program/gradients.ts";
import { sizeOf, type Node } from "../../../src/core/program/node.ts";
import * as ops from "../../../src/core/program/operations/index.ts";
import { makeProgram } from "../../../src/core/program/program.ts";
import { difference } from "../../support/difference.ts";
import { presentEngines } from "../../support/engines.ts";
import { gradientError, pseudoRandom } from "../../support/finiteDifferences.ts";

interface Recorded {
  readonly name: "gelu" | "silu" | "layerNorm" | "rmsNorm" | "groupNorm" | "attention";
  readonly options: { form?: "exact" | "tanh"; epsilon?: number; axes?: number[]; groups?: number; causal?: boolean; scale?: number; allowed?: number[] };
  readonly inputs: Readonly<Record<string, { shape: number[]; values: number[]; gradient: number[] }>>;
  readonly result: { readonly shape: number[]; readonly values: number[] };
}

const cases = JSON.parse(readFileSync(new URL("functions.json", import.meta.url), "utf8")) as Recorded[];

function built({ name, options }: Recorded, inputs: Readonly<Record<string, Node>>): Node {
  const { x, scale, bias, q, k, v } = inputs;
  const affine = { scale, bias };
  const epsilon = options.epsilon ?? NaN;
  switch (name) {
    case "gelu":
      return gelu(x!, options.form);
    case "silu":
      return silu(x!);
    case "layerNorm":
      return layerNorm(x!, { ...affine, epsilon, ...(options.axes ? { axes: options.axes } : {}) });
    case "rmsNorm":
      return rmsNorm(x!, { ...affine, epsilon });
    case "groupNorm":
      return groupNorm(x!, { ...affine, epsilon, groups: options.groups! });
    case "attention": {
      const mask = options.allowed && ops.constantArray(Float64Array.from(options.allowed), [4, 4], "bool");
      return attention(q!, k!, v!, { causal: options.causal ?? false, mask, ...(options.scale ? { scale: options.scale } : {}) });
    }
  }
}

const textOf = ({ name, options }: Recorded) => `${name} ${JSON.stringify(options)}`;

describe.each(presentEngines)("%s", async (kind) => {
  const engine = await loadEngine[kind]();
  const within = kind === "reference" ? 1e-12 : 2e-5;

  it.each(cases.map((recorded) => [textOf(recorded), recorded] as const))("%s", async (_, recorded) => {
    const inputs = Object.fromEntries(Object.entries(recorded.inputs).map(([name, { shape }]) => [name, ops.input(name, shape)]));
    const result = built(recorded, inputs);
    const size = sizeOf(result.shape);
    const weights = ops.constantArray(new Float64Array(size).map((__, i) => -1 + (2 * i) / (size - 1)), result.shape);
    const adjoints = gradients(ops.dot(result, weights), Object.values(inputs));
    const updates = Object.fromEntries(Object.keys(inputs).map((name, i) => [`gradient.${name}`, adjoints[i]!]));
    const executable = await engine.compile(makeProgram({ run: { outputs: {}, updates: { result, ...updates } } }), { threads: 1 });
    await executable.run("run", Object.fromEntries(Object.entries(recorded.inputs).map(([name, { values }]) => [name, Float64Array.from(values)])));
    const found = await executable.state();
    await executable.dispose();
    expect(result.shape).toEqual(recorded.result.shape);
    expect(difference(found["result"]!, recorded.result.values)).toBeLessThan(within);
    for (const [name, { gradient }] of Object.entries(recorded.inputs)) expect(difference(found[`gradient.${name}`]!, gradient), name).toBeLessThan(within);
  });
});

describe("positions", () => {
  const valueOf = async (result: Node, given: Readonly<Record<string, Float64Array>> = {}) => {
    const executable = await (await loadEngine.reference()).compile(makeProgram({ run: { outputs: {}, updates: { result } } }), { threads: 1 });
    await executable.run("run", given);
    return (await executable.state())["result"]!;
  };

  it("rotary: products of a turned query and key depend on their distance only", async () => {
    const [q, k] = [ops.input("q", [1, 6]), ops.input("k", [1, 6])];
    const steps = 5;
    const turned = (x: Node) => rotary(ops.broadcast(x, [steps, 6]));
    const products = await valueOf(ops.matmul(turned(q), turned(k), { transposeB: true }), { q: pseudoRandom(6, 1), k: pseudoRandom(6, 2) });
    const at = (i: number, j: number) => products[i * steps + j]!;
    expect(at(1, 3)).toBeCloseTo(at(2, 4), 12);
    expect(at(4, 1)).toBeCloseTo(at(3, 0), 12);
    expect(Math.abs(at(0, 1) - at(1, 0))).toBeGreaterThan(1e-3);
    expect(at(0, 0)).toBeCloseTo(pseudoRandom(6, 1).reduce((sum, x, i) => sum + x * pseudoRandom(6, 2)[i]!, 0), 12);
    const x = ops.input("x", [2, 3, 4]);
    expect(gradientError({ inputs: [{ node: x, values: pseudoRandom(24, 3) }], result: rotary(x) })).toBeLessThan(1e-7);
  });

  it("sinusoids: sine in even, cosine in odd columns", async () => {
    const table = await valueOf(ops.add(sinusoids(3, 4), ops.constant(0)));
    expect([...table.slice(0, 4)]).toEqual([0, 1, 0, 1]);
    expect(table[4]).toBeCloseTo(Math.sin(1), 14);
    expect(table[11]).toBeCloseTo(Math.cos(2 / 100), 14);
  });
});

describe("refusals name the function and the shape", () => {
  const x = ops.input("x", [2, 6, 3]);
  it.each<[string, () => Node, string]>([
    ["groups", () => groupNorm(x, { groups: 4 }), "has 6 channels, which 4 groups do not divide"],
    ["axes", () => layerNorm(x, { axes: [3] }), "layerNorm(input[2, 6, 3]): has no axes [3]"],
    ["odd width", () => rotary(x), "needs steps and an even width"],
    ["keys", () => attention(x, ops.input("k", [2, 6, 4]), x), "inner sizes differ"],
  ])("%s", (_, build, message) => {
    expect(build).toThrow(message);
  });
});
