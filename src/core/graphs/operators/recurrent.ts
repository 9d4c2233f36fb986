/** LSTM, GRU and RNN in ONNX's gate order, unrolled over the steps. */
import type { Node } from "../../program/node.ts";
import { add, concat, filled, matmul, mul, relu, reshape, sigmoid, slice, sub, tanh, transpose } from "../../program/operations/index.ts";
import type { Context } from "../context.ts";
import { computed, floatOf, type ArrayValue } from "../values.ts";
import { softplus } from "./elementwise.ts";
import type { Operator, Operators } from "./operator.ts";

type Activation = (x: Node) => Node;

const activations: Readonly<Record<string, Activation>> = { sigmoid, tanh, relu, softplus, affine: (x) => x };

/** States are `[hidden, batch]`: products are fastest with the untransposed weight on the left. */
interface Step {
  readonly hidden: number;
  /** `[gates * hidden, batch]` from the input, with its bias. */
  readonly fromInput: Node;
  readonly state: readonly Node[];
  readonly recurrent: Node;
  /** A column `[gates * hidden, 1]`; null without biases. */
  readonly bias: Node | null;
  readonly functions: readonly Activation[];
  /** The peephole weights of an LSTM as columns: input, output, forget. */
  readonly peepholes: readonly Node[] | null;
  readonly resetAfter: boolean;
}

interface Cell {
  readonly gates: number;
  readonly states: number;
  readonly functions: readonly string[];
  step(step: Step): Node[];
}

const gate = (x: Node, index: number, hidden: number) => slice(x, 0, index * hidden, (index + 1) * hidden);
const withColumn = (x: Node, bias: Node | null) => (bias ? add(x, bias) : x);

const cells: Readonly<Record<"LSTM" | "GRU" | "RNN", Cell>> = {
  /** Gates: input, output, forget, cell. */
  LSTM: {
    gates: 4,
    states: 2,
    functions: ["sigmoid", "tanh", "tanh"],
    step({ hidden, fromInput, state, recurrent, bias, functions, peepholes }) {
      const [h, c] = state as [Node, Node];
      const [f, g, last] = functions as [Activation, Activation, Activation];
      const all = withColumn(add(matmul(recurrent, h), fromInput), bias);
      const peeped = (index: number, peephole: number, cell: Node) => (peepholes ? add(gate(all, index, hidden), mul(peepholes[peephole]!, cell)) : gate(all, index, hidden));
      const cell = add(mul(f(peeped(2, 2, c)), c), mul(f(peeped(0, 0, c)), g(gate(all, 3, hidden))));
      return [mul(f(peeped(1, 1, cell)), last(cell)), cell];
    },
  },
  /** Gates: update, reset, hidden. */
  GRU: {
    gates: 3,
    states: 1,
    functions: ["sigmoid", "tanh"],
    step({ hidden, fromInput, state, recurrent, bias, functions, resetAfter }) {
      const [h] = state as [Node];
      const [f, g] = functions as [Activation, Activation];
      const product = resetAfter ? withColumn(matmul(recurrent, h), bias) : null;
      const early = product ?? withColumn(matmul(slice(recurrent, 0, 0, 2 * hidden), h), bias && slice(bias, 0, 0, 2 * hidden));
      const update = f(add(gate(fromInput, 0, hidden), gate(early, 0, hidden)));
      const reset = f(add(gate(fromInput, 1, hidden), gate(early, 1, hidden)));
      const own = product ? mul(reset, gate(product, 2, hidden)) : withColumn(matmul(gate(recurrent, 2, hidden), mul(reset, h)), bias && gate(bias, 2, hidden));
      const fresh = g(add(gate(fromInput, 2, hidden), own));
      return [add(fresh, mul(update, sub(h, fresh)))];
    },
  },
  RNN: {
    gates: 1,
    states: 1,
    functions: ["tanh"],
    step: ({ fromInput, state, recurrent, bias, functions }) => [functions[0]!(withColumn(add(matmul(recurrent, state[0]!), fromInput), bias))],
  },
};

