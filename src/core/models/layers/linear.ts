import type { Node } from "../../program/node.ts";
import { add, gather, matmul, reshape, slice, transpose } from "../../program/operations/index.ts";
import { batchOf, rows, steps, vectors } from "../activations.ts";
import type { Apply } from "./layer.ts";

/** y = W x + b with weight `[out, in]`, as PyTorch's nn.Linear; on a sequence, at every step. */
const linear: Apply<"linear"> = (x, config, scope, { output }) => {
  const weight = config.tied === undefined ? scope.parameter("weight") : scope.parameterOf(config.tied, "weight");
  const isSequence = x.shape.length === 2;
  const product = matmul(isSequence ? steps(x) : x.node, weight, { transposeB: true });
  const node = config.bias ? add(product, scope.parameter("bias")) : product;
  return { ...x, node, shape: output.shape, layout: isSequence ? "steps" : "rows" };
};

const flatten: Apply<"flatten"> = (x) => vectors(x);

/** An image as a sequence of its rows, top to bottom, with channels concatenated. */
const imageRows: Apply<"imageRows"> = (x, _, __, { output }) => {
  const [channels] = x.shape as [number];
  const image = rows(x);
  const byRow = channels === 1 ? image : transpose(image, [0, 2, 1, 3]);
  return batchOf(reshape(byRow, [x.batch, ...output.shape]));
};

/** Looks tokens up in a table `[vocabulary, width]`. */
const embedding: Apply<"embedding"> = (x, { width }, scope) => {
  const [count] = x.shape as [number];
  const vectorsOfSteps = gather(scope.parameter("weight"), x.node);
  return { node: reshape(vectorsOfSteps, [count * x.batch, width]), batch: x.batch, shape: [count, width], layout: "steps" };
};

/** Output at the last step of a sequence. */
const lastStep: Apply<"lastStep"> = (x) => {
  const [count, width] = x.shape as [number, number];
  const last = (node: Node, size: number) => slice(node, 0, (count - 1) * size, count * size);
  const node = x.layout === "columns" ? transpose(last(x.node, width)) : last(steps(x), x.batch);
  return { node, batch: x.batch, shape: [width], layout: "rows" };
};

export const linearLayers = { linear, flatten, imageRows, embedding, lastStep };
