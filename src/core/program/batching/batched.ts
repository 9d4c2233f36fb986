/**
 * Batches many runs of one program: state variables and inputs that differ get a leading axis
 * of runs, and products become batched products. Runs never mix. Engines execute the result
 * like any other program.
 */
import { sameShape, type Node, type NodeOf } from "../node.ts";
import { broadcast, concat, greater, constant, input, reshape, select, state } from "../operations/index.ts";
import { nodesOf, type Procedure, type Program, type StateVariable } from "../program.ts";
import { batchingRules, forEach, type Batched } from "./rules.ts";

export interface BatchingOptions {
  /** Whether all runs share an input; by default each run has its own. */
  readonly shared?: (input: string) => boolean;
  /** Adds an input `members` with a number for each run: 1 takes part, 0 keeps its state. */
  readonly masked?: boolean;
}

/** Input of a masked procedure. */
export const membersInput = "members";

/**
 * State variable that receives a procedure's outputs: `[outputs, runs]`, in the single program's
 * order.
 */
export const resultsOf = (procedure: string) => `${procedure}.results`;

/** The state of `runs` runs of a program. */
export function batchedState(state: readonly StateVariable[], runs: number): StateVariable[] {
  return state.map(({ name, shape }) => ({ name, shape: [runs, ...shape] }));
}

/**
 * @returns a program with the same procedures; their outputs are in state `resultsOf(name)`
 * @throws Error when `runs` is not a positive whole number
 */
export function batched(program: Program, runs: number, options: BatchingOptions = {}): Program {
  if (!Number.isInteger(runs) || runs < 1) throw new Error(`a cohort has ${runs} runs; allowed: whole numbers from 1`);
  const results: StateVariable[] = [];
  const procedures: Record<string, Procedure> = {};
  for (const [name, procedure] of Object.entries(program.procedures)) {
    const outputs = Object.keys(procedure.outputs).length;
    procedures[name] = batchedProcedure(name, procedure, runs, options);
    if (outputs > 0) results.push({ name: resultsOf(name), shape: [outputs, runs] });
  }
  return { state: [...batchedState(program.state, runs), ...results], procedures };
}

function batchedProcedure(name: string, procedure: Procedure, runs: number, { shared = () => false, masked = false }: BatchingOptions): Procedure {
  const values = new Map<Node, Batched>();
  const order = nodesOf(procedure);
  for (const node of order) values.set(node, batchedNode(node, (one) => values.get(one)!, runs, shared));

  const inputs = order.flatMap((node) => (node.op === "input" ? [values.get(node)!.node as NodeOf<"input">] : []));
  const members = masked ? input(membersInput, [runs]) : null;
  const kept = (variable: string, next: Node): Node => {
    if (!members) return next;
    const takesPart = greater(reshape(members, [runs, ...next.shape.slice(1).map(() => 1)]), constant(0));
    return select(broadcast(takesPart, next.shape), next, state(variable, next.shape));
  };
  const updates = Object.fromEntries(
    Object.entries(procedure.updates).map(([variable, node]) => [variable, kept(variable, forEach(values.get(node)!, runs))]),
  );
  const outputs = Object.values(procedure.outputs).map((node) => reshape(forEach(values.get(node)!, runs), [1, runs]));
  return {
    inputs: members ? [...inputs, members as NodeOf<"input">] : inputs,
    outputs: {},
    updates: outputs.length > 0 ? { ...updates, [resultsOf(name)]: concat(outputs, 0) } : updates,
    transient: procedure.transient,
  };
}

function batchedNode(node: Node, valueOf: (node: Node) => Batched, runs: number, shared: (input: string) => boolean): Batched {
  if (node.op === "input") {
    const { name } = node.attributes;
    return shared(name) ? { node, each: false } : { node: input(name, [runs, ...node.shape], node.dtype), each: true };
  }
  if (node.op === "state") return { node: state(node.attributes.name, [runs, ...node.shape]), each: true };
  const inputs = node.inputs.map(valueOf);
  if (!inputs.some(({ each }) => each)) return { node, each: false };
  const rule = batchingRules[node.op] as (node: Node, inputs: readonly Batched[], runs: number) => Node;
  const result = rule(node, inputs, runs);
  if (!sameShape(result.shape, [runs, ...node.shape])) {
    throw new Error(`the batching rule of ${node.op} made [${result.shape.join(", ")}] from ${runs} times [${node.shape.join(", ")}]`);
  }
  return { node: result, each: true };
}
