/** The ONNX engine's kernels: every operation at every length of the last, incomplete stretch; and which work falls to them. */
import { describe, expect, it } from "vitest";
import { compileHostWork } from "../../../src/core/engines/onnx/hostWork.ts";
import { Arena, type Block } from "../../../src/core/engines/onnx/kernels/arena.ts";
import { isKernelWork } from "../../../src/core/engines/onnx/kernels/kernel.ts";
import { partition } from "../../../src/core/engines/host/partition.ts";
import { ScalarMachine } from "../../../src/core/engines/host/scalarMachine.ts";
import { evaluate } from "../../../src/core/engines/reference/kernels.ts";
import { topologicalOrder, type Node } from "../../../src/core/program/node.ts";
import * as ops from "../../../src/core/program/operations/index.ts";
import { makeProgram } from "../../../src/core/program/program.ts";
import { pseudoRandom } from "../../support/finiteDifferences.ts";

const valuesOf = (block: Block) => block.tensor.data as Float32Array;

/** Computes the targets, arrays or scalars, by kernels and by the reference. */
function computed(targets: readonly Node[], given: ReadonlyMap<Node, Float64Array>) {
  const arena = new Arena();
  const machine = new ScalarMachine();
  const nodes = topologicalOrder(targets);
  const arrays = targets.filter(({ shape }) => shape.length > 0);
  const places = new Map<Node, Block>();
  for (const [node, values] of given) {
    if (node.shape.length === 0) machine.set(machine.register(node), values[0]!);
    else {
      const [block] = arena.allocate([node.shape]);
      valuesOf(block!).set(values);
      places.set(node, block!);
    }
  }
  const results = arena.allocate(arrays.map(({ shape }) => shape));
  const run = compileHostWork({
    nodes: nodes.filter((node) => !given.has(node)),
    stores: arrays.map((node, i) => ({ node, to: () => results[i]! })),
    inMemory: new Map([...places].map(([node, block]) => [node, () => block])),
    machine,
    arena,
  });
  run();
  const expected = new Map(given);
  for (const node of nodes) if (!expected.has(node)) expected.set(node, evaluate(node, node.inputs.map((input) => expected.get(input)!)));
  return targets.map((target) => {
    const position = arrays.indexOf(target);
    const ours = position >= 0 ? [...valuesOf(results[position]!)] : [machine.get(machine.register(target))];
    return { ours, expected: [...expected.get(target)!] };
  });
}

function expectClose(results: ReturnType<typeof computed>) {
  for (const { ours, expected } of results) {
    expect(ours).toHaveLength(expected.length);
    ours.forEach((value, i) => expect(Math.abs(value - expected[i]!), `${value} is not ${expected[i]!}`).toBeLessThan(1e-5 * Math.max(1, Math.abs(expected[i]!))));
  }
}

const sizes = [1, 3, 4, 7, 15, 16, 17, 1023, 1024, 1025, 1040, 5003];

describe("kernels", () => {
  it.each(sizes)("compute every operation on %i values", (size) => {
    const [a, b, s] = [ops.state("a", [size]), ops.state("b", [size]), ops.state("s", [])];
    const positive = ops.add(ops.mul(b, b), ops.constant(0.5));
    const larger = ops.greater(a, b);
    const targets = [
      ops.sub(ops.add(a, s), ops.mul(b, ops.constant(3))),
      ops.div(ops.sqrt(positive), ops.neg(positive)),
      ops.select(larger, ops.maximum(a, s), ops.minimum(b, a)),
      ops.mul(ops.cast(larger, "float"), ops.relu(a)),
      ops.add(ops.cast(ops.equal(a, a), "float"), ops.stopGradient(ops.filled(2, [size]))),
      ops.dot(a, b),
      ops.dot(positive, positive),
    ];
    const given = new Map([
      [a, pseudoRandom(size, 1)],
      [b, pseudoRandom(size, 2)],
      [s, Float64Array.of(0.3)],
    ]);
    expectClose(computed(targets, given));
    // One dot product alone and six at once unroll differently.
    expectClose(computed([ops.dot(a, positive)], given));
    expectClose(computed(Array.from({ length: 6 }, (_, i) => ops.dot(ops.add(a, ops.constant(i)), b)), given));
  });

  it("go on with what a pass has summed, and again", () => {
    const [a, b] = [ops.state("a", [50]), ops.state("b", [50])];
    const norm = ops.sqrt(ops.dot(a, a));
    const unit = ops.div(a, norm);
    const further = ops.mul(ops.dot(unit, b), ops.constant(2));
    expectClose(computed([unit, further, ops.add(b, further)], new Map([[a, pseudoRandom(50, 1)], [b, pseudoRandom(50, 2)]])));
  });

  it("keep the sum of many small products", () => {
    const size = 400_000;
    const a = ops.state("a", [size]);
    const [{ ours } = { ours: [0] }] = computed([ops.dot(a, a)], new Map([[a, new Float64Array(size).fill(0.1)]]));
    expect(Math.abs(ours[0]! / (size * Math.fround(0.1) ** 2) - 1)).toBeLessThan(1e-6);
  });

  it("let NaN win as IEEE 754 does", () => {
    const [a, b] = [ops.state("a", [5]), ops.state("b", [5])];
    const given = new Map([[a, Float64Array.of(NaN, 1, -0, 2, Infinity)], [b, Float64Array.of(0, NaN, 1, 2, -Infinity)]]);
    for (const { ours, expected } of computed([ops.maximum(a, b), ops.minimum(a, b), ops.relu(a), ops.add(a, b)], given)) expect(ours).toEqual(expected);
  });
});

