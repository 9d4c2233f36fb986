/** Runs scalar nodes on the host in float64: one closure per node over a register file. */
import type { Node } from "../../program/node.ts";
import { isScalarOp, scalarFunctions } from "../../program/scalars.ts";

export class ScalarMachine {
  readonly #registers = new Map<Node, number>();
  #values = new Float64Array(64);

  /** Register of a node; a new register holds 0. */
  register(node: Node): number {
    let register = this.#registers.get(node);
    if (register === undefined) {
      register = this.#registers.size;
      this.#registers.set(node, register);
      if (register >= this.#values.length) {
        const larger = new Float64Array(2 * this.#values.length);
        larger.set(this.#values);
        this.#values = larger;
      }
      if (node.op === "constant") this.#values[register] = node.attributes.value;
    }
    return register;
  }

  get(register: number): number {
    return this.#values[register]!;
  }

  set(register: number, value: number): void {
    this.#values[register] = value;
  }

  /** Compiles nodes, inputs before users, to one function. Create all registers first. */
  compile(nodes: readonly Node[]): () => void {
    const steps = nodes.flatMap((node) => {
      const out = this.register(node);
      if (!isScalarOp(node.op)) return [];
      const apply: (a: number, b: number, c: number) => number = scalarFunctions[node.op];
      const a = this.register(node.inputs[0]!);
      const b = node.inputs[1] ? this.register(node.inputs[1]) : a;
      const c = node.inputs[2] ? this.register(node.inputs[2]) : a;
      return [(values: Float64Array) => (values[out] = apply(values[a]!, values[b]!, values[c]!))];
    });
    return () => {
      const values = this.#values;
      for (const step of steps) step(values);
    };
  }
}
