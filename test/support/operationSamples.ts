/**
 * Uses of every operation on small inputs, for the gradient checks and the parity of
 * engines. The type lists every operation by name, so an operation without a sample
 * does not compile.
 */
import type { Node, OpName, Shape } from "../../src/core/program/node.ts";
import * as ops from "../../src/core/program/operations/index.ts";
import { pseudoRandom } from "./finiteDifferences.ts";

export interface Sample {
  readonly what: string;
  readonly inputs: readonly { readonly node: Node; readonly values: Float64Array }[];
  readonly result: Node;
}

type Values = (size: number, seed: number) => Float64Array;
const anywhere: Values = pseudoRandom;
const positive: Values = (size, seed) => pseudoRandom(size, seed).map((x) => 0.5 + Math.abs(x));
/** Values far from 0 and from one another: relu and maxima have kinks there. */
const apart: Values = (size, seed) => new Float64Array(size).map((_, i) => (((i * 7 + seed * 3) % 11) - 5.3) / 4);

function sample(what: string, shapes: readonly Shape[], values: Values, build: (...x: Node[]) => Node): Sample {
  const inputs = shapes.map((shape, i) => ({
    node: ops.input(`x${i}`, shape),
    values: values(shape.reduce((product, n) => product * n, 1), i + 1),
  }));
  return { what, inputs, result: build(...inputs.map(({ node }) => node)) };
}

const pair: Shape[] = [[2, 3], [2, 3]];
const one: Shape[] = [[2, 3]];

function broadcasting(build: (a: Node, b: Node) => Node, values: Values): Sample[] {
  const shapes: [string, Shape[]][] = [
    ["equal shapes", pair],
    ["scalar right", [[2, 3], []]],
    ["scalar left", [[], [2, 3]]],
    ["row", [[2, 3], [3]]],
    ["column", [[2, 1], [2, 3]]],
    ["scalars", [[], []]],
  ];
  return shapes.map(([what, shape]) => sample(what, shape, values, (a, b) => build(a!, b!)));
}

function unary(build: (x: Node) => Node, values: Values): Sample[] {
  return [sample("array", one, values, (x) => build(x!)), sample("scalar", [[]], values, (x) => build(x!))];
}

/** Product with a value that has its own adjoint, as in a recurrent cell. */
const gate = (build: (x: Node) => Node) => sample("gate", pair, anywhere, (x, y) => ops.exp(ops.mul(build(x!), y!)));

/** Distinct values far from one another: maxima over windows have kinks at ties. */
const distinct: Values = (size) => new Float64Array(size).map((_, i) => ((i * 37) % 101) / 50 - 1);

const indices = ops.cast(ops.state("classes", [4]), "int32");

type Options = NonNullable<Parameters<typeof ops.conv2d>[2]>;

/** Kernels that fit exactly and kernels with rows left over, with and without stride and padding. */
const convolutions: readonly { what: string; image: Shape; weight: Shape; places: Shape; options: Options }[] = [
  { what: "plain", image: [2, 2, 4, 5], weight: [3, 2, 2, 3], places: [3, 3], options: {} },
  { what: "padded", image: [2, 2, 4, 3], weight: [3, 2, 3, 3], places: [4, 3], options: { padding: 1 } },
  { what: "stride 2, rows left over", image: [2, 3, 6, 5], weight: [2, 3, 3, 3], places: [3, 3], options: { stride: 2, padding: 1 } },
  { what: "stride 3, padding 2, one channel", image: [1, 1, 5, 6], weight: [2, 1, 2, 2], places: [3, 3], options: { stride: 3, padding: 2 } },
  { what: "sides of their own", image: [2, 2, 4, 3], weight: [3, 2, 3, 2], places: [4, 4], options: { padding: [0, 1, 2, 1] } },
  { what: "strides by direction", image: [1, 2, 6, 7], weight: [2, 2, 3, 2], places: [4, 3], options: { stride: [1, 3], padding: [0, 1, 0, 0] } },
  { what: "dilated", image: [2, 2, 6, 6], weight: [2, 2, 3, 2], places: [4, 6], options: { dilation: [2, 3], padding: [1, 1, 1, 2] } },
  { what: "dilated, stride 2, rows left over", image: [1, 2, 8, 7], weight: [2, 2, 3, 2], places: [2, 3], options: { dilation: 2, stride: 2 } },
  { what: "two groups", image: [2, 4, 4, 4], weight: [6, 2, 3, 3], places: [4, 4], options: { groups: 2, padding: 1 } },
  { what: "depthwise, stride 2", image: [2, 3, 5, 6], weight: [3, 1, 3, 3], places: [3, 3], options: { groups: 3, stride: 2, padding: 1 } },
  { what: "depthwise, two filters for each channel", image: [2, 2, 4, 4], weight: [4, 1, 3, 2], places: [2, 3], options: { groups: 2 } },
  { what: "groups, dilated, sides and strides of their own", image: [2, 4, 7, 6], weight: [2, 2, 2, 3], places: [3, 6], options: { groups: 2, dilation: [3, 2], stride: [2, 1], padding: [1, 2, 0, 2] } },
  { what: "1 x 1, stride 2", image: [2, 2, 4, 4], weight: [3, 2, 1, 1], places: [2, 2], options: { stride: 2 } },
];

