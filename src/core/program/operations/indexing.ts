/** Entries of an array by index: embeddings, and reordering by constant indices. */
import { makeNode, sameShape, shapeError, sizeOf, type Node, type Shape } from "../node.ts";
import { reshape, transpose } from "./movement.ts";
import { along, nth, type Operation } from "./operation.ts";

function checkIndices(op: string, inputs: readonly Node[], indices: Node): void {
  if (indices.dtype !== "int32") throw shapeError(op, inputs, "needs int32 indices");
}

/**
 * Entries of `table` along an axis at int32 `indices` `[...]`, whose axes take that axis's place:
 * of a table `[rows, width]`, `[..., width]`. An index outside the table fails at run time.
 */
export function gather(table: Node, indices: Node, axis = 0): Node {
  const inputs = [table, indices];
  if (table.dtype !== "float" && table.dtype !== "int32") throw shapeError("gather", inputs, "the table must be float or int32");
  if (table.shape[axis] === undefined) throw shapeError("gather", inputs, `the table has no axis ${axis}`);
  checkIndices("gather", inputs, indices);
  const [before, after] = [table.shape.slice(0, axis), table.shape.slice(axis + 1)];
  if (indices.shape.length === 0) return reshape(gather(table, reshape(indices, [1]), axis), [...before, ...after]);
  const shape = [...before, ...indices.shape, ...after];
  return makeNode("gather", inputs, axis === 0 ? {} : { axis }, shape, table.dtype);
}

/**
 * The adjoint of gather: entry i along the axis sums the entries of `values` whose index is i. The
 * axes of `indices` stand in `values` where the result has the axis.
 */
export function scatterAdd(values: Node, indices: Node, rows: number, axis = 0): Node {
  const inputs = [values, indices];
  const rank = indices.shape.length;
  if (values.dtype !== "float" || !sameShape(values.shape.slice(axis, axis + rank), indices.shape)) {
    throw shapeError("scatterAdd", inputs, "needs one row of floats for each index");
  }
  checkIndices("scatterAdd", inputs, indices);
  const [outer, inner] = [values.shape.slice(0, axis), values.shape.slice(axis + rank)];
  const axes = values.shape.map((_, a) => a);
  const first = axis === 0 ? values : transpose(values, [...axes.slice(axis, axis + rank), ...axes.slice(0, axis), ...axes.slice(axis + rank)]);
  const rest: Shape = [...outer, ...inner];
  const flat = rest.length === 1 ? first : reshape(first, [...indices.shape, sizeOf(rest)]);
  const sums = makeNode("scatterAdd", [flat, indices], { rows }, [rows, sizeOf(rest)]);
  const whole = reshape(sums, [rows, ...rest]);
  if (axis === 0) return whole;
  const moved = whole.shape.map((_, a) => a);
  return transpose(whole, [...moved.slice(1, axis + 1), 0, ...moved.slice(axis + 1)]);
}

export const indexing = {
  gather: {
    rebuild: (inputs, { axis }) => gather(nth(inputs, 0), nth(inputs, 1), axis),
    gradient: ({ inputs, attributes: { axis = 0 } }, g) =>
      g.dtype === "float" ? [scatterAdd(g, nth(inputs, 1), nth(inputs, 0).shape[axis]!, axis), null] : [null, null],
    tangent: ({ inputs, attributes: { axis } }, [t]) => along(t, (of) => gather(of, nth(inputs, 1), axis)),
  } satisfies Operation<"gather">,
  scatterAdd: {
    rebuild: (inputs, { rows }) => scatterAdd(nth(inputs, 0), nth(inputs, 1), rows),
    gradient: ({ inputs }, g) => [gather(g, nth(inputs, 1)), null],
    tangent: ({ inputs, attributes: { rows } }, [t]) => along(t, (of) => scatterAdd(of, nth(inputs, 1), rows)),
  } satisfies Operation<"scatterAdd">,
};
