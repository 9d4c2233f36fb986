/** Matrix products, softmax, Einsum. */
import { sizeOf, type Node, type Shape } from "../../program/node.ts";
import { add, constant, logSoftmax, matmul, mul, reduceSum, reshape, softmax, transpose } from "../../program/operations/index.ts";
import type { Context } from "../context.ts";
import { computed, floatOf, type ArrayValue } from "../values.ts";
import type { Operators } from "./operator.ts";

/** NumPy's matmul: vectors become matrices for the product. */
export function product(a: Node, b: Node): Node {
  const left = a.shape.length === 1 ? reshape(a, [1, a.shape[0]!]) : a;
  const right = b.shape.length === 1 ? reshape(b, [b.shape[0]!, 1]) : b;
  const flat = flattened(left, right) ?? matmul(left, right);
  const shape = flat.shape.filter((_, axis) => !(a.shape.length === 1 && axis === flat.shape.length - 2) && !(b.shape.length === 1 && axis === flat.shape.length - 1));
  return reshape(flat, shape);
}

/** A product with a matrix as one product of matrices: the leading axes are rows. */
function flattened(a: Node, b: Node): Node | null {
  if (b.shape.length !== 2 || a.shape.length < 3) return null;
  const inner = a.shape.at(-1)!;
  const rows = reshape(a, [sizeOf(a.shape) / inner, inner]);
  if (inner !== b.shape[0]) return null;
  return reshape(matmul(rows, b), [...a.shape.slice(0, -1), b.shape[1]!]);
}

function generalProduct(context: Context): readonly ArrayValue[] {
  const { attributes } = context;
  const [alpha, beta] = [attributes.float("alpha", 1), attributes.float("beta", 1)];
  const options = { transposeA: attributes.int("transA", 0) === 1, transposeB: attributes.int("transB", 0) === 1, scale: alpha };
  const y = matmul(floatOf(context.array(0)), floatOf(context.array(1)), options);
  const bias = context.optional(2);
  if (!bias || beta === 0) return [computed(y)];
  return [computed(add(y, beta === 1 ? floatOf(bias) : mul(constant(beta), floatOf(bias))))];
}

/** Before opset 13, the axes from `axis` on are one. */
function normalized(build: (x: Node, axis: number) => Node) {
  return (context: Context): readonly ArrayValue[] => {
    const x = floatOf(context.array(0));
    const rank = x.shape.length;
    if (context.pass.opset >= 13) return [computed(build(x, context.axis(context.attributes.int("axis", -1), rank)))];
    const axis = context.axis(context.attributes.int("axis", 1), rank + 1);
    if (axis === rank - 1) return [computed(build(x, axis))];
    const rows = reshape(x, [sizeOf(x.shape.slice(0, axis)), sizeOf(x.shape.slice(axis))]);
    return [computed(reshape(build(rows, 1), x.shape))];
  };
}

/** Axes of an operand summed or ordered by their letters. */
interface Lettered {
  readonly node: Node;
  readonly letters: readonly string[];
}

const sizesOf = ({ node, letters }: Lettered): Map<string, number> => new Map(letters.map((letter, axis) => [letter, node.shape[axis]!]));

function ordered({ node, letters }: Lettered, wanted: readonly string[]): Node {
  return transpose(node, wanted.map((letter) => letters.indexOf(letter)));
}

/** Sums over letters that are needed neither by others nor by the result. */
function summed({ node, letters }: Lettered, needed: ReadonlySet<string>): Lettered {
  const axes = letters.flatMap((letter, axis) => (needed.has(letter) ? [] : [axis]));
  return axes.length === 0 ? { node, letters } : { node: reduceSum(node, axes), letters: letters.filter((letter) => needed.has(letter)) };
}

/** The product of two operands with the letters that are still needed. */
function contracted(a: Lettered, b: Lettered, needed: ReadonlySet<string>): Lettered {
  const shared = a.letters.filter((letter) => b.letters.includes(letter));
  const batch = shared.filter((letter) => needed.has(letter));
  const inner = shared.filter((letter) => !needed.has(letter));
  const rows = a.letters.filter((letter) => !shared.includes(letter));
  const columns = b.letters.filter((letter) => !shared.includes(letter));
  const sizes = new Map([...sizesOf(a), ...sizesOf(b)]);
  const shapeOf = (letters: readonly string[]): Shape => letters.map((letter) => sizes.get(letter)!);
  const batchShape = shapeOf(batch);
  const left = reshape(ordered(a, [...batch, ...rows, ...inner]), [...batchShape, sizeOf(shapeOf(rows)), sizeOf(shapeOf(inner))]);
  const right = reshape(ordered(b, [...batch, ...inner, ...columns]), [...batchShape, sizeOf(shapeOf(inner)), sizeOf(shapeOf(columns))]);
  return { node: reshape(matmul(left, right), [...batchShape, ...shapeOf(rows), ...shapeOf(columns)]), letters: [...batch, ...rows, ...columns] };
}

function einsum(context: Context): readonly ArrayValue[] {
  const equation = context.attributes.text("equation", "").replaceAll(" ", "");
  const [left = "", right] = equation.split("->");
  const terms = left.split(",");
  const nodes = context.arrays().map(floatOf);
  if (terms.length !== nodes.length) throw context.error(`equation = "${equation}" has ${terms.length} terms for ${nodes.length} inputs`);
  const ellipsis = Math.max(0, ...terms.map((term, i) => (term.includes("...") ? nodes[i]!.shape.length - term.replace("...", "").length : 0)));
  const dots = Array.from({ length: ellipsis }, (_, i) => `.${i}`);
  const lettersOf = (term: string): string[] => {
    const [before, after] = term.split("...");
    return after === undefined ? [...term] : [...before!, ...dots, ...after];
  };
  const operands = terms.map((term, i): Lettered => {
    const letters = lettersOf(term);
    if (new Set(letters).size !== letters.length || letters.length !== nodes[i]!.shape.length) {
      throw context.error(`equation = "${equation}" repeats a letter within a term or does not fit its inputs; allowed: one letter for each axis`);
    }
    return { node: nodes[i]!, letters };
  });
  const count = new Map<string, number>();
  for (const letter of operands.flatMap(({ letters }) => letters)) count.set(letter, (count.get(letter) ?? 0) + 1);
  const result = right === undefined ? [...dots, ...[...count].filter(([letter, n]) => n === 1 && !letter.startsWith(".")).map(([letter]) => letter).sort()] : lettersOf(right);
  let sum = operands[0]!;
  operands.slice(1).forEach((next, i) => {
    const needed = new Set([...result, ...operands.slice(i + 2).flatMap(({ letters }) => letters)]);
    const own = (letters: readonly string[]) => new Set([...needed, ...letters]);
    sum = contracted(summed(sum, own(next.letters)), summed(next, own(sum.letters)), needed);
  });
  return [computed(ordered(summed(sum, new Set(result)), result))];
}

export const productOperators: Operators = {
  MatMul: (context) => [computed(product(floatOf(context.array(0)), floatOf(context.array(1))))],
  Gemm: generalProduct,
  Softmax: normalized(softmax),
  LogSoftmax: normalized(logSoftmax),
  Einsum: einsum,
};
