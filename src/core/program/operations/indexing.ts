/** Rows of a table by index: embeddings. */
import { makeNode, none, sameShape, shapeError, type Node } from "../node.ts";
import { along, nth, type Operation } from "./operation.ts";

/**
 * Rows of `table` `[rows, width]` at int32 `indices` `[...]`: `[..., width]`. An index outside the
 * table fails at run time.
 */
export function gather(table: Node, indices: Node): Node {
  if (table.dtype !== "float" || table.shape.length !== 2) throw shapeError("gather", [table, indices], "the table must be float with two axes");
  if (indices.dtype !== "int32") throw shapeError("gather", [table, indices], "needs int32 indices");
  return makeNode("gather", [table, indices], none, [...indices.shape, table.shape[1]!]);
}

/**
 * A table `[rows, width]`: row i sums the entries of `values` `[..., width]` whose index `[...]` is
 * i.
 */
export function scatterAdd(values: Node, indices: Node, rows: number): Node {
  const inputs = [values, indices];
  const width = values.shape.at(-1);
  if (values.dtype !== "float" || width === undefined || !sameShape(values.shape.slice(0, -1), indices.shape)) {
    throw shapeError("scatterAdd", inputs, "needs one row of floats for each index");
  }
  if (indices.dtype !== "int32") throw shapeError("scatterAdd", inputs, "needs int32 indices");
  return makeNode("scatterAdd", inputs, { rows }, [rows, width]);
}

export const indexing = {
  gather: {
    rebuild: (inputs) => gather(nth(inputs, 0), nth(inputs, 1)),
    gradient: ({ inputs }, g) => [scatterAdd(g, nth(inputs, 1), nth(inputs, 0).shape[0]!), null],
    tangent: ({ inputs }, [t]) => along(t, (of) => gather(of, nth(inputs, 1))),
  } satisfies Operation<"gather">,
  scatterAdd: {
    rebuild: (inputs, { rows }) => scatterAdd(nth(inputs, 0), nth(inputs, 1), rows),
    gradient: ({ inputs }, g) => [gather(g, nth(inputs, 1)), null],
    tangent: ({ inputs, attributes: { rows } }, [t]) => along(t, (of) => scatterAdd(of, nth(inputs, 1), rows)),
  } satisfies Operation<"scatterAdd">,
};
