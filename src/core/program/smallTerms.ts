/**
 * Sums in which some terms are broadcast, such as a channel's bias or the mean in batch
 * normalization. Adding the small terms first leaves one pass over the large array.
 */
import { isScalar, sameShape, sizeOf, type Node } from "./node.ts";
import { add, sub } from "./operations/index.ts";

type Sign = 1 | -1;

/** x = rest + sign * small; null where no term is small. */
interface Parts {
  readonly rest: Node;
  readonly small: Node;
  readonly sign: Sign;
}

const isSmall = (x: Node, whole: Node) => !isScalar(x) && sizeOf(x.shape) < sizeOf(whole.shape);

/** A bias stays with its product: engines fuse the two. */
const isProduct = (x: Node) => x.op === "matmul" || x.op === "conv2d";

function parts(x: Node): Parts | null {
  const [a, b] = x.inputs;
  if ((x.op !== "add" && x.op !== "sub") || !a || !b) return null;
  if (isSmall(b, x) && !isProduct(a)) return { rest: a, small: b, sign: x.op === "add" ? 1 : -1 };
  if (x.op === "add" && isSmall(a, x) && !isProduct(b)) return { rest: b, small: a, sign: 1 };
  return null;
}

const plus = (x: Node, sign: Sign, y: Node) => (sign === 1 ? add(x, y) : sub(x, y));

/** a + sign * b with the small terms summed and added last; null where it already has that form. */
export function smallTermsLast(node: Node, a: Node, b: Node): Node | null {
  const sign: Sign = node.op === "add" ? 1 : -1;
  if (isSmall(b, node)) {
    const left = parts(a);
    if (!left || !sameShape(left.small.shape, b.shape)) return null;
    if (left.sign === 1) return add(left.rest, plus(left.small, sign, b));
    return sign === 1 ? add(left.rest, sub(b, left.small)) : sub(left.rest, add(left.small, b));
  }
  if (isSmall(a, node)) return sign === 1 && parts(b) ? smallTermsLast(node, b, a) : null;
  const left = parts(a);
  if (left && sameShape(left.rest.shape, node.shape)) return plus(plus(left.rest, sign, b), left.sign, left.small);
  const right = parts(b);
  if (right && sameShape(right.rest.shape, node.shape)) return plus(plus(a, sign, right.rest), (sign * right.sign) as Sign, right.small);
  return null;
}