describe("arena", () => {
  it("keeps what is there when it grows", () => {
    const arena = new Arena();
    const [first] = arena.allocate([[5]]);
    valuesOf(first!).set([1, 2, 3, 4, 5]);
    const [second] = arena.allocate([[100_000]]);
    expect([...valuesOf(first!)]).toEqual([1, 2, 3, 4, 5]);
    expect(valuesOf(second!)).toEqual(new Float32Array(100_000));
  });

  it("refuses more than it can hold, and goes on with less", () => {
    const arena = new Arena();
    expect(() => arena.allocate([[2 ** 15, 2 ** 15]])).toThrow("need 4.0 GiB on the ONNX CPU engine; allowed: less than 4");
    expect(arena.allocate([[3]])[0]!.address).toBe(0);
  });
});

describe("partition", () => {
  const partsOf = (updates: Readonly<Record<string, Node>>, outputs: Readonly<Record<string, Node>> = {}) => {
    const procedure = makeProgram({ run: { outputs, updates } }).procedures["run"]!;
    const names = (nodes: readonly Node[]) => nodes.map(({ op }) => op);
    const { before, device, after, toDevice, toHost, arraysToDevice } = partition(procedure, isKernelWork);
    return {
      before: names(before).filter((op) => op !== "constant"),
      device: names(device).filter((op) => op !== "constant"),
      after: names(after).filter((op) => op !== "constant"),
      crossing: [toDevice.length, toHost.length, arraysToDevice.length],
    };
  };
  const [w, g, alpha] = [ops.state("w", [2, 3]), ops.state("g", [2, 3]), ops.state("alpha", [])];
  const x = ops.input("x", [3, 2]);
  const moved = ops.sub(w, ops.mul(alpha, g));

  it("gives a plain update to the host, and no device is left", () => {
    expect(partsOf({ w: moved })).toEqual({ before: ["mul", "sub"], device: [], after: [], crossing: [0, 0, 0] });
  });

  it("leaves the device the work between an update and its hypergradient", () => {
    const gradient = ops.matmul(ops.exp(ops.matmul(moved, x)), x, { transposeB: true });
    const parts = partsOf({ w: moved, g: gradient, alpha: ops.add(alpha, ops.dot(gradient, g)) });
    expect(parts).toEqual({ before: ["mul", "sub"], device: ["matmul", "exp", "matmul"], after: ["dot", "add"], crossing: [0, 0, 2] });
  });

  it("keeps on the device what is made of arrays that are only there", () => {
    const product = ops.matmul(w, x);
    const scaled = ops.div(product, ops.reduceMax(product));
    expect(partsOf({ y: scaled })).toEqual({ before: [], device: ["matmul", "reduceMax", "div", "mul"], after: [], crossing: [0, 0, 2] });
    // Elementwise on a result and needed by the device: what else is made of it stays there, too.
    const gradient = ops.matmul(moved, x);
    const doubled = ops.maximum(gradient, ops.state("h", [2, 2]));
    const parts = partsOf({ g2: gradient, y: ops.matmul(doubled, doubled), z: ops.sqrt(doubled) });
    expect(parts).toEqual({ before: ["mul", "sub"], device: ["matmul", "maximum", "matmul", "sqrt"], after: [], crossing: [0, 0, 3] });
  });

  it("lets no condition cross: it is computed where it is used", () => {
    const condition = ops.greater(w, g);
    const share = ops.cast(condition, "float");
    const parts = partsOf({ w: ops.mul(w, share), y: ops.matmul(ops.select(condition, ops.exp(w), w), x) });
    expect(parts).toEqual({ before: ["greater", "cast", "mul"], device: ["greater", "exp", "select", "matmul"], after: [], crossing: [0, 0, 3] });
  });
});
