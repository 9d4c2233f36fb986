/**
 * The host's work before or after the device's graph: scalars in float64, arrays and dot products
 * in kernels. Everything that can be computed from memory at the same time and shares an array is
 * one pass.
 */
import { maxOf } from "../../../shared/extent.ts";
import { isScalar, type Node } from "../../program/node.ts";
import type { Arena, Block } from "./kernels/arena.ts";
import { compileKernel, kernelDots, kernelScalars } from "./kernels/kernel.ts";
import type { ScalarMachine } from "../host/scalarMachine.ts";

/** Resolves an array's block: state swaps its blocks with every call. */
export type BlockSource = () => Block;

export interface Store {
  readonly node: Node;
  readonly to: BlockSource;
}

export interface HostWorkOptions {
  /**
   * Host nodes, inputs before users: scalars, and the arrays and dot products needed for them and
   * the stores.
   */
  readonly nodes: readonly Node[];
  readonly stores: readonly Store[];
  /** Arrays in memory when the work starts. */
  readonly inMemory: ReadonlyMap<Node, BlockSource>;
  readonly machine: ScalarMachine;
  readonly arena: Arena;
}

/** Compiles the work to one function. */
export function compileHostWork({ nodes, stores, inMemory, machine, arena }: HostWorkOptions): () => void {
  const stages = stagesOf(nodes);
  const last = Math.max(0, maxOf(stages.values()));
  const places = new Map(inMemory);
  const steps: (() => void)[] = [];
  for (let stage = 0; stage <= last; stage++) {
    const now = nodes.filter((node) => stages.get(node) === stage);
    const scalars = now.filter((node) => isScalar(node) && node.op !== "dot");
    if (scalars.length > 0) steps.push(machine.compile(scalars));
    const stored = stores.filter(({ node }) => (stages.get(node) ?? 0) === stage);
    for (const pass of passes([...new Set([...now.filter(({ op }) => op === "dot"), ...stored.map(({ node }) => node)])], places)) {
      steps.push(compilePass(pass, stored, places, machine, arena));
    }
    for (const { node, to } of stored) if (!places.has(node)) places.set(node, to);
  }
  return () => {
    for (const step of steps) step();
  };
}

/**
 * Number of passes that must finish before each node: a dot product is known only after its own.
 */
function stagesOf(nodes: readonly Node[]): Map<Node, number> {
  const stages = new Map<Node, number>();
  for (const node of nodes) {
    const after = node.inputs.map((input) => (stages.get(input) ?? 0) + (input.op === "dot" && stages.has(input) ? 1 : 0));
    stages.set(node, Math.max(0, ...after));
  }
  return stages;
}

interface Pass {
  readonly targets: Set<Node>;
  /** Everything the targets are computed from, down to arrays in memory. */
  readonly nodes: Set<Node>;
}

/** Targets that share an array are computed in one pass. */
function passes(targets: readonly Node[], inMemory: ReadonlyMap<Node, BlockSource>): Pass[] {
  const found: Pass[] = [];
  for (const target of targets) {
    const pass: Pass = { targets: new Set([target]), nodes: new Set() };
    const waiting = [target];
    for (let node = waiting.pop(); node; node = waiting.pop()) {
      if (pass.nodes.has(node)) continue;
      pass.nodes.add(node);
      if (!inMemory.has(node)) waiting.push(...node.inputs.filter((input) => !isScalar(input)));
    }
    for (const other of found.filter(({ nodes }) => [...nodes].some((node) => pass.nodes.has(node)))) {
      for (const node of other.targets) pass.targets.add(node);
      for (const node of other.nodes) pass.nodes.add(node);
      found.splice(found.indexOf(other), 1);
    }
    found.push(pass);
  }
  return found;
}

function compilePass(pass: Pass, stored: readonly Store[], places: ReadonlyMap<Node, BlockSource>, machine: ScalarMachine, arena: Arena): () => void {
  const ordered = [...pass.nodes].sort((a, b) => a.id - b.id);
  const loads = ordered.filter((node) => places.has(node));
  const stores = stored.filter(({ node }) => pass.targets.has(node));
  const spec = { nodes: ordered.filter((node) => !places.has(node)), loads, stores: stores.map(({ node }) => node) };
  const kernel = compileKernel(spec, arena);
  const arrays = [...loads.map((node) => places.get(node)!), ...stores.map(({ to }) => to)];
  const scalars = kernelScalars(spec).map((node) => machine.register(node));
  const dots = kernelDots(spec).map((node) => machine.register(node));
  const args = new Array<number>(arrays.length + scalars.length);
  return () => {
    arrays.forEach((place, i) => (args[i] = place().address));
    scalars.forEach((register, i) => (args[arrays.length + i] = machine.get(register)));
    kernel(...args).forEach((value, i) => machine.set(dots[i]!, value));
  };
}
