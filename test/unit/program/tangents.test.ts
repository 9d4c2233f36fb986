/** Forward-mode rules against the reverse-mode ones and, for second derivatives, against finite differences. */
import { describe, expect, it } from "vitest";
import { ReferenceExecutable } from "../../../src/core/engines/reference/engine.ts";
import { gradients } from "../../../src/core/program/gradients.ts";
import { sizeOf, type Node, type OpName } from "../../../src/core/program/node.ts";
import { add, constant, dot, filled, input, mul, operations, reshape } from "../../../src/core/program/operations/index.ts";
import { makeProgram } from "../../../src/core/program/program.ts";
import { tangents } from "../../../src/core/program/tangents.ts";
import { pseudoRandom, weighedSum } from "../../support/finiteDifferences.ts";
import { samples, sampleState, type Sample } from "../../support/operationSamples.ts";

const inner = (a: Node, b: Node) => (a.shape.length === 0 ? mul(a, b) : dot(reshape(a, [sizeOf(a.shape)]), reshape(b, [sizeOf(b.shape)])));
const nameOf = (node: Node) => (node.op === "input" ? node.attributes.name : "");

/** A sample's loss, its gradients, and the tangents of both along a random direction of all inputs. */
function derivatives({ inputs, result }: Sample) {
  const { loss, weights } = weighedSum(result);
  const nodes = inputs.map(({ node }) => node);
  const directions = nodes.map(({ shape }, i) => ({ node: input(`v${i}`, shape), values: pseudoRandom(sizeOf(shape), 7 + i) }));
  const seedOf = (node: Node) => directions[nodes.indexOf(node)]?.node ?? null;
  const adjoints = gradients(loss, nodes);
  const [ofLoss, ...ofAdjoints] = tangents([loss, ...adjoints], seedOf);
  const alongGradient = adjoints.map((adjoint, i) => inner(adjoint, directions[i]!.node)).reduce((sum, part) => add(sum, part));
  const program = makeProgram({
    run: {
      outputs: { forward: ofLoss ?? constant(0), reverse: alongGradient },
      updates: Object.fromEntries(nodes.flatMap((node, i) => [[`g${i}`, adjoints[i]!] as const, [`h${i}`, ofAdjoints[i] ?? filled(0, node.shape)] as const])),
    },
  });
  const engine = new ReferenceExecutable(program);
  engine.restore(Object.fromEntries(Object.entries(sampleState).filter(([name]) => program.state.some((variable) => variable.name === name))));
  const asked = new Set(program.procedures["run"]!.inputs.map(({ attributes }) => attributes.name));
  /** At the sample's inputs plus `t` times the direction. */
  const at = (t: number) => {
    const given = Object.fromEntries([
      ["weights", weights] as const,
      ...directions.map(({ node, values }) => [nameOf(node), values] as const),
      ...inputs.map(({ node, values }, i) => [nameOf(node), values.map((value, j) => value + t * directions[i]!.values[j]!)] as const),
    ]);
    const outputs = engine.runNow("run", Object.fromEntries(Object.entries(given).filter(([name]) => asked.has(name))));
    return { ...outputs, state: engine.stateNow() };
  };
  return { at, count: nodes.length };
}

describe.each(Object.keys(operations) as OpName[])("%s", (op) => {
  it.each(samples[op].map((one) => [one.what, one] as const))("%s: the tangent is the gradient's product with the direction", (_, one) => {
    const { forward, reverse } = derivatives(one).at(0) as unknown as { forward: number; reverse: number };
    expect(Math.abs(forward - reverse)).toBeLessThan(1e-12 * Math.max(1, Math.abs(reverse)));
  });

  it.each(samples[op].map((one) => [one.what, one] as const))("%s: the tangent of the gradient agrees with differences of it", (_, one) => {
    const { at, count } = derivatives(one);
    const h = 1e-6;
    const [more, less, exact] = [at(h).state, at(-h).state, at(0).state];
    for (let i = 0; i < count; i++) {
      const numeric = more[`g${i}`]!.map((value, j) => (value - less[`g${i}`]![j]!) / (2 * h));
      const scale = Math.max(1, ...numeric.map(Math.abs));
      exact[`h${i}`]!.forEach((value, j) => expect(Math.abs(value - numeric[j]!)).toBeLessThan(1e-7 * scale));
    }
  });
});

describe("tangents()", () => {
  const run = (node: Node | null) => new ReferenceExecutable(makeProgram({ run: { outputs: { t: node! } } })).runNow("run", { a: Float64Array.of(3) })["t"];

  it("goes along inner nodes: what a seeded node is made of does not count", () => {
    const a = input("a", []);
    const square = mul(a, a);
    const [tangent] = tangents([add(mul(square, square), a)], (node) => (node === square || node === a ? constant(node === square ? 1 : 2) : null));
    expect(run(tangent!)).toBe(2 * 9 + 2);
  });

  it("is null where nothing changes, and refuses a seed of another shape", () => {
    const a = input("a", []);
    expect(tangents([mul(a, a)], () => null)).toEqual([null]);
    expect(() => tangents([a], () => filled(1, [2]))).toThrow("a seed needs the shape of its node");
  });
});
