/** LSTM and GRU layers with PyTorch's parameters, unrolled over the steps of a sequence. */
import { carriedNames, maskBehind } from "../../../shared/models/describe.ts";
import type { Config } from "../../../shared/models/layers.ts";
import type { Node } from "../../program/node.ts";
import { add, concat, constant, gather, matmul, mul, reshape, sigmoid, slice, sub, tanh, transpose } from "../../program/operations/index.ts";
import { eachStep, lookedUp, type Activations } from "../activations.ts";
import { dropped } from "./dropout.ts";
import type { Scope } from "./layer.ts";

/** State passed to the next step, `[hidden, batch]` each, output first. */
type CellState = readonly Node[];

interface Cell {
  /**
   * One step.
   * @param fromInput `[gates, batch]`: the input's part of the gates, with every bias that can be
   * added early
   * @param state state after the previous step; null (all zero) at the start
   * @param recurrent weight_hh and, unless `fromInput` has it, its bias as a column
   */
  step(fromInput: Node, state: CellState | null, recurrent: { readonly weight: Node; readonly bias: Node }): CellState;
  /** Whether bias_hh may be added to the input's part. */
  readonly addsBiases: boolean;
}

const gate = (gates: Node, index: number, hidden: number) => slice(gates, 0, index * hidden, (index + 1) * hidden);

/** Hochreiter and Schmidhuber 1997, with forget gate; gates in PyTorch's order: input, forget, cell, output. */
const lstm: Cell = {
  addsBiases: true,
  step(fromInput, state, { weight }) {
    const gates = state ? add(matmul(weight, state[0]!), fromInput) : fromInput;
    const hidden = weight.shape[1]!;
    const [input, forget, candidate, output] = [0, 1, 2, 3].map((index) => gate(gates, index, hidden)) as [Node, Node, Node, Node];
    const fresh = mul(sigmoid(input), tanh(candidate));
    const cell = state ? add(mul(sigmoid(forget), state[1]!), fresh) : fresh;
    return [mul(sigmoid(output), tanh(cell)), cell];
  },
};

/** Cho et al. 2014 in PyTorch's form, reset gate after the product; gates: reset, update, new. */
const gru: Cell = {
  addsBiases: false,
  step(fromInput, state, { weight, bias }) {
    const hidden = weight.shape[1]!;
    const own = (index: number) => gate(fromInput, index, hidden);
    const product = state ? add(matmul(weight, state[0]!), bias) : null;
    const recurrent = (index: number) => gate(product ?? bias, index, hidden);
    const reset = sigmoid(add(own(0), recurrent(0)));
    const update = sigmoid(add(own(1), recurrent(1)));
    const fresh = tanh(add(own(2), mul(reset, recurrent(2))));
    // (1 - update) fresh + update previous
    return [state ? add(fresh, mul(update, sub(state[0]!, fresh))) : mul(sub(constant(1), update), fresh)];
  },
};

const cells = { lstm, gru };

const column = (bias: Node) => reshape(bias, [bias.shape[0]!, 1]);

/**
 * The input's part of the gates, `[gates, batch]` per step. One product per step: large products
 * are slower. Inputs looked up in a smaller table take one product for the whole table; one-hot
 * tokens pick columns of the weight.
 */
function gatesFromInput(x: Activations, weight: Node, bias: Node): (step: number) => Node {
  const known = x.layout === "tokens" ? { table: null, symbols: x.node } : lookedUp(x);
  const count = x.shape[0]! * x.batch;
  if (!known || (known.table && known.table.shape[0]! >= count)) {
    const inputs = eachStep(x);
    return (step) => add(matmul(weight, inputs[step]!), column(bias));
  }
  const ofSymbols = known.table ? matmul(known.table, weight, { transposeB: true }) : transpose(weight);
  const all = reshape(gather(add(ofSymbols, bias), known.symbols), [count, weight.shape[0]!]);
  return (step) => transpose(slice(all, 0, step * x.batch, (step + 1) * x.batch));
}

/** The batch is the last axis: products are fastest with the untransposed weight on the left. */
function layer(x: Activations, kind: "lstm" | "gru", index: number, carry: boolean, scope: Scope): Activations {
  const cell = cells[kind];
  const parameter = (name: string) => scope.parameter(`${name}_l${index}`);
  const [count] = x.shape as [number];
  const biases = cell.addsBiases ? add(parameter("bias_ih"), parameter("bias_hh")) : parameter("bias_ih");
  const fromInput = gatesFromInput(x, parameter("weight_ih"), biases);
  const recurrent = { weight: parameter("weight_hh"), bias: column(parameter("bias_hh")) };
  const carried = carriedNames(kind, index);

  let state: CellState | null = carry ? carried.map((name) => transpose(scope.buffer(name))) : null;
  const outputs: Node[] = [];
  for (let step = 0; step < count; step++) {
    state = cell.step(fromInput(step), state, recurrent);
    outputs.push(state[0]!);
  }
  if (carry) carried.forEach((name, i) => scope.setBuffer(name, transpose(state![i]!)));
  return { node: concat(outputs, 0), batch: x.batch, shape: [count, recurrent.weight.shape[1]!], layout: "columns" };
}

function stack(x: Activations, { kind, layers, dropout, carry }: Config<"lstm"> | Config<"gru">, scope: Scope): Activations {
  let signal = x;
  for (let index = 0; index < layers; index++) {
    if (index > 0) signal = { ...signal, node: dropped(signal.node, dropout, maskBehind(index - 1), scope) };
    signal = layer(signal, kind, index, carry, scope);
  }
  return signal;
}

export const recurrentLayers = { lstm: stack, gru: stack };
