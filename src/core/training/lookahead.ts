/**
 * Hypergradients of the loss after K steps (Wu et al. 2018): how the latest loss depends on a hyperparameter of level 0
 * through the last K updates. The K steps are part of the step's own program, unrolled backward: the adjoint of the weights and slots
 * goes through an update, then through the gradient that it applied (a Hessian-vector product on that step's batch), to the
 * weights before, and so on. What each step started from is kept in registers that shift by one every step.
 *
 * Ages count back from the update that the loss belongs to, which has age 0. Exact within the window, apart from
 * what a hidden state carries from batch to batch, which is constant as in training.
 */
import { gradientName, lossName, type Weights } from "../hyperoptimizers/tower.ts";
import { gradients, pullback } from "../program/gradients.ts";
import { topologicalOrder, type Node, type Shape } from "../program/node.ts";
import { add, cast, constant, filled, greater, maximum, select, state, sub } from "../program/operations/index.ts";
import { stateRead, substitute } from "../program/substitute.ts";
import type { Loss } from "../tasks/task.ts";

/** State variable of a value as it was before the update of an age, or of a batch after it. */
const registerName = (age: number, name: string) => `lookahead.${age}.${name}`;

const count = () => state("count", []);

export interface UnrolledStep {
  /** Number of updates that count; at least 2. */
  readonly steps: number;
  readonly weights: readonly Weights[];
  /** New weights and slots of level 0, by state variable. */
  readonly update: Readonly<Record<string, Node>>;
  /** New stored value of level 0's hyperparameters, by state variable. */
  readonly hyperparameters: Readonly<Record<string, Node>>;
  /** Loss at weights, in their order. */
  readonly lossAt: (weights: readonly Node[]) => Loss;
}

/** A register: its shape, and the state variable whose initial value it starts with. */
export interface Register {
  readonly shape: Shape;
  readonly from: string;
}

export class Lookahead {
  readonly #step: UnrolledStep;
  readonly #moved: ReadonlyMap<Node, string>;
  /** What the update reads, apart from hyperparameters and the count. */
  readonly #read: ReadonlyMap<string, Node>;
  readonly #leaves = new Map<string, Node>();