const pools: readonly { what: string; places: Shape; options: Parameters<typeof ops.maxPool2d>[1] & object }[] = [
  { what: "overlapping windows", places: [5, 4], options: { size: 2, stride: 1 } },
  { what: "3 / 2 / 1, as for ImageNet", places: [3, 3], options: { size: 3, stride: 2, padding: 1 } },
  { what: "windows apart, by direction", places: [2, 2], options: { size: [1, 2], stride: [4, 3] } },
  { what: "one side padded, dilated", places: [3, 4], options: { size: [3, 2], stride: [2, 1], padding: [1, 0, 2, 1], dilation: 2 } },
  { what: "windows that are not square", places: [3, 1], options: { size: [2, 3] } },
];
const pair4: Shape[] = [[2, 2, 6, 5], [2, 2, 6, 5]];

const classes: Values = (size) => new Float64Array(size).map((_, i) => (i * 2) % 3);

export const samples: { readonly [N in OpName]: readonly Sample[] } = {
  input: [sample("passed through", one, anywhere, (x) => x!)],
  state: [sample("added to", one, anywhere, (x) => ops.add(x!, ops.state("s", [2, 3])))],
  constant: [sample("times 3", one, anywhere, (x) => ops.mul(x!, ops.constant(3)))],
  constantArray: [
    sample("factors", one, anywhere, (x) => ops.mul(x!, ops.constantArray(pseudoRandom(6, 3), [2, 3]))),
    sample("many entries", [[3, 7]], anywhere, (x) => ops.matmul(x!, ops.constantArray(pseudoRandom(35, 3), [7, 5]))),
    sample("indices", [[3, 2]], anywhere, (table) => ops.gather(table!, ops.constantArray(Int32Array.of(2, 0, 2), [3]))),
    sample("a mask", one, anywhere, (x) => ops.select(ops.constantArray(Float64Array.of(1, 0, 0, 1, 1, 0), [2, 3], "bool"), x!, ops.constant(2))),
    sample("of equal entries", one, anywhere, (x) => ops.mul(x!, ops.constantArray(new Float64Array(6).fill(3), [2, 3]))),
  ],
  add: broadcasting(ops.add, anywhere),
  sub: broadcasting(ops.sub, anywhere),
  mul: broadcasting(ops.mul, anywhere),
  div: broadcasting(ops.div, positive),
  pow: [
    sample("in both", pair, positive, (x, y) => ops.pow(x!, y!)),
    sample("exponents of one base", [[], [2, 3]], positive, (x, y) => ops.pow(x!, y!)),
    sample("exponent of scalars", [[], []], positive, (x, y) => ops.pow(x!, y!)),
    sample("of zero", one, positive, (y) => ops.pow(ops.constantArray(Float64Array.of(0, 2, 1, 0, 3, 0.5), [2, 3]), y!)),
    sample("scalar", [[]], positive, (x) => ops.pow(x!, ops.constant(3))),
    sample("array", one, positive, (x) => ops.pow(x!, ops.constant(2.5))),
  ],
  // Piecewise constant by definition: only the other factor is varied.
  mod: [sample("of a state", one, anywhere, (x) => ops.mul(x!, ops.mod(ops.state("s", [2, 3]), ops.constant(0.7))))],
  maximum: broadcasting(ops.maximum, anywhere),
  minimum: broadcasting(ops.minimum, anywhere),
  neg: unary(ops.neg, anywhere),
  exp: unary(ops.exp, anywhere),
  log: unary(ops.log, positive),
  sqrt: unary(ops.sqrt, positive),
  tanh: [...unary(ops.tanh, anywhere), gate(ops.tanh)],
  sigmoid: [...unary(ops.sigmoid, anywhere), gate(ops.sigmoid)],
  relu: unary(ops.relu, apart),
  erf: [...unary(ops.erf, anywhere), sample("of large values", one, anywhere, (x) => ops.erf(ops.mul(ops.constant(5), x!)))],
  sin: unary(ops.sin, anywhere),
  cos: unary(ops.cos, anywhere),
  abs: unary(ops.abs, apart),
  // Piecewise constant by definition: only the other factor is varied.
  floor: [sample("of a state", one, anywhere, (x) => ops.mul(x!, ops.floor(ops.mul(ops.constant(3), ops.state("s", [2, 3])))))],
  greater: [sample("chooses", pair, apart, (a, b) => ops.select(ops.greater(a!, b!), a!, ops.mul(b!, b!)))],
  equal: [sample("chooses", pair, apart, (a, b) => ops.select(ops.equal(a!, a!), a!, b!))],
  and: [sample("chooses", pair, apart, (a, b) => ops.select(ops.and(ops.greater(a!, ops.constant(0)), ops.greater(b!, ops.constant(0))), a!, b!))],
  or: [sample("chooses", pair, apart, (a, b) => ops.select(ops.or(ops.greater(a!, ops.constant(0)), ops.greater(b!, ops.constant(0))), a!, b!))],
  not: [sample("chooses", pair, apart, (a, b) => ops.select(ops.not(ops.greater(a!, b!)), a!, ops.mul(b!, b!)))],
  select: [
    sample("a row or a column", [[2, 1], [3]], apart, (a, b) => ops.select(ops.greater(a!, b!), ops.mul(a!, a!), b!)),
    sample("by a row", [[3], [2, 3], [2, 1]], apart, (row, a, b) => ops.select(ops.greater(row!, ops.constant(0)), a!, b!)),
    sample("by a scalar", [[], [2, 3], [2, 3]], apart, (x, a, b) => ops.select(ops.greater(x!, ops.constant(0)), a!, b!)),
    sample("a masked entry", [[2, 2, 3]], anywhere, (x) => ops.exp(ops.select(ops.constantArray(Float64Array.of(1, 0, 1, 0, 1, 1), [2, 3], "bool"), x!, ops.constant(-Infinity)))),
    sample("of two", pair, apart, (a, b) => ops.select(ops.greater(a!, ops.constant(0)), ops.mul(a!, b!), b!)),
  ],
  cast: [sample("of a condition", one, apart, (x) => ops.mul(x!, ops.cast(ops.greater(x!, ops.constant(0)), "float")))],
  stopGradient: [
    // Its derivative is 0 by definition: only the other factor is varied.
    sample("held", one, anywhere, (x) => ops.mul(x!, ops.stopGradient(ops.state("s", [2, 3])))),
  ],
  matmul: [
    sample("plain", [[2, 3], [3, 4]], anywhere, (a, b) => ops.matmul(a!, b!)),
    sample("a transposed", [[3, 2], [3, 4]], anywhere, (a, b) => ops.matmul(a!, b!, { transposeA: true })),
    sample("b transposed", [[2, 3], [4, 3]], anywhere, (a, b) => ops.matmul(a!, b!, { transposeB: true })),
    sample("both transposed, scaled", [[3, 2], [4, 3]], anywhere, (a, b) =>
      ops.matmul(a!, b!, { transposeA: true, transposeB: true, scale: 0.3 }),
    ),
    sample("many at once", [[2, 2, 3], [2, 3, 4]], anywhere, (a, b) => ops.matmul(a!, b!)),
    sample("many at once, both transposed, scaled", [[2, 3, 2], [2, 4, 3]], anywhere, (a, b) =>
      ops.matmul(a!, b!, { transposeA: true, transposeB: true, scale: 0.3 }),
    ),
    sample("one by many", [[2, 3], [2, 3, 4]], anywhere, (a, b) => ops.matmul(a!, b!)),
    sample("many by one, transposed", [[2, 3, 2], [4, 3]], anywhere, (a, b) => ops.matmul(a!, b!, { transposeA: true, transposeB: true })),
    sample("many with a bias row", [[2, 2, 3], [2, 3, 4], [4]], anywhere, (a, b, c) => ops.add(ops.matmul(a!, b!), c!)),
    sample("with a bias column", [[2, 3], [3, 4], [2, 1]], anywhere, (a, b, c) => ops.add(ops.matmul(a!, b!), c!)),
    sample("four axes", [[2, 2, 3, 2], [2, 2, 2, 4]], anywhere, (a, b) => ops.matmul(a!, b!)),
    sample("four axes, b transposed, scaled", [[2, 3, 2, 2], [2, 3, 4, 2]], anywhere, (a, b) => ops.matmul(a!, b!, { transposeB: true, scale: 0.5 })),
    sample("four axes, both transposed", [[2, 2, 3, 2], [2, 2, 4, 3]], anywhere, (a, b) => ops.matmul(a!, b!, { transposeA: true, transposeB: true })),
    sample("rows of many by one", [[2, 2, 2, 3], [4, 3]], anywhere, (a, b) => ops.matmul(a!, b!, { transposeB: true, scale: 2 })),
    sample("leading axes that broadcast", [[3, 1, 2, 3], [2, 3, 2]], anywhere, (a, b) => ops.matmul(a!, b!)),
    sample("one by many, four axes", [[2, 3], [2, 2, 3, 2]], anywhere, (a, b) => ops.matmul(a!, b!)),
    sample("with a bias row", [[2, 3], [3, 4], [4]], anywhere, (a, b, c) => ops.add(ops.matmul(a!, b!), c!)),
  ],
  dot: [sample("two arrays", pair, anywhere, (a, b) => ops.dot(a!, b!)), sample("a square", one, anywhere, (x) => ops.dot(x!, x!))],
  softmax: [
    sample("rows", [[3, 4]], anywhere, (x) => ops.softmax(x!)),
    sample("columns", [[3, 4]], anywhere, (x) => ops.softmax(x!, 0)),
    sample("one axis", [[5]], anywhere, (x) => ops.softmax(x!)),
    sample("of four axes", [[2, 2, 3, 2]], anywhere, (x) => ops.softmax(x!, -2)),
    sample("masked", [[2, 2, 3]], anywhere, (x) => ops.softmax(ops.select(ops.constantArray(Float64Array.of(1, 0, 1, 0, 0, 1), [2, 3], "bool"), x!, ops.constant(-Infinity)))),
    sample("with infinities added", [[2, 2, 3]], anywhere, (x) => ops.softmax(ops.add(x!, ops.constantArray(Float64Array.of(0, -Infinity, 0, 0, -Infinity, 0), [2, 3])))),
  ],
  logSoftmax: [
    sample("rows", [[3, 4]], anywhere, (x) => ops.logSoftmax(x!)),
    sample("columns", [[3, 4]], anywhere, (x) => ops.logSoftmax(x!, 0)),
    sample("one axis", [[5]], anywhere, (x) => ops.logSoftmax(x!)),
    sample("of three axes", [[2, 3, 2]], anywhere, (x) => ops.logSoftmax(x!, 1)),
  ],
  reduceSum: [
    sample("all", one, anywhere, (x) => ops.reduceSum(ops.mul(x!, x!))),
    sample("columns", one, anywhere, (x) => ops.reduceSum(ops.mul(x!, x!), [0])),
    sample("rows, kept", one, anywhere, (x) => ops.reduceSum(ops.mul(x!, x!), [1], true)),
    sample("two of three", [[2, 3, 2]], anywhere, (x) => ops.reduceSum(x!, [0, 2])),
  ],
  reduceMax: [
    sample("all", one, apart, (x) => ops.reduceMax(x!)),
    sample("columns", one, apart, (x) => ops.reduceMax(x!, [0])),
    sample("rows, kept", one, apart, (x) => ops.reduceMax(x!, [1], true)),
  ],
  variance: [
    sample("all", one, anywhere, (x) => ops.variance(ops.mul(x!, x!), [0, 1])),
    sample("rows", one, anywhere, (x) => ops.variance(x!, [1])),
    sample("channels", [[2, 3, 2, 2]], anywhere, (x) => ops.variance(x!, [0, 2, 3])),
  ],
  argMax: [sample("picks", [[2, 3]], apart, (x) => ops.mul(x!, ops.oneHot(ops.argMax(x!), 3)))],
  oneHot: [
    sample("weighs", [[4, 3]], anywhere, (x) => ops.mul(x!, ops.oneHot(ops.cast(ops.state("classes", [4]), "int32"), 3))),
  ],
  broadcast: [
    sample("scalar", [[]], anywhere, (x) => ops.broadcast(x!, [2, 3])),
    sample("row", [[3]], anywhere, (x) => ops.broadcast(x!, [2, 3])),
    sample("column", [[2, 1]], anywhere, (x) => ops.broadcast(x!, [2, 3])),
    sample("some of six axes", [[2, 1, 1, 2, 1]], anywhere, (x) => ops.broadcast(x!, [2, 2, 3, 2, 2, 2])),
  ],
  reshape: [sample("flat", one, anywhere, (x) => ops.reshape(ops.mul(x!, x!), [6]))],
  transpose: [
    sample("matrix", one, anywhere, (x) => ops.transpose(ops.mul(x!, x!))),
    sample("three axes", [[2, 3, 4]], anywhere, (x) => ops.transpose(x!, [2, 0, 1])),
  ],
  slice: [
    sample("rows", [[4, 3]], anywhere, (x) => ops.slice(ops.mul(x!, x!), 0, 1, 3)),
    sample("columns", [[2, 5]], anywhere, (x) => ops.slice(x!, 1, 2, 5)),
    sample("every second row", [[5, 3]], anywhere, (x) => ops.slice(ops.mul(x!, x!), 0, 0, 5, 2)),
    sample("every third column of some", [[2, 9]], anywhere, (x) => ops.slice(x!, 1, 1, 7, 3)),
    sample("reversed", [[2, 3, 2]], anywhere, (x) => ops.slice(ops.mul(x!, x!), 1, 2, -1, -1)),
    sample("backwards in steps", [[7]], anywhere, (x) => ops.slice(x!, 0, 5, 0, -2)),
    sample("in steps along six axes", [[2, 1, 2, 5, 2, 2]], anywhere, (x) => ops.slice(x!, 3, 0, 5, 2)),
    sample("one of a part of a concat", [[2, 4], [2, 3]], anywhere, (a, b) => ops.slice(ops.concat([a!, b!], 1), 1, 0, 3, 2)),
    sample("parts in another order", [[2, 6]], anywhere, (x) => ops.concat(ops.split(ops.mul(x!, x!), 1, [1, 3, 2]).reverse(), 1)),
    sample("all parts, joined by their adjoints", [[6]], anywhere, (x) =>
      ops.mul(ops.slice(x!, 0, 0, 3), ops.slice(x!, 0, 3, 6)),
    ),
  ],
  concat: [
    sample("rows", [[2, 3], [1, 3]], anywhere, (a, b) => ops.concat([a!, b!], 0)),
    sample("columns", [[2, 3], [2, 1]], anywhere, (a, b) => ops.concat([a!, b!], 1)),
    sample("padded with a value", [[2, 3]], anywhere, (x) => ops.pad(ops.mul(x!, x!), [1, 0], [0, 2], 0.5)),
    sample("padded and cut", [[2, 4, 3]], anywhere, (x) => ops.pad(x!, [0, -1, 2], [1, -2, -1])),
  ],
  cumulativeSum: [
    sample("rows", [[3, 4]], anywhere, (x) => ops.cumulativeSum(ops.mul(x!, x!), 1)),
    sample("the middle axis, from the end", [[2, 3, 2]], anywhere, (x) => ops.cumulativeSum(x!, 1, { reverse: true })),
    sample("of the entries before", [[4, 2]], anywhere, (x) => ops.cumulativeSum(x!, 0, { exclusive: true })),
    sample("of the entries after", [[4]], anywhere, (x) => ops.cumulativeSum(x!, 0, { exclusive: true, reverse: true })),
  ],
  gather: [
    sample("rows", [[3, 2]], anywhere, (table) => ops.gather(ops.mul(table!, table!), indices)),
    sample("rows by two axes", [[3, 2]], anywhere, (table) => ops.gather(table!, ops.reshape(indices, [2, 2]))),
    sample("columns", [[2, 3]], anywhere, (table) => ops.gather(ops.mul(table!, table!), indices, 1)),
    sample("a middle axis by two axes", [[2, 3, 2]], anywhere, (table) => ops.gather(table!, ops.reshape(indices, [2, 2]), 1)),
    sample("entries of a vector", [[3]], anywhere, (table) => ops.gather(table!, indices)),
    sample("one row", [[3, 2, 2]], anywhere, (table) => ops.gather(table!, ops.reshape(ops.slice(indices, 0, 1, 2), []))),
  ],
  scatterAdd: [
    sample("rows", [[4, 2]], anywhere, (x) => ops.scatterAdd(ops.mul(x!, x!), indices, 3)),
    sample("rows by two axes", [[2, 2, 3]], anywhere, (x) => ops.scatterAdd(x!, ops.reshape(indices, [2, 2]), 5)),
    sample("columns", [[3, 4]], anywhere, (x) => ops.scatterAdd(ops.mul(x!, x!), indices, 3, 1)),
    sample("a middle axis by two axes", [[2, 2, 2, 3]], anywhere, (x) => ops.scatterAdd(x!, ops.reshape(indices, [2, 2]), 4, 1)),
    sample("entries of a vector", [[4]], anywhere, (x) => ops.scatterAdd(x!, indices, 3)),
  ],
  conv2d: convolutions.map(({ what, image, weight, options }) =>
    sample(what, [image, weight], anywhere, (x, w) => ops.conv2d(x!, w!, options)),
  ).concat([
    sample("with a bias, in groups", [[2, 4, 4, 4], [4, 2, 3, 3], [4, 1, 1]], anywhere, (x, w, b) => ops.relu(ops.add(ops.conv2d(x!, w!, { groups: 2 }), b!))),
    sample("of sequences", [[2, 2, 7], [3, 2, 3]], anywhere, (x, w) => ops.conv1d(x!, w!, { stride: 2, padding: [1, 0], dilation: 2 })),
    sample("of sequences, depthwise", [[2, 3, 5], [3, 1, 3]], anywhere, (x, w) => ops.conv1d(x!, w!, { groups: 3, padding: 1 })),
  ]),
  conv2dInputGradient: convolutions.map(({ what, image, weight, places, options }) =>
    sample(what, [[image[0]!, weight[0]!, ...places], weight], anywhere, (g, w) => ops.conv2dInputGradient(g!, w!, [image[2]!, image[3]!], options)),
  ).concat([
    sample("transposed, with output padding", [[2, 4, 3, 2], [4, 3, 3, 2]], anywhere, (x, w) => ops.convTranspose2d(x!, w!, { stride: [2, 3], padding: 1, outputPadding: [1, 2] })),
    sample("transposed, in groups", [[2, 4, 3, 3], [4, 2, 2, 2]], anywhere, (x, w) => ops.convTranspose2d(x!, w!, { stride: 2, groups: 2 })),
    sample("transposed, of sequences", [[2, 2, 3], [2, 3, 4]], anywhere, (x, w) => ops.convTranspose1d(x!, w!, { stride: 2, padding: 1, outputPadding: 1 })),
  ]),
  conv2dWeightGradient: convolutions.map(({ what, image, weight, places, options }) =>
    sample(what, [image, [image[0]!, weight[0]!, ...places]], anywhere, (x, g) =>
      ops.conv2dWeightGradient(x!, g!, [weight[2]!, weight[3]!], options),
    ),
  ),
  maxPool2d: [
    sample("windows of 2", [[2, 1, 4, 4]], distinct, (x) => ops.maxPool2d(x!, 2)),
    sample("a row and a column left over", [[1, 2, 5, 7]], distinct, (x) => ops.maxPool2d(x!, 3)),
    ...pools.map(({ what, options }) => sample(what, [[2, 2, 6, 5]], distinct, (x) => ops.maxPool2d(x!, options))),
    sample("of everything", [[2, 2, 3, 4]], distinct, (x) => ops.globalMaxPool(x!)),
    ...pools.map(({ what, options }) => sample(`mean, ${what}`, [[2, 2, 6, 5]], anywhere, (x) => ops.avgPool2d(ops.mul(x!, x!), options))),
    ...pools.map(({ what, options }) => sample(`mean of pixels, ${what}`, [[2, 2, 6, 5]], anywhere, (x) => ops.avgPool2d(x!, { ...options, countPadding: false }))),
  ],
  maxPool2dGradient: [
    sample("windows of 2", [[2, 1, 4, 4], [2, 1, 2, 2]], distinct, (x, g) => ops.maxPool2dGradient(x!, g!, 2)),
    sample("a row and a column left over", [[1, 2, 5, 7], [1, 2, 1, 2]], distinct, (x, g) => ops.maxPool2dGradient(x!, g!, 3)),
    ...pools.map(({ what, options, places }) =>
      sample(what, [[2, 2, 6, 5], [2, 2, ...places]], distinct, (x, g) => ops.maxPool2dGradient(x!, g!, options)),
    ),
  ],
  atMaxima2d: pools.map(({ what, options }) => sample(what, pair4, distinct, (x, y) => ops.atMaxima2d(x!, ops.mul(y!, y!), options))),
};

/** Values of the states that the samples read. */
export const sampleState = { s: pseudoRandom(6, 5), classes: classes(4, 0) };
