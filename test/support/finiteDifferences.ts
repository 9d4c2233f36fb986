/** Central differences in float64, through the reference engine. */
import type { InputValue, StateValues } from "../../src/core/engines/engine.ts";
import { ReferenceExecutable } from "../../src/core/engines/reference/engine.ts";
import { gradients } from "../../src/core/program/gradients.ts";
import { sizeOf, type Node } from "../../src/core/program/node.ts";
import { dot, input, mul, reshape } from "../../src/core/program/operations/index.ts";
import { makeProgram } from "../../src/core/program/program.ts";

/** Deterministic pseudo-random values in (-1, 1). */
export function pseudoRandom(size: number, seed: number): Float64Array {
  return new Float64Array(size).map((_, i) => 2 * ((Math.sin(12.9898 * (i + 1) + 78.233 * seed) * 43758.5453) % 1));
}

export interface Check {
  /** Inputs to vary, with their central values. */
  readonly inputs: readonly { readonly node: Node; readonly values: Float64Array }[];
  /** Function of these inputs, of any shape; the check uses a weighted sum of its entries. */
  readonly result: Node;
  /** Values of the state variables it reads, those not named aside. */
  readonly state?: StateValues;
  /** Inputs that are not varied. */
  readonly given?: Readonly<Record<string, InputValue>>;
}

/** Weighted sum of the entries, with the fixed weights of the input `weights`. */
export function weighedSum(result: Node): { readonly loss: Node; readonly weights: Float64Array } {
  const size = sizeOf(result.shape);
  const weights = input("weights", [size]);
  const loss = result.shape.length === 0 ? mul(result, reshape(weights, [])) : dot(reshape(result, [size]), weights);
  return { loss, weights: pseudoRandom(size, 99) };
}

/** Largest difference between gradients() and central differences, relative to the largest gradient. */
export function gradientError({ inputs, result, state = {}, given: fixed = {} }: Check, h = 1e-6): number {
  const { loss, weights } = weighedSum(result);
  const gradientNodes = gradients(loss, inputs.map(({ node }) => node));
  const program = makeProgram({
    loss: { outputs: { loss } },
    gradients: { outputs: {}, updates: Object.fromEntries(gradientNodes.map((node, i) => [`gradient ${i}`, node])) },
  });
  const engine = new ReferenceExecutable(program);
  engine.restore(Object.fromEntries(program.state.flatMap(({ name }) => (state[name] ? [[name, state[name]] as const] : []))));
  const values = Object.fromEntries(
    inputs.map(({ node, values }) => {
      if (node.op !== "input") throw new Error("only inputs can be varied");
      return [node.attributes.name, values.slice()] as const;
    }),
  );
  const given = { ...fixed, ...values, weights };
  engine.runNow("gradients", given);
  const found = engine.stateNow();

  let worst = 0;
  let scale = 0;
  inputs.forEach(({ node }, i) => {
    if (node.op !== "input") return;
    const varied = values[node.attributes.name]!;
    const analytic = found[`gradient ${i}`]!;
    for (let j = 0; j < varied.length; j++) {
      const at = varied[j]!;
      const lossAt = (x: number) => {
        varied[j] = x;
        return engine.runNow("loss", given)["loss"]!;
      };
      const numeric = (lossAt(at + h) - lossAt(at - h)) / (2 * h);
      varied[j] = at;
      worst = Math.max(worst, Math.abs(numeric - analytic[j]!));
      scale = Math.max(scale, Math.abs(numeric));
    }
  });
  return worst / Math.max(scale, 1e-3);
}
