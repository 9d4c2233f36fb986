/** Reverse-mode differentiation: the backward pass as nodes of the same program. */
import { isScalar, shapeError, topologicalOrder, type Node } from "./node.ts";
import { add, constant, filled, inputAdjoints } from "./operations/index.ts";

/**
 * d loss / d each node of `wrt`, in one backward pass.
 *
 * `wrt` may name inner nodes, not only leaves: the adjoint of a freshly updated
 * hyperparameter sums over everything it moved. Leaves outside `wrt` are constants.
 * A node that the loss does not depend on has gradient zero.
 * @param loss a scalar
 */
export function gradients(loss: Node, wrt: readonly Node[]): Node[] {
  if (!isScalar(loss)) throw shapeError("gradients", [loss], "the loss must be a scalar");
  return pullback([loss], [constant(1)], wrt);
}

/**
 * Sum over the roots of adjoint * d root / d each node of `wrt`. The adjoints are constants: what they are made of does not count.
 * @param seeds adjoint of each root, of its shape
 */
export function pullback(roots: readonly Node[], seeds: readonly Node[], wrt: readonly Node[]): Node[] {
  const targets = new Set(wrt);
  const order = topologicalOrder(roots);
  const active = new Set<Node>();
  for (const node of order) if (targets.has(node) || node.inputs.some((input) => active.has(input))) active.add(node);

  const adjoints = new Map<Node, Node>();
  roots.forEach((root, i) => {
    const known = adjoints.get(root);
    adjoints.set(root, known ? add(known, seeds[i]!) : seeds[i]!);
  });
  for (const node of order.reverse()) {
    const adjoint = adjoints.get(node);
    if (!adjoint || !node.inputs.some((input) => active.has(input))) continue;
    const toInputs = inputAdjoints(node, adjoint);
    node.inputs.forEach((input, i) => {
      const contribution = toInputs?.[i];
      if (!contribution || !active.has(input)) return;
      const sum = adjoints.get(input);
      adjoints.set(input, sum ? add(sum, contribution) : contribution);
    });
  }
  return wrt.map((node) => adjoints.get(node) ?? filled(0, node.shape));
}
