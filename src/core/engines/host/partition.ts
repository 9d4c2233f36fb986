/**
 * Splits a procedure between host and device. Before and after the device's graph, the host runs
 * scalars (bias corrections, upper levels), where a graph node costs as much as thousands of array
 * elements, and elementwise work on state (update rules, dot products of hypergradients), where a
 * kernel makes one pass instead of one per node.
 */
import { isScalar, type Node } from "../../program/node.ts";
import { nodesOf, type Procedure } from "../../program/program.ts";
import { isScalarOp } from "../../program/scalars.ts";

export interface Partition {
  /** Host work that needs only host state and inputs, in order. */
  readonly before: readonly Node[];
  /** Device work between the two, in order. */
  readonly device: readonly Node[];
  /** Host work that needs device results, in order, including recomputed work of `before`. */
  readonly after: readonly Node[];
  /** Host scalars that the device needs. */
  readonly toDevice: readonly Node[];
  /** Device scalars that the host needs. */
  readonly toHost: readonly Node[];
  /** Arrays that the device needs: inputs, state, and results of `before`. */
  readonly arraysToDevice: readonly Node[];
}

const isSource = (node: Node) => node.op === "input" || node.op === "state";

/** A scalar that the host can hold or compute. */
function isHostScalar(node: Node): boolean {
  if (node.op === "constant" || node.op === "state") return true;
  if (node.op === "input") return node.dtype === "float";
  return isScalarOp(node.op) && (node.dtype === "float" || node.dtype === "bool") && node.inputs.every(({ dtype }) => dtype !== "int32" && dtype !== "uint8");
}

/**
 * @param isHostArray whether the host can compute an array node whose array inputs are in its
 *   memory; without it, all arrays and array state belong to the device
 */
export function partition(procedure: Procedure, isHostArray?: (node: Node) => boolean): Partition {
  const order = nodesOf(procedure);
  const users = new Map<Node, Node[]>();
  for (const node of order) for (const input of node.inputs) users.set(input, [...(users.get(input) ?? []), node]);
  const updates = new Set(Object.values(procedure.updates));

  const host = new Set<Node>();
  for (const node of order) {
    // Device results are in memory only where they are updates.
    const within = (input: Node) => isScalar(input) || host.has(input) || updates.has(input);
    const can = isScalar(node) && node.op !== "dot" ? isHostScalar(node) : isHostArray !== undefined && (node.op === "state" || (isHostArray(node) && node.inputs.every(within)));
    if (can) host.add(node);
  }

  for (;;) {
    const fromDevice = new Set<Node>();
    for (const node of order) if (!host.has(node) || node.inputs.some((input) => fromDevice.has(input))) fromDevice.add(node);
    const onDevice = new Set<Node>();
    for (const node of [...order].reverse()) {
      const feedsDevice = users.get(node)?.some((user) => onDevice.has(user)) ?? false;
      // Only floats are transferred: a condition is computed where it is used.
      const stays = fromDevice.has(node) || node.dtype === "bool";
      if (!host.has(node) || (stays && feedsDevice)) onDevice.add(node);
    }
    const hostNodes = new Set<Node>();
    for (const node of [...order].reverse()) {
      const alone = !(fromDevice.has(node) && onDevice.has(node));
      // A condition of device results that both need is computed by both.
      const again = node.dtype === "bool" && (users.get(node)?.some((user) => hostNodes.has(user)) ?? false);
      if (host.has(node) && (alone || again)) hostNodes.add(node);
    }
    const onHost = (node: Node) => hostNodes.has(node);
    // Arrays computed from a device array stay on the device too.
    const following = order.filter(
      (node) => onHost(node) && node.inputs.some((input) => !isScalar(input) && !onHost(input) && !updates.has(input)),
    );
    if (following.length > 0) {
      for (const node of following) host.delete(node);
      continue;
    }

    const needs = (node: Node) => users.get(node)?.some((user) => onDevice.has(user)) ?? false;
    const hostRoots = new Set([...Object.values(procedure.outputs), ...updates].filter(isScalar));
    const crossing = order.filter((node) => !onDevice.has(node) && node.op !== "constant" && needs(node));
    const work = order.filter((node) => onHost(node) && !isSource(node));
    return {
      before: work.filter((node) => !fromDevice.has(node)),
      device: order.filter((node) => onDevice.has(node) && !isSource(node)),
      after: work.filter((node) => fromDevice.has(node)),
      toDevice: crossing.filter(isScalar),
      toHost: order.filter(
        (node) => isScalar(node) && !onHost(node) && onDevice.has(node) && (hostRoots.has(node) || users.get(node)?.some(onHost)),
      ),
      arraysToDevice: order.filter((node) => !isScalar(node) && (onDevice.has(node) ? node.op === "input" : crossing.includes(node))),
    };
  }
}