function unrolled(kind: "LSTM" | "GRU" | "RNN"): Operator {
  const cell = cells[kind];
  return (context): readonly ArrayValue[] => {
    const { attributes } = context;
    attributes.only("input_forget", 0);
    attributes.only("layout", 0, 1);
    attributes.only("direction", "forward", "reverse", "bidirectional");
    if (attributes.has("clip")) throw context.error("clip is not supported; export without it");
    const batchFirst = attributes.int("layout", 0) === 1;
    const given = floatOf(context.array(0));
    const x = batchFirst ? transpose(given, [1, 0, 2]) : given;
    const [steps, batch] = x.shape as [number, number, number];
    const lengths = context.optional(4);
    if (lengths && !(lengths.known && lengths.data.every((n) => n === steps))) throw context.error("sequence_lens must be the number of steps for every example; export without packed sequences");
    const direction = attributes.text("direction", "forward");
    const directions = direction === "bidirectional" ? [false, true] : [direction === "reverse"];
    const names = attributes.texts("activations") ?? directions.flatMap(() => cell.functions);
    const parts = directions.map((reversed, index) => {
      const functions = names.slice(index * cell.functions.length, (index + 1) * cell.functions.length).map((name) => {
        const found = activations[name.toLowerCase()];
        if (!found) throw context.error(`activations = "${name}" is not supported; allowed: ${Object.keys(activations).join(", ")}`);
        return found;
      });
      return run(context, cell, x, index, reversed, functions);
    });
    const outputs = stacked(parts.map(({ outputs: columns }) => columns), batch);
    const finals = Array.from({ length: cell.states }, (_, state) => concat(parts.map(({ final }) => reshape(transpose(final[state]!), [1, batch, final[state]!.shape[0]!])), 0));
    const [y, ...last] = batchFirst ? [transpose(outputs, [2, 0, 1, 3]), ...finals.map((final) => transpose(final, [1, 0, 2]))] : [outputs, ...finals];
    return [y!, ...last].map(computed);
  };
}

/** One direction: the outputs step by step, and the last states, as `[hidden, batch]`. */
function run(context: Context, cell: Cell, x: Node, index: number, reversed: boolean, functions: readonly Activation[]): { outputs: Node[]; final: readonly Node[] } {
  const [steps, batch] = x.shape as [number, number, number];
  const part = (input: number): Node | null => {
    const value = context.optional(input);
    if (!value) return null;
    const node = floatOf(value);
    return reshape(slice(node, 0, index, index + 1), node.shape.slice(1));
  };
  const [weight, recurrent] = [part(1)!, part(2)!];
  const hidden = recurrent.shape[1]!;
  const gates = cell.gates * hidden;
  if (weight.shape[0] !== gates || recurrent.shape[0] !== gates) throw context.error(`its weights have ${weight.shape[0]} and ${recurrent.shape[0]} rows; ${gates} are needed for hidden_size = ${hidden}`);
  const biases = part(3);
  const column = (from: number) => biases && reshape(slice(biases, 0, from, from + gates), [gates, 1]);
  const batchFirst = context.attributes.int("layout", 0) === 1;
  const initial = (input: number): Node => {
    const value = context.optional(input);
    if (!value) return filled(0, [hidden, batch]);
    const states = batchFirst ? transpose(floatOf(value), [1, 0, 2]) : floatOf(value);
    return transpose(reshape(slice(states, 0, index, index + 1), [batch, hidden]));
  };
  const peeped = context.inputs.length > 7 ? part(7) : null;
  const peepholes = peeped && [0, 1, 2].map((k) => reshape(slice(peeped, 0, k * hidden, (k + 1) * hidden), [hidden, 1]));
  let state: readonly Node[] = Array.from({ length: cell.states }, (_, k) => initial(5 + k));
  const outputs: Node[] = [];
  const fixed = { hidden, recurrent, bias: column(gates), functions, peepholes, resetAfter: context.attributes.int("linear_before_reset", 0) === 1 };
  for (let i = 0; i < steps; i++) {
    const step = reversed ? steps - 1 - i : i;
    const input = reshape(slice(x, 0, step, step + 1), [batch, x.shape[2]!]);
    state = cell.step({ ...fixed, fromInput: withColumn(matmul(weight, input, { transposeB: true }), column(0)), state });
    outputs.push(state[0]!);
  }
  return { outputs: reversed ? outputs.reverse() : outputs, final: state };
}

/** `[steps, directions, batch, hidden]` of columns by direction and step. */
function stacked(directions: readonly (readonly Node[])[], batch: number): Node {
  const whole = directions.map((columns) => {
    const hidden = columns[0]!.shape[0]!;
    return reshape(transpose(reshape(concat(columns, 0), [columns.length, hidden, batch]), [0, 2, 1]), [columns.length, 1, batch, hidden]);
  });
  return concat(whole, 1);
}

export const recurrentOperators: Operators = { LSTM: unrolled("LSTM"), GRU: unrolled("GRU"), RNN: unrolled("RNN") };
