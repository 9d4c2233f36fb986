/** The reference engine: float64, one node after the other, no optimization. */
import { cpus, totalmem } from "node:os";
import { sizeOf, type Node } from "../../program/node.ts";
import { nodesOf, type Procedure, type Program, type StateVariable } from "../../program/program.ts";
import { checkedInput, type Engine, type InputValue, type StateValues } from "../engine.ts";
import { ProgramExecutable, type ExecutableParts } from "../executable.ts";
import { evaluate } from "./kernels.ts";

export const referenceEngine: Engine = {
  describe: () => ({ device: `${cpus()[0]?.model.trim() ?? "CPU"} (float64 reference, 1 thread)`, driver: null, memory: totalmem(), precision: "float64", libraries: {} }),
  compile: (program) => Promise.resolve(new ReferenceExecutable(program)),
};

type Inputs = Readonly<Record<string, InputValue>>;

interface ReferenceProcedure {
  readonly name: string;
  readonly procedure: Procedure;
  readonly order: readonly Node[];
}

class ReferenceParts implements ExecutableParts<ReferenceProcedure> {
  #state = new Map<string, Float64Array>();

  declare(variables: readonly StateVariable[]): void {
    for (const { name, shape } of variables) this.#state.set(name, new Float64Array(sizeOf(shape)));
  }

  compile(name: string, procedure: Procedure): ReferenceProcedure {
    return { name, procedure, order: nodesOf(procedure) };
  }

  run({ name, procedure, order }: ReferenceProcedure, inputs: Inputs): Record<string, number> {
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

  read(variables: readonly StateVariable[]): Float64Array[] {
    return variables.map(({ name }) => this.#state.get(name)!.slice());
  }

  write(name: string, value: Float64Array): void {
    this.#state.set(name, value.slice());
  }

  dispose(): void {
    // Plain arrays: nothing to free.
  }
}

export class ReferenceExecutable extends ProgramExecutable<ReferenceProcedure> {
  readonly #parts: ReferenceParts;

  constructor(program: Program) {
    const parts = new ReferenceParts();
    super(program, parts);
    this.#parts = parts;
  }

  /** Synchronous run(), for tests and the replay. */
  runNow(name: string, inputs: Inputs = {}): Record<string, number> {
    return this.#parts.run(this.compiled(name) as ReferenceProcedure, inputs);
  }

  /** Synchronous state(), for tests and the replay. */
  stateNow(names?: readonly string[]): StateValues {
    const variables = this.variables(names);
    const values = this.#parts.read(variables);
    return Object.fromEntries(variables.map(({ name }, i) => [name, values[i]!]));
  }
}
