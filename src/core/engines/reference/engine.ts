/** The reference engine: float64, one node after the other, nothing clever. */
import { cpus, totalmem } from "node:os";
import { sizeOf, type Node } from "../../program/node.ts";
import { mergePrograms, nodesOf, type Program } from "../../program/program.ts";
import { checkedInput, checkState, namedState, type Engine, type Executable, type InputValue, type StateValues } from "../engine.ts";
import { evaluate } from "./kernels.ts";

export const referenceEngine: Engine = {
  describe: () => ({ device: `${cpus()[0]?.model.trim() ?? "CPU"} (float64 reference, 1 thread)`, driver: null, memory: totalmem(), precision: "float64", libraries: {} }),
  compile: (program) => Promise.resolve(new ReferenceExecutable(program)),
};

export class ReferenceExecutable implements Executable {
  #program: Program;
  #state: Map<string, Float64Array>;
  readonly #orders = new Map<string, readonly Node[]>();

  constructor(program: Program) {
    this.#program = program;
    this.#state = new Map(program.state.map(({ name, shape }) => [name, new Float64Array(sizeOf(shape))]));
  }

  run(name: string, inputs: Readonly<Record<string, InputValue>> = {}): Promise<Readonly<Record<string, number>>> {
    return Promise.resolve().then(() => this.runNow(name, inputs));
  }

  /** run() without the promise, for tests and the replay. */
  runNow(name: string, inputs: Readonly<Record<string, InputValue>> = {}): Record<string, number> {
    const procedure = this.#program.procedures[name];
    if (!procedure) throw new Error(`the program has no procedure ${name}`);
    let order = this.#orders.get(name);
    if (!order) this.#orders.set(name, (order = nodesOf(procedure)));

    const values = new Map<Node, Float64Array>();
    for (const node of order) {
      if (node.op === "input") {
        const value = checkedInput(name, node.attributes.name, sizeOf(node.shape), inputs);
        values.set(node, Float64Array.from(value));
      } else if (node.op === "state") values.set(node, this.#state.get(node.attributes.name)!);
      else values.set(node, evaluate(node, node.inputs.map((input) => values.get(input)!)));
    }
    const next = new Map(this.#state);
    for (const [variable, node] of Object.entries(procedure.updates)) next.set(variable, values.get(node)!);
    this.#state = next;
    return Object.fromEntries(Object.entries(procedure.outputs).map(([output, node]) => [output, values.get(node)![0]!]));
  }

  add(program: Program): void {
    this.#program = mergePrograms(this.#program, program);
    for (const { name, shape } of program.state) {
      if (!this.#state.has(name)) this.#state.set(name, new Float64Array(sizeOf(shape)));
    }
  }

  state(names?: readonly string[]): Promise<StateValues> {
    return Promise.resolve().then(() => this.stateNow(names));
  }

  /** state() without the promise, for tests and the replay. */
  stateNow(names: readonly string[] = this.#program.state.map(({ name }) => name)): StateValues {
    return Object.fromEntries(namedState(this.#program.state, names).map(({ name }) => [name, this.#state.get(name)!.slice()]));
  }

  restore(values: StateValues): void {
    checkState(this.#program.state, values);
    for (const [name, value] of Object.entries(values)) this.#state.set(name, value.slice());
  }

  dispose(): Promise<void> {
    return Promise.resolve();
  }
}
