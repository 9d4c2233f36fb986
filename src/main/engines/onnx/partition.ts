/**
 * Splits a procedure between host and device. Scalar work before and after the
 * array work (bias corrections, the towers' upper levels) runs on the host, where
 * an operation costs nanoseconds: launched as a graph node it would cost as much
 * as thousands of array elements, and fifty levels would show.
 */
import { isScalar, type Node } from "../../program/node.ts";
import { nodesOf, type Procedure } from "../../program/program.ts";
import { isScalarOp } from "../../program/scalars.ts";

export interface Partition {
  /** Scalars computed from host state and inputs, in order. */
  readonly before: readonly Node[];
  /** Array work, and scalars between two pieces of it, in order. */
  readonly device: readonly Node[];
  /** Scalars computed from the device's results, in order. */
  readonly after: readonly Node[];
  /** Host scalars the device needs. */
  readonly toDevice: readonly Node[];
  /** Device scalars the host needs. */
  readonly toHost: readonly Node[];
  /** Array-valued sources. */
  readonly sources: readonly Node[];
}

/** A scalar the host can hold or compute. */
function isHostWork(node: Node): boolean {
  if (!isScalar(node)) return false;
  if (node.op === "constant" || node.op === "state") return true;
  if (node.op === "input") return node.dtype === "float";
  return isScalarOp(node.op) && (node.dtype === "float" || node.dtype === "bool") && node.inputs.every(({ dtype }) => dtype !== "int32" && dtype !== "uint8");
}

export function partition(procedure: Procedure): Partition {
  const order = nodesOf(procedure);
  const users = new Map<Node, Node[]>();
  for (const node of order) for (const input of node.inputs) users.set(input, [...(users.get(input) ?? []), node]);

  const fromDevice = new Set<Node>();
  for (const node of order) if (!isHostWork(node) || node.inputs.some((input) => fromDevice.has(input))) fromDevice.add(node);
  const onDevice = new Set<Node>();
  for (const node of [...order].reverse()) {
    const feedsDevice = users.get(node)?.some((user) => onDevice.has(user)) ?? false;
    // Only floats cross: a condition is computed where it is used.
    const stays = fromDevice.has(node) || node.dtype === "bool";
    if (!isHostWork(node) || (stays && feedsDevice)) onDevice.add(node);
  }

  const isSource = (node: Node) => node.op === "input" || node.op === "state";
  const hostRoots = new Set(
    [...Object.values(procedure.outputs), ...Object.values(procedure.updates)].filter(isScalar),
  );
  return {
    before: order.filter((node) => !fromDevice.has(node) && !isSource(node)),
    device: order.filter((node) => onDevice.has(node) && !isSource(node)),
    after: order.filter((node) => fromDevice.has(node) && !onDevice.has(node)),
    toDevice: order.filter(
      (node) => !onDevice.has(node) && node.op !== "constant" && users.get(node)?.some((user) => onDevice.has(user)),
    ),
    toHost: order.filter(
      (node) => onDevice.has(node) && isScalar(node) && (hostRoots.has(node) || users.get(node)?.some((user) => !onDevice.has(user))),
    ),
    sources: order.filter((node) => isSource(node) && onDevice.has(node)),
  };
}
