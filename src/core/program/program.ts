/** A program: state, and the procedures that read and update it. Knows no engine. */
import { sameShape, topologicalOrder, type Node, type NodeOf, type Shape } from "./node.ts";
import { simplify } from "./simplify.ts";

export interface StateVariable {
  readonly name: string;
  readonly shape: Shape;
}

export interface Procedure {
  /** Values that every call must pass. */
  readonly inputs: readonly NodeOf<"input">[];
  /** Scalar results by name. */
  readonly outputs: Readonly<Record<string, Node>>;
  /** New values of state variables; the others keep theirs. */
  readonly updates: Readonly<Record<string, Node>>;
  /** Called rarely: its memory is freed after each call. */
  readonly transient: boolean;
}

export interface Program {
  readonly state: readonly StateVariable[];
  readonly procedures: Readonly<Record<string, Procedure>>;
}

export interface ProcedureSpec {
  readonly outputs: Readonly<Record<string, Node>>;
  readonly updates?: Readonly<Record<string, Node>>;
  readonly transient?: boolean;
}

/**
 * Simplifies each procedure and collects the state they share.
 * @param extraState variables to keep although no procedure reads them
 * @throws Error when a state variable has two shapes, an update differs in shape from its
 *   variable, or an output is not a scalar
 */
export function makeProgram(specs: Readonly<Record<string, ProcedureSpec>>, extraState: readonly StateVariable[] = []): Program {
  const shapes = new Map<string, Shape>();
  const declare = (name: string, shape: Shape) => {
    const known = shapes.get(name);
    if (known && !sameShape(known, shape)) {
      throw new Error(`state ${name} has shape [${known.join(", ")}] and [${shape.join(", ")}]`);
    }
    shapes.set(name, shape);
  };
  for (const { name, shape } of extraState) declare(name, shape);

  const procedures: Record<string, Procedure> = {};
  for (const [name, { outputs, updates = {}, transient = false }] of Object.entries(specs)) {
    const procedure = simplifyProcedure({ outputs, updates, transient });
    for (const [output, node] of Object.entries(procedure.outputs)) {
      if (node.shape.length > 0) throw new Error(`output ${output} of ${name} is not a scalar`);
    }
    for (const node of nodesOf(procedure)) if (node.op === "state") declare(node.attributes.name, node.shape);
    for (const [variable, node] of Object.entries(procedure.updates)) declare(variable, node.shape);
    procedures[name] = procedure;
  }
  return { state: [...shapes].map(([name, shape]) => ({ name, shape })), procedures };
}

/**
 * One program with the procedures and state of both; variables of the same name are shared.
 * @throws Error when a shared variable has two shapes, or both have a procedure of the same name
 */
export function mergePrograms(a: Program, b: Program): Program {
  const shapes = new Map(a.state.map(({ name, shape }) => [name, shape]));
  for (const { name, shape } of b.state) {
    const known = shapes.get(name);
    if (known && !sameShape(known, shape)) {
      throw new Error(`state ${name} has shape [${known.join(", ")}] and [${shape.join(", ")}]`);
    }
    shapes.set(name, shape);
  }
  const twice = Object.keys(b.procedures).find((name) => name in a.procedures);
  if (twice !== undefined) throw new Error(`both programs have a procedure ${twice}`);
  return { state: [...shapes].map(([name, shape]) => ({ name, shape })), procedures: { ...a.procedures, ...b.procedures } };
}

function simplifyProcedure({ outputs, updates, transient }: Required<ProcedureSpec>): Procedure {
  const names = [...Object.keys(outputs), ...Object.keys(updates)];
  const roots = simplify([...Object.values(outputs), ...Object.values(updates)]);
  const entries = names.map((name, i) => [name, roots[i]!] as const);
  const outputCount = Object.keys(outputs).length;
  const inputs = topologicalOrder(roots).filter((node): node is NodeOf<"input"> => node.op === "input");
  return {
    inputs,
    outputs: Object.fromEntries(entries.slice(0, outputCount)),
    updates: Object.fromEntries(entries.slice(outputCount)),
    transient,
  };
}

/** Every node of a procedure, inputs before users. */
export function nodesOf({ outputs, updates }: Pick<Procedure, "outputs" | "updates">): Node[] {
  return topologicalOrder([...Object.values(outputs), ...Object.values(updates)]);
}
