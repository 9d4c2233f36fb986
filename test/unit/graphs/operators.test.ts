/** Every operator beside ONNX Runtime. */
import { describe, expect, it } from "vitest";
import { bothResults, ints, noise, type OperatorCase, type Values } from "../../support/runtimeModel.ts";

const x = noise([2, 3, 4]);
const image = noise([2, 4, 7, 6]);
const float = (value: number) => ({ float: value });
const floats = (values: readonly number[], shape: readonly number[] = [values.length]): Values => ({ shape, values });
const positive: Values = { shape: [2, 3], values: [0.125, 0.5, 1, 1.5, 2, 3] };
const tokens: Values = { shape: [2, 3], values: [0, 4, 2, 1, 3, 4], type: "int64" };
const none = null;

const unary = ["Neg", "Abs", "Exp", "Floor", "Ceil", "Sign", "Sin", "Cos", "Tan", "Sinh", "Cosh", "Asinh", "Atanh", "Erf", "Tanh", "Sigmoid", "Relu", "LeakyRelu", "ThresholdedRelu", "Elu", "Selu", "Celu", "Softplus", "Softsign", "HardSigmoid", "HardSwish", "Mish", "Reciprocal", "Identity", "GlobalAveragePool", "GlobalMaxPool", "Softmax", "LogSoftmax", "Flatten", "Transpose", "Shape", "Size"];