  constructor(step: UnrolledStep) {
    this.#step = step;
    this.#moved = new Map(Object.entries(step.hyperparameters).map(([name, node]) => [node, name]));
    const read = stateRead(Object.values(step.update), new Set(this.#moved.keys()));
    read.delete("count");
    this.#read = read;
  }

  /**
   * d loss / d hyperparameter, by state variable.
   * @param adjoints d loss / d each of the new weights
   */
  hypergradients(adjoints: readonly Node[]): Record<string, Node> {
    const { steps, weights, update } = this.#step;
    const names = Object.keys(update);
    let seeds = new Map(weights.map(({ name }, i) => [name, adjoints[i]!]));
    let total: Record<string, Node> = {};
    for (let age = 0; age < steps; age++) {
      const variables = [...this.#read].map(([name, { shape }]) => ({ name, leaf: this.#leaf(age, name, shape) }));
      const hyperparameters = Object.entries(this.#step.hyperparameters).map(([name, node]) => ({ name, node: age === 0 ? node : this.#leaf(age, name, []) }));
      const moved = this.#updateAt(age);
      const found = pullback(
        moved,
        names.map((name, i) => seeds.get(name) ?? filled(0, moved[i]!.shape)),
        [...variables.map(({ leaf }) => leaf), ...hyperparameters.map(({ node }) => node)],
      );
      const inWindow = (value: Node) => (age === 0 ? value : select(greater(count(), constant(age - 0.5)), value, constant(0)));
      total = Object.fromEntries(hyperparameters.map(({ name }, i) => [name, [total[name] ?? constant(0), inWindow(found[variables.length + i]!)].reduce(add)]));
      const before = new Map(variables.map(({ name }, i) => [name, found[i]!]));
      seeds = age + 1 < steps ? this.#throughGradient(age, before) : new Map<string, Node>();
    }
    return total;
  }

  /** New registers, by state variable. */
  shifted(inputs: Readonly<Record<string, Node>>): Record<string, Node> {
    const latest = { ...Object.fromEntries([...this.#read].map(([name, { shape }]) => [name, state(name, shape)])), ...this.#step.hyperparameters, ...inputs };
    return Object.fromEntries(
      Object.entries(latest).flatMap(([name, node]) =>
        Array.from({ length: this.#step.steps - 1 }, (_, i) => [registerName(i + 1, name), i === 0 ? node : state(registerName(i, name), node.shape)] as const),
      ),
    );
  }

  /** All registers, by state variable. */
  registers(shifted: Readonly<Record<string, Node>>): Record<string, Register> {
    return Object.fromEntries(Object.entries(shifted).map(([name, { shape }]) => [name, { shape, from: name.replace(/^lookahead\.\d+\./, "") }]));
  }

  #leaf(age: number, name: string, shape: Shape): Node {
    const known = age === 0 ? name : registerName(age, name);
    const leaf = this.#leaves.get(known) ?? state(known, shape);
    this.#leaves.set(known, leaf);
    return leaf;
  }

  /** The update of an age, from what it started from. */
  #updateAt(age: number): Node[] {
    return substitute(Object.values(this.#step.update), (node) => {
      const hyperparameter = this.#moved.get(node);
      if (hyperparameter !== undefined) return age === 0 ? node : this.#leaf(age, hyperparameter, []);
      if (node.op !== "state") return null;
      const { name } = node.attributes;
      // Before the window is full, older updates are made up: of finite values, because a masked NaN would still spread.
      if (name === "count") return age === 0 ? null : maximum(sub(count(), constant(age)), constant(0));
      return this.#read.has(name) ? this.#leaf(age, name, node.shape) : null;
    });
  }

  /**
   * Adjoints of the weights and slots that the update one step earlier made, from those of what the update of an age read:
   * its gradients, and its loss, are made of these weights.
   */
  #throughGradient(age: number, before: ReadonlyMap<string, Node>): Map<string, Node> {
    const { weights } = this.#step;
    const at = weights.map(({ name, shape }) => this.#leaf(age, name, shape));
    const loss = this.#lossOfBatch(age + 1, at);
    const slopes = gradients(loss, at);
    const back = pullback(
      [...slopes, loss],
      [...weights.map(({ name, shape }) => before.get(gradientName(name)) ?? filled(0, shape)), before.get(lossName) ?? constant(0)],
      at,
    );
    const direct = (name: string, i: number) => (before.has(name) ? add(before.get(name)!, back[i]!) : back[i]!);
    return new Map([...before, ...weights.map(({ name }, i) => [name, direct(name, i)] as const)]);
  }

  /** Loss of a batch in the registers, with the buffers as they were. */
  #lossOfBatch(age: number, at: readonly Node[]): Node {
    const { loss, buffers = {} } = this.#step.lossAt(at);
    return substitute([loss], (node) => {
      const [source] = node.inputs;
      // A batch is kept as floats: cast it only once.
      if (node.op === "cast" && source?.op === "input") return cast(state(registerName(age, source.attributes.name), node.shape), node.attributes.to);
      if (node.op === "input") return cast(state(registerName(age, node.attributes.name), node.shape), node.dtype);
      return node.op === "state" && node.attributes.name in buffers ? state(registerName(age, node.attributes.name), node.shape) : null;
    })[0]!;
  }
}

/** What registers keep of a batch: its inputs as floats, and the buffers that the loss reads. */
export function keptOfBatch({ loss, buffers = {} }: Loss): Record<string, Node> {
  const inputs = topologicalOrder([loss]).flatMap((node) => (node.op === "input" ? [[node.attributes.name, cast(node, "float")] as const] : []));
  const read = [...stateRead([loss])].flatMap(([name, { shape }]) => (name in buffers ? [[name, state(name, shape)] as const] : []));
  return Object.fromEntries([...inputs, ...read]);
}

/** Registers of the first batch, before any update. */
export function firstRegisters(loss: Loss): Record<string, Node> {
  return Object.fromEntries(Object.entries(keptOfBatch(loss)).map(([name, node]) => [registerName(1, name), node]));
}
