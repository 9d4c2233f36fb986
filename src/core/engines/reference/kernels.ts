/**
 * Each operation in float64 and plain loops: the reference against which other engines are tested.
 */
import { sizeOf, type Node, type OpName, type Shape } from "../../program/node.ts";
import { scalarFunctions } from "../../program/scalars.ts";
import type { Kernel } from "./kernel.ts";
import { convolutionKernels } from "./convolutionKernels.ts";


/** Strides for reading an array of shape `from` broadcast to `to`; 0 repeats. */
function broadcastStrides(from: Shape, to: Shape): number[] {
  const strides = new Array<number>(to.length).fill(0);
  let stride = 1;
  for (let axis = from.length - 1; axis >= 0; axis--) {
    if (from[axis] !== 1) strides[axis + to.length - from.length] = stride;
    stride *= from[axis]!;
  }
  return strides;
}

/** Calls `visit(position)` with the source position of every entry of `shape`, in order. */
function walk(shape: Shape, strides: readonly number[], visit: (position: number, place: number) => void): void {
  const index = new Array<number>(shape.length).fill(0);
  const size = sizeOf(shape);
  let position = 0;
  for (let place = 0; place < size; place++) {
    visit(position, place);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      position += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      position -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
}

function gatherStrided(shape: Shape, strides: readonly number[], x: Float64Array, offset = 0): Float64Array {
  const out = new Float64Array(sizeOf(shape));
  walk(shape, strides, (position, place) => (out[place] = x[offset + position]!));
  return out;
}

function expand(x: Float64Array, from: Shape, to: Shape): Float64Array {
  return x.length === sizeOf(to) ? x : gatherStrided(to, broadcastStrides(from, to), x);
}

type BinaryOp = "add" | "sub" | "mul" | "div" | "pow" | "mod" | "maximum" | "minimum" | "greater" | "equal" | "and" | "or";

function binary<N extends BinaryOp>(f: (a: number, b: number) => number): Kernel<N> {
  return (node, [a, b]) => {
    const x = expand(a!, node.inputs[0]!.shape, node.shape);
    const y = expand(b!, node.inputs[1]!.shape, node.shape);
    return x.map((value, i) => f(value, y[i]!));
  };
}

function unary<N extends OpName>(f: (a: number) => number): Kernel<N> {
  return (_, [x]) => x!.map(f);
}

function reduce<N extends "reduceSum" | "reduceMax">(start: number, f: (a: number, b: number) => number): Kernel<N> {
  return (node, [x]) => {
    const source = node.inputs[0]!.shape;
    const kept = source.map((n, axis) => (node.attributes.axes.includes(axis) ? 1 : n));
    const out = new Float64Array(sizeOf(kept)).fill(start);
    walk(source, broadcastStrides(kept, source), (position, place) => (out[position] = f(out[position]!, x![place]!)));
    return out;
  };
}

const strided = (shape: Shape): number[] => {
  const strides = new Array<number>(shape.length);
  for (let axis = shape.length - 1, stride = 1; axis >= 0; stride *= shape[axis--]!) strides[axis] = stride;
  return strides;
};

const variance: Kernel<"variance"> = (node, [x]) => {
  const source = node.inputs[0]!.shape;
  const strides = broadcastStrides(node.shape, source);
  const count = x!.length / sizeOf(node.shape);
  const mean = new Float64Array(sizeOf(node.shape));
  walk(source, strides, (position, place) => (mean[position]! += x![place]! / count));
  const out = new Float64Array(mean.length);
  walk(source, strides, (position, place) => (out[position]! += (x![place]! - mean[position]!) ** 2 / count));
  return out;
};

const gather: Kernel<"gather"> = (node, [table, indices]) => {
  const { shape } = node.inputs[0]!;
  const { axis = 0 } = node.attributes;
  const [rows, width] = [shape[axis]!, sizeOf(shape.slice(axis + 1))];
  const out = new Float64Array(sizeOf(node.shape));
  indices!.forEach((row, i) => {
    if (row < 0 || row >= rows) throw new Error(`gather: index ${row} is outside a table of ${rows} rows`);
    for (let outer = 0; outer * rows * width < table!.length; outer++) {
      const from = (outer * rows + row) * width;
      out.set(table!.subarray(from, from + width), (outer * indices!.length + i) * width);
    }
  });
  return out;
};

const cumulativeSum: Kernel<"cumulativeSum"> = (node, [x]) => {
  const { axis, exclusive, reverse } = node.attributes;
  const [size, width] = [node.shape[axis]!, sizeOf(node.shape.slice(axis + 1))];
  return new Float64Array(x!.length).map((_, place) => {
    const own = Math.floor(place / width) % size;
    let sum = 0;
    for (let i = 0; i < size; i++) {
      if ((reverse ? i > own : i < own) || (i === own && !exclusive)) sum += x![place + (i - own) * width]!;
    }
    return sum;
  });
};

const scatterAdd: Kernel<"scatterAdd"> = (node, [values, indices]) => {
  const [rows, width] = node.shape as [number, number];
  const out = new Float64Array(rows * width);
  indices!.forEach((row, i) => {
    if (row < 0 || row >= rows) throw new Error(`scatterAdd: index ${row} is outside a table of ${rows} rows`);
    for (let j = 0; j < width; j++) out[row * width + j]! += values![i * width + j]!;
  });
  return out;
};

const matmul: Kernel<"matmul"> = (node, [a, b]) => {
  const { transposeA, transposeB, scale } = node.attributes;
  const [m, n] = node.shape.slice(-2) as [number, number];
  const [shapeA, shapeB] = [node.inputs[0]!.shape, node.inputs[1]!.shape];
  const k = shapeA.at(transposeA ? -2 : -1)!;
  const [aRow, aInner] = transposeA ? [1, m] : [k, 1];
  const [bInner, bColumn] = transposeB ? [1, k] : [n, 1];
  const out = new Float64Array(sizeOf(node.shape));
  const leading = node.shape.slice(0, -2);
  const matrices = (shape: Shape) => {
    const positions = new Int32Array(sizeOf(leading));
    walk(leading, broadcastStrides(shape.slice(0, -2), leading), (position, place) => (positions[place] = position));
    return positions;
  };
  const [matricesA, matricesB] = [matrices(shapeA), matrices(shapeB)];
  for (let product = 0; product * m * n < out.length; product++) {
    const [x, y, to] = [matricesA[product]! * m * k, matricesB[product]! * k * n, product * m * n];
    for (let i = 0; i < m; i++) {
      for (let p = 0; p < k; p++) {
        const factor = scale * a![x + i * aRow + p * aInner]!;
        for (let j = 0; j < n; j++) out[to + i * n + j]! += factor * b![y + p * bInner + j * bColumn]!;
      }
    }
  }
  return out;
};

/** Calls `visit` with the positions of every line along an axis. */
function lines(shape: Shape, axis: number, visit: (positions: readonly number[]) => void): void {
  const inner = sizeOf(shape.slice(axis + 1));
  const n = shape[axis]!;
  for (let line = 0; line < sizeOf(shape) / n; line++) {
    const first = Math.floor(line / inner) * n * inner + (line % inner);
    visit(Array.from({ length: n }, (_, i) => first + i * inner));
  }
}

function softmaxKernel<N extends "softmax" | "logSoftmax">(finish: (shifted: number, sum: number) => number): Kernel<N> {
  return (node, [x]) => {
    const out = new Float64Array(x!.length);
    lines(node.shape, node.attributes.axis, (positions) => {
      const max = positions.reduce((largest, i) => (x![i]! > largest || x![i] !== x![i] ? x![i]! : largest), -Infinity);
      const sum = positions.reduce((total, i) => total + Math.exp(x![i]! - max), 0);
      for (const i of positions) out[i] = finish(x![i]! - max, sum);
    });
    return out;
  };
}

const argMax: Kernel<"argMax"> = (node, [x]) => {
  const columns = node.inputs[0]!.shape.at(-1)!;
  return new Float64Array(sizeOf(node.shape)).map((_, i) => {
    let best = 0;
    for (let j = 1; j < columns; j++) if (x![i * columns + j]! > x![i * columns + best]!) best = j;
    return best;
  });
};

const oneHot: Kernel<"oneHot"> = (node, [indices]) => {
  const { classes } = node.attributes;
  const out = new Float64Array(sizeOf(node.shape));
  indices!.forEach((index, i) => {
    if (index >= 0 && index < classes) out[i * classes + index] = 1;
  });
  return out;
};

const concat: Kernel<"concat"> = (node, parts) => {
  const { axis } = node.attributes;
  const inner = sizeOf(node.shape.slice(axis + 1));
  const outer = sizeOf(node.shape.slice(0, axis));
  const out = new Float64Array(sizeOf(node.shape));
  let at = 0;
  for (let o = 0; o < outer; o++) {
    parts.forEach((part, i) => {
      const run = node.inputs[i]!.shape[axis]! * inner;
      out.set(part.subarray(o * run, (o + 1) * run), at);
      at += run;
    });
  }
  return out;
};

/** Sources have no kernel: their values are inputs. */
export const kernels: { readonly [N in Exclude<OpName, "input" | "state">]: Kernel<N> } = {
  constant: (node) => Float64Array.of(node.attributes.value),
  constantArray: (node) => node.attributes.values.entries,
  add: binary(scalarFunctions.add),
  sub: binary(scalarFunctions.sub),
  mul: binary(scalarFunctions.mul),
  div: binary(scalarFunctions.div),
  pow: binary(scalarFunctions.pow),
  mod: binary(scalarFunctions.mod),
  maximum: binary(scalarFunctions.maximum),
  minimum: binary(scalarFunctions.minimum),
  neg: unary(scalarFunctions.neg),
  exp: unary(scalarFunctions.exp),
  log: unary(scalarFunctions.log),
  sqrt: unary(scalarFunctions.sqrt),
  tanh: unary(scalarFunctions.tanh),
  sigmoid: unary(scalarFunctions.sigmoid),
  relu: unary(scalarFunctions.relu),
  erf: unary(scalarFunctions.erf),
  sin: unary(scalarFunctions.sin),
  cos: unary(scalarFunctions.cos),
  abs: unary(scalarFunctions.abs),
  floor: unary(scalarFunctions.floor),
  greater: binary(scalarFunctions.greater),
  equal: binary(scalarFunctions.equal),
  and: binary(scalarFunctions.and),
  or: binary(scalarFunctions.or),
  not: unary(scalarFunctions.not),
  select: (node, inputs) => {
    const [condition, a, b] = inputs.map((x, i) => expand(x, node.inputs[i]!.shape, node.shape)) as [Float64Array, Float64Array, Float64Array];
    return condition.map((holds, i) => (holds ? a[i]! : b[i]!));
  },
  cast: (node, [x]) => (node.attributes.to === "float" ? x! : x!.map(Math.trunc)),
  stopGradient: (_, [x]) => x!,
  matmul,
  dot: (_, [a, b]) => Float64Array.of(a!.reduce((sum, value, i) => sum + value * b![i]!, 0)),
  softmax: softmaxKernel((shifted, sum) => Math.exp(shifted) / sum),
  logSoftmax: softmaxKernel((shifted, sum) => shifted - Math.log(sum)),
  reduceSum: reduce(0, (a, b) => a + b),
  reduceMax: reduce(-Infinity, (a, b) => (b > a || b !== b ? b : a)),
  variance,
  argMax,
  oneHot,
  broadcast: (node, [x]) => expand(x!, node.inputs[0]!.shape, node.shape),
  reshape: (_, [x]) => x!,
  transpose: (node, [x]) => {
    const strides = strided(node.inputs[0]!.shape);
    return gatherStrided(node.shape, node.attributes.permutation.map((axis) => strides[axis]!), x!);
  },
  slice: (node, [x]) => {
    const { axis, start, step = 1 } = node.attributes;
    const strides = strided(node.inputs[0]!.shape);
    return gatherStrided(node.shape, strides.map((stride, a) => (a === axis ? step * stride : stride)), x!, start * strides[axis]!);
  },
  concat,
  cumulativeSum,
  gather,
  scatterAdd,
  ...convolutionKernels,
};

/** Value of a node other than a source, given its inputs' values. */
export function evaluate(node: Node, inputs: readonly Float64Array[]): Float64Array {
  if (node.op === "input" || node.op === "state") throw new Error(`${node.op} ${node.attributes.name} has no kernel: its value is an input`);
  return (kernels[node.op] as Kernel<OpName>)(node, inputs);
}