const cases: readonly (OperatorCase & { readonly name?: string })[] = [
  ...unary.map((operator): OperatorCase => ({ operator, x, ...(operator === "Shape" || operator === "Size" ? { outputType: "int64" } : {}) })),
  ...["Log", "Sqrt"].map((operator) => ({ operator, x: positive })),
  { operator: "Acosh", x: { ...positive, values: positive.values.map((value) => value + 1) } },
  { operator: "Gelu", x },
  { operator: "Gelu", x, attributes: { approximate: "tanh" } },
  { operator: "PRelu", x, others: [noise([4], 2)] },
  { operator: "Shrink", x, attributes: { bias: float(0.1), lambd: float(0.3) } },
  { operator: "Clip", x, others: [floats([-0.3], []), floats([0.4], [])] },
  ...["Add", "Sub", "Mul", "Div", "Max", "Min", "Sum", "Mean"].map((operator) => ({ operator, x, others: [noise([3, 1], 2)] })),
  { operator: "Pow", x: positive, others: [floats([0.5, 2, 3])] },
  { operator: "Pow", x, others: [floats([3], [])] },
  { operator: "Mod", x, others: [floats([0.3], [])], attributes: { fmod: 1 } },
  ...["Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual"].map((operator): OperatorCase => ({ operator, x: positive, others: [floats([0.125, 1, 1])], outputType: "bool" })),
  { operator: "Cast", x: { ...x, values: x.values.map((value) => value * 5) }, attributes: { to: 7 }, outputType: "int64" },
  { operator: "MatMul", x, others: [noise([4, 5], 2)] },
  { operator: "MatMul", x: noise([2, 1, 3, 4]), others: [noise([3, 4, 2], 2)] },
  { operator: "MatMul", x: noise([3, 4]), others: [noise([4], 2)] },
  { operator: "Gemm", x: noise([4, 3]), others: [noise([5, 4], 2), noise([5], 3)], attributes: { transA: 1, transB: 1, alpha: float(0.5), beta: float(2) } },
  { operator: "Softmax", x, attributes: { axis: 1 } },
  { operator: "LogSoftmax", x, attributes: { axis: 0 } },
  { operator: "Einsum", x, others: [noise([4, 5], 2)], attributes: { equation: "bij,jk->bki" } },
  { operator: "Einsum", x, others: [noise([2, 5, 4], 2)], attributes: { equation: "bid,bjd->bij" } },
  { operator: "Einsum", x, others: [noise([3], 2), noise([4], 3)], attributes: { equation: "...ij,i,j->..." } },
  { operator: "Conv", x: image, others: [noise([6, 2, 3, 2], 2), noise([6], 3)], attributes: { group: 2, strides: [2, 1], pads: [1, 0, 2, 1], dilations: [2, 1] } },
  { operator: "Conv", x: image, others: [noise([4, 1, 3, 3], 2)], attributes: { group: 4, auto_pad: "SAME_UPPER", strides: [2, 2] } },
  { operator: "Conv", x: image, others: [noise([3, 4, 2, 2], 2)], attributes: { auto_pad: "SAME_LOWER" } },
  { operator: "Conv", x, others: [noise([5, 3, 3], 2)], attributes: { pads: [1, 2], strides: [2] } },
  { operator: "ConvTranspose", x: image, others: [noise([4, 3, 3, 2], 2), noise([3], 3)], attributes: { strides: [2, 3], pads: [1, 0, 0, 1], output_padding: [1, 2] } },
  { operator: "ConvTranspose", x: image, others: [noise([4, 2, 2, 2], 2)], attributes: { group: 2, dilations: [2, 2] } },
  { operator: "ConvTranspose", x: image, others: [noise([4, 2, 3, 3], 2)], attributes: { strides: [2, 2], output_shape: [14, 12] } },
  { operator: "ConvTranspose", x, others: [noise([3, 2, 3], 2)], attributes: { strides: [2] } },
  { operator: "MaxPool", x: image, attributes: { kernel_shape: [3, 2], strides: [2, 1], pads: [1, 0, 1, 1] } },
  { operator: "MaxPool", x: image, attributes: { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1 } },
  { operator: "MaxPool", x: image, attributes: { kernel_shape: [2, 2], dilations: [2, 3] } },
  { operator: "MaxPool", x, attributes: { kernel_shape: [2] } },
  { operator: "MaxPool", x: noise([1, 2, 3, 5, 4]), attributes: { kernel_shape: [1, 2, 3], strides: [1, 2, 1], pads: [0, 0, 1, 0, 1, 1] } },
  { operator: "AveragePool", x: noise([1, 2, 5, 2, 4]), attributes: { kernel_shape: [2, 1, 1] } },
  { operator: "AveragePool", x: image, attributes: { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] } },
  { operator: "AveragePool", x: image, attributes: { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], count_include_pad: 1 } },
  { operator: "AveragePool", x: image, attributes: { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1 } },
  { operator: "AveragePool", x, attributes: { kernel_shape: [2], auto_pad: "SAME_UPPER" } },
  { operator: "LpPool", x: image, attributes: { kernel_shape: [2, 2], p: 2 } },
  { operator: "LRN", x: image, attributes: { size: 3, alpha: float(0.1), bias: float(2) } },
  { operator: "Resize", x: image, others: [none, floats([1, 1, 2, 2])], attributes: { mode: "nearest", coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" } },
  { operator: "Resize", x: image, others: [none, none, ints([2, 4, 10, 4])], attributes: { mode: "linear" } },
  { operator: "Resize", x: image, others: [none, none, ints([2, 4, 13, 9])], attributes: { mode: "linear", coordinate_transformation_mode: "align_corners" } },
  { operator: "Resize", x: image, others: [none, none, ints([2, 4, 14, 12])], attributes: { mode: "cubic", coordinate_transformation_mode: "pytorch_half_pixel" } },
  { operator: "BatchNormalization", x: image, others: [noise([4], 2), noise([4], 3), noise([4], 4), floats([1, 2, 3, 0.5])] },
  { operator: "LayerNormalization", x, others: [noise([4], 2), noise([4], 3)] },
  { operator: "LayerNormalization", x, others: [noise([3, 4], 2)], attributes: { axis: 1 } },
  { operator: "InstanceNormalization", x: image, others: [noise([4], 2), noise([4], 3)] },
  { operator: "LpNormalization", x, attributes: { axis: 1 } },
  { operator: "MeanVarianceNormalization", x: image },
  ...["ReduceMax", "ReduceMin", "ReduceMean", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSumExp", "ReduceSum"].map((operator) => ({ operator, x, others: [ints([-1, 0])] })),
  { operator: "ReduceMean", x, attributes: { keepdims: 0 }, others: [ints([1])] },
  { operator: "ReduceLogSum", x: positive, others: [ints([1])] },
  { operator: "ArgMax", x, attributes: { axis: 1, keepdims: 0 }, outputType: "int64" },
  { operator: "ArgMin", x, outputType: "int64" },
  { operator: "Gather", x, others: [ints([1, -1, 0, 1], [2, 2])], attributes: { axis: 1 } },
  { operator: "Gather", x, others: [ints([1], [])], attributes: { axis: 2 } },
  { operator: "OneHot", x: tokens, others: [ints([5], [1]), floats([0, 1])], name: "of tokens" },
  { operator: "GatherElements", x, others: [ints([0, 1, 2, 2, 1, 0, 0, 0], [2, 1, 4])], attributes: { axis: 1 } },
  { operator: "GatherND", x, others: [ints([0, 1, 1, 2], [2, 2])] },
  { operator: "ScatterND", x, others: [ints([1, 0], [2, 1]), noise([2, 3, 4], 2)] },
  { operator: "ScatterElements", x, others: [ints([2, 0, 1, 1, 0, 2, 1, 0], [2, 1, 4]), noise([2, 1, 4], 2)], attributes: { axis: 1 } },
  { operator: "Slice", x, others: [ints([0, -1]), ints([2 ** 40, -100]), ints([1, 2]), ints([2, -1])] },
  { operator: "Concat", x, others: [noise([2, 1, 4], 2)], attributes: { axis: 1 } },
  { operator: "Split", x, others: [ints([1, 3])], attributes: { axis: 2 }, outputs: 2, output: 1 },
  { operator: "Reshape", x, others: [ints([0, -1])] },
  { operator: "Squeeze", x: noise([2, 1, 3, 1]), others: [ints([1])] },
  { operator: "Unsqueeze", x, others: [ints([0, -1])] },
  { operator: "Expand", x: noise([3, 1]), others: [ints([2, 1, 4])] },
  { operator: "Tile", x, others: [ints([1, 2, 3])] },
  { operator: "Transpose", x, attributes: { perm: [1, 2, 0] } },
  { operator: "Pad", x, others: [ints([0, 1, 2, 1, 0, -1]), floats([0.5], [])] },
  { operator: "Pad", x, others: [ints([0, 1, 2, 0, 2, 3])], attributes: { mode: "reflect" } },
  { operator: "Pad", x, others: [ints([1, 0, 2, 0, 2, 1])], attributes: { mode: "edge" } },
  { operator: "Trilu", x, attributes: { upper: 0 } },
  { operator: "Trilu", x, others: [ints([1], [])] },
  { operator: "CumSum", x, others: [ints([1], [])], attributes: { exclusive: 1, reverse: 1 } },
  { operator: "DepthToSpace", x: noise([1, 8, 2, 3]), attributes: { blocksize: 2, mode: "CRD" } },
  { operator: "DepthToSpace", x: noise([1, 8, 2, 3]), attributes: { blocksize: 2 } },
  { operator: "SpaceToDepth", x: noise([1, 2, 4, 6]), attributes: { blocksize: 2 } },
  { operator: "LSTM", x: noise([4, 2, 3]), others: [noise([2, 20, 3], 2), noise([2, 20, 5], 3), noise([2, 40], 4), none, noise([2, 2, 5], 5), noise([2, 2, 5], 6), noise([2, 15], 7)], attributes: { hidden_size: 5, direction: "bidirectional" } },
  { operator: "LSTM", x: noise([4, 2, 3]), others: [noise([1, 20, 3], 2), noise([1, 20, 5], 3)], attributes: { hidden_size: 5, direction: "reverse" }, output: 2, outputs: 3 },
  { operator: "GRU", x: noise([4, 2, 3]), others: [noise([1, 15, 3], 2), noise([1, 15, 5], 3), noise([1, 30], 4)], attributes: { hidden_size: 5, linear_before_reset: 1 } },
  { operator: "GRU", x: noise([4, 2, 3]), others: [noise([1, 15, 3], 2), noise([1, 15, 5], 3), noise([1, 30], 4)], attributes: { hidden_size: 5 } },
  { operator: "RNN", x: noise([4, 2, 3]), others: [noise([1, 5, 3], 2), noise([1, 5, 5], 3), noise([1, 10], 4)], attributes: { hidden_size: 5 } },
];

describe("an operator", () => {
  it.each(cases.map((one) => [`${one.operator} ${JSON.stringify(one.attributes ?? {})} ${one.name ?? ""}`, one] as const))("is as ONNX Runtime's: %s", async (_, one) => {
    const { runtime, ours, shape, ourShape } = await bothResults(one);
    expect(ourShape).toEqual(shape);
    expect(ours).toHaveLength(runtime.length);
    const scale = Math.max(1, ...runtime.map(Math.abs));
    runtime.forEach((value, i) => expect(Math.abs(ours[i]! - value) / scale).toBeLessThan(2e-6));
  });
});
