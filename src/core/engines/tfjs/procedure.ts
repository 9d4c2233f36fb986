/** One procedure on TensorFlow.js: host scalars, kernels, host scalars. */
import { isScalar, sizeOf, type Node, type NodeOf } from "../../program/node.ts";
import { nodesOf, type Procedure } from "../../program/program.ts";
import { checkedInput, type InputValue } from "../engine.ts";
import { checkIndices, indexBounds } from "../host/indexBounds.ts";
import { partition, type Partition } from "../host/partition.ts";
import { ScalarMachine } from "../host/scalarMachine.ts";
import { evaluate, tensorType } from "./lowering.ts";
import { tf, type Tensor } from "./core.ts";

/** Engine state: tensors on the device, scalars as numbers. */
export interface EngineState {
  readonly arrays: Map<string, Tensor>;
  readonly scalars: Map<string, number>;
}

export class TfjsProcedure {
  readonly #name: string;
  readonly #procedure: Procedure;
  readonly #parts: Partition;
  readonly #bounds: ReadonlyMap<string, number>;
  readonly #machine = new ScalarMachine();
  readonly #before: () => void;
  readonly #after: () => void;
  readonly #arrayState: readonly NodeOf<"state">[];
  readonly #scalarState: readonly NodeOf<"state">[];
  readonly #arrayUpdates: readonly (readonly [variable: string, node: Node])[];
  readonly #scalarUpdates: readonly (readonly [variable: string, node: Node])[];
  /** Constants on the device, made once. */
  readonly #constants: ReadonlyMap<Node, Tensor>;

  constructor(name: string, procedure: Procedure) {
    this.#name = name;
    this.#procedure = procedure;
    this.#parts = partition(procedure);
    this.#bounds = indexBounds(procedure);
    const states = nodesOf(procedure).filter((node): node is NodeOf<"state"> => node.op === "state");
    this.#arrayState = states.filter((node) => !isScalar(node));
    this.#scalarState = states.filter(isScalar);
    const updates = Object.entries(procedure.updates);
    this.#arrayUpdates = updates.filter(([, node]) => !isScalar(node));
    this.#scalarUpdates = updates.filter(([, node]) => isScalar(node));
    for (const node of [...nodesOf(procedure)].filter(isScalar)) this.#machine.register(node);
    this.#before = this.#machine.compile(this.#parts.before);
    this.#after = this.#machine.compile(this.#parts.after);
    this.#constants = new Map(
      nodesOf(procedure).flatMap((node) => (node.op === "constant" || node.op === "constantArray" ? [[node, evaluate(node, [])] as const] : [])),
    );
  }

  /** Runs on the state and advances it; a failed run changes nothing. */
  async run({ arrays, scalars }: EngineState, inputs: Readonly<Record<string, InputValue>>): Promise<Record<string, number>> {
    const machine = this.#machine;
    for (const node of this.#scalarState) machine.set(machine.register(node), scalars.get(node.attributes.name)!);
    for (const node of this.#procedure.inputs) {
      if (isScalar(node)) machine.set(machine.register(node), checkedInput(this.#name, node.attributes.name, 1, inputs)[0]!);
    }
    this.#before();
    const { toHost } = this.#parts;
    const next = this.#device(arrays, inputs);
    try {
      if (next.results) {
        const values = await next.results.data();
        toHost.forEach((node, i) => machine.set(machine.register(node), values[i]!));
      }
    } catch (error) {
      for (const tensor of next.updates) tensor.dispose();
      throw error;
    } finally {
      next.results?.dispose();
    }
    this.#after();
    this.#arrayUpdates.forEach(([variable], i) => {
      arrays.get(variable)!.dispose();
      arrays.set(variable, next.updates[i]!);
    });
    for (const [variable, node] of this.#scalarUpdates) scalars.set(variable, machine.get(machine.register(node)));
    return Object.fromEntries(Object.entries(this.#procedure.outputs).map(([output, node]) => [output, machine.get(machine.register(node))]));
  }

  dispose(): void {
    for (const tensor of this.#constants.values()) tensor.dispose();
  }

  /**
   * New values of the array updates, and the host's scalars as one vector; everything else is
   * disposed.
   */
  #device(arrays: EngineState["arrays"], inputs: Readonly<Record<string, InputValue>>): { updates: Tensor[]; results: Tensor | null } {
    const { device, toDevice, toHost } = this.#parts;
    const kept: { updates: Tensor[]; results: Tensor | null } = { updates: [], results: null };
    tf.tidy(() => {
      const values = new Map<Node, Tensor>(this.#constants);
      for (const node of this.#arrayState) values.set(node, arrays.get(node.attributes.name)!);
      for (const node of this.#procedure.inputs) if (!isScalar(node)) values.set(node, this.#input(node, inputs));
      for (const node of toDevice) values.set(node, tf.scalar(this.#machine.get(this.#machine.register(node))));
      const owned = new Set(values.values());
      for (const node of device) if (!values.has(node)) values.set(node, evaluate(node, node.inputs.map((input) => values.get(input)!)));
      const updates = this.#arrayUpdates.map(([, node]) => values.get(node)!);
      // Clone a tensor that is state already or updates two variables: each variable disposes its
      // own.
      kept.updates = updates.map((tensor, i) => tf.keep(owned.has(tensor) || updates.indexOf(tensor) < i ? tf.clone(tensor) : tensor));
      if (toHost.length > 0) kept.results = tf.keep(tf.stack(toHost.map((node) => tf.cast(values.get(node)!, "float32"))));
    });
    return kept;
  }

  #input({ attributes: { name }, shape, dtype }: NodeOf<"input">, inputs: Readonly<Record<string, InputValue>>): Tensor {
    const value = checkedInput(this.#name, name, sizeOf(shape), inputs);
    const rows = this.#bounds.get(name);
    if (rows !== undefined) checkIndices(this.#name, name, rows, value);
    const type = tensorType[dtype];
    return tf.tensor(type === "float32" ? Float32Array.from(value) : Int32Array.from(value), [...shape], type);
  }
}
