/** Labels and hints of models, layers and fields. The schemas say what a field accepts. */
import type { OwnLayer, OwnLayerKind } from "@shared/models/layers.ts";
import type { ModelConfigOf, ModelKind } from "@shared/models/schema.ts";

export interface FieldWords {
  readonly label: string;
  readonly hint?: string;
  /** For a list: name of an entry, and the button that adds one. */
  readonly item?: string;
  readonly add?: string;
}

/** Names of the fields that a form shows: no lists of layers, nothing optional, not the kind. */
type FormField<Config> = keyof { [Name in keyof Config as Name extends "kind" ? never : Config[Name] extends number | string | boolean | readonly number[] ? Name : never]: Name };
type WordsOf<Config> = Readonly<Record<FormField<Config>, FieldWords>>;

const initialization: FieldWords = { label: "Initialization", hint: "Of weights, as in PyTorch." };
const dropout = (of: string): FieldWords => ({ label: "Dropout", hint: `With this probability a step leaves out ${of}; 0 for none.` });
const hidden: FieldWords = { label: "Hidden layers", item: "Width of hidden layer", add: "Layer" };
const bias: FieldWords = { label: "Bias", hint: "A learned summand for each output; off where a normalization follows." };
const channels: FieldWords = { label: "Channels", hint: "Outputs at each place." };
const groups: FieldWords = { label: "Groups", hint: "Parts of the channels, convolved separately; as many as channels: depthwise." };
const dilation: FieldWords = { label: "Dilation", hint: "Distance between inputs of a kernel." };
const pooling = {
  size: { label: "Size", hint: "Side of the windows, or height × width." },
  stride: { label: "Stride", hint: "Distance between windows; “size” for side by side." },
  padding: { label: "Padding", hint: "Pixels around the image; or top, left, bottom, right." },
};
export const stepsWords: FieldWords = { label: "Steps", hint: "Gradients reach back this many symbols." };
export const nameWords: FieldWords = { label: "Name", hint: "Prefix of its parameters’ names. Empty: kind and number." };

export const modelTitles: Record<ModelKind, string> = {
  mlp: "Multilayer perceptron",
  linear: "Linear (softmax regression)",
  cnn: "Small CNN",
  resnet: "ResNet for small images",
  charRnn: "Character RNN",
  transformer: "Transformer (decoder-only)",
  sequential: "Own architecture",
  graph: "Imported network",
};

/** In form order. */
export const modelWords: { readonly [Kind in ModelKind]: WordsOf<ModelConfigOf<Kind>> } = {
  mlp: {
    hidden,
    activation: { label: "Hidden activation" },
    outputActivation: { label: "Output activation" },
    dropout: dropout("the output of a hidden unit"),
    initialization,
  },
  linear: { initialization },
  cnn: {
    channels: { label: "Convolutions, each followed by a max pool of 2 × 2", item: "Channels of convolution", add: "Convolution" },
    hidden: { ...hidden, label: "Fully connected layers before the last" },
    kernel: { label: "Kernel" },
    activation: { label: "Activation" },
    dropout: dropout("an input of a fully connected layer"),
    batchNorm: { label: "Batch normalization" },
    initialization,
  },
  resnet: {
    depth: { label: "Layers", hint: "20, 32, 44 and 56 are those of He et al. 2016." },
    width: { label: "Width", hint: "Channels of the first stage." },
    initialization,
  },
  charRnn: {
    cell: { label: "Cell" },
    layers: { label: "Layers" },
    hidden: { label: "Hidden units" },
    embedding: { label: "Embedding", hint: "Its width; 0 for one-hot symbols." },
    dropout: dropout("a value passed from one layer to the next"),
    steps: stepsWords,
    initialization,
  },
  transformer: {
    layers: { label: "Layers" },
    heads: { label: "Heads", hint: "Each has width / heads values." },
    width: { label: "Width" },
    context: { label: "Context", hint: "Symbols that a prediction can look back on." },
    norm: { label: "Normalization", hint: "Before attention, before the feed-forward block, and at the end." },
    activation: { label: "Activation", hint: "Of the feed-forward block." },
    dropout: dropout("an attention weight, or a value that a block adds"),
    bias: { label: "Biases", hint: "Of linear layers and layer normalization." },
    tied: { label: "Tied embedding", hint: "The output layer shares the embedding’s weight." },
    qkNorm: { label: "QK normalization", hint: "Normalizes queries and keys in every head." },
    zLoss: { label: "z-loss", hint: "Factor of log² Z in the training loss, which keeps logits small; 0 for none." },
  },
  sequential: {},
  graph: { network: { label: "Network" }, start: { label: "Weights to begin with", hint: "Those of the file, or fresh ones: PyTorch’s defaults by layer type." } },
};

export const layerTitles: Record<OwnLayerKind, string> = {
  linear: "Linear",
  conv2d: "Convolution",
  conv1d: "Convolution of a sequence",
  convTranspose2d: "Transposed convolution",
  batchNorm: "Batch normalization",
  tanh: "tanh",
  relu: "relu",
  sigmoid: "sigmoid",
  identity: "identity",
  dropout: "Dropout",
  maxPool: "Max pool",
  avgPool: "Average pool",
  globalAvgPool: "Global average pool",
  globalMaxPool: "Global max pool",
  flatten: "Flatten",
  imageRows: "Image rows as steps",
  embedding: "Embedding",
  lstm: "LSTM",
  gru: "GRU",
  lastStep: "Last step",
  positions: "Position table",
  layerNorm: "Layer normalization",
  rmsNorm: "RMS normalization",
  gelu: "GELU",
  swiglu: "SwiGLU",
  causalAttention: "Causal attention",
  silu: "SiLU",
  groupNorm: "Group normalization",
  attention: "Multi-head attention",
  residual: "Residual block",
};

/** One-line description of each layer. */
export const layerHelp: Record<OwnLayerKind, string> = {
  linear: "W x + b, on vectors or on every step of a sequence.",
  conv2d: "Kernels over an image.",
  conv1d: "Kernels along the steps of a sequence.",
  convTranspose2d: "Makes an image larger: every input adds its kernel.",
  batchNorm: "Each channel to mean 0 and variance 1, then scaled and shifted; running statistics in evaluation.",
  tanh: "From −1 to 1.",
  relu: "max(0, x).",
  sigmoid: "From 0 to 1.",
  identity: "Leaves everything as it is.",
  dropout: "Leaves values out at random in training, and scales what stays.",
  maxPool: "The maximum of each window of an image.",
  avgPool: "The mean of each window of an image.",
  globalAvgPool: "The mean of each channel: a vector.",
  globalMaxPool: "The maximum of each channel: a vector.",
  flatten: "Anything as one vector.",
  imageRows: "An image as a sequence of its rows, for a recurrent layer.",
  embedding: "A learned vector for each symbol of a text.",
  lstm: "Long short-term memory over a sequence.",
  gru: "Gated recurrent units over a sequence.",
  lastStep: "What stands at the end of a sequence: a vector.",
  positions: "A vector for each step of a sequence, added to it.",
  layerNorm: "Each vector to mean 0 and variance 1, then scaled and shifted.",
  rmsNorm: "Each vector divided by its root mean square, then scaled.",
  gelu: "x Φ(x), Φ the normal distribution’s cumulative function.",
  swiglu: "SiLU of the first half of each vector, times the second half.",
  causalAttention: "Every step looks back, in several heads. Takes queries, keys and values side by side: three times the width.",
  silu: "x sigmoid(x).",
  groupNorm: "Each group of channels of an example to mean 0 and variance 1, then scaled and shifted.",
  attention: "Every step of a sequence sums what other steps hold, weighted by how well their keys fit its query.",
  residual: "Layers whose answer is added to what goes in.",
};

const recurrent = {
  hidden: { label: "Hidden units" },
  layers: { label: "Layers", hint: "Stacked on one another." },
  dropout: dropout("a value passed from one layer to the next"),
  carry: { label: "Carry the state", hint: "On a text: a batch begins with the state in which the one before it ended." },
  initialization,
};

/** In form order. */
export const layerWords: { readonly [Kind in OwnLayerKind]: WordsOf<Extract<OwnLayer, { kind: Kind }>> } = {
  linear: { width: { label: "Width", hint: "Outputs; “classes” for one per class." }, bias, initialization },
  conv2d: {
    channels,
    kernel: { label: "Kernel", hint: "Side of the square of inputs to an output, or height × width." },
    stride: { label: "Stride", hint: "Distance between two outputs, or by height × width." },
    padding: { label: "Padding", hint: "Zeros around the image, half a kernel keeps its size; or top, left, bottom, right." },
    dilation,
    groups,
    bias,
    initialization,
  },
  conv1d: {
    channels: { label: "Channels", hint: "Outputs at each step." },
    kernel: { label: "Kernel", hint: "Number of steps that an output sees." },
    stride: { label: "Stride", hint: "Distance between two outputs." },
    padding: { label: "Padding", hint: "Zeros before and after; or two numbers: before, after." },
    dilation,
    groups,
    bias,
    initialization,
  },
  convTranspose2d: {
    channels,
    kernel: { label: "Kernel", hint: "Side of the square that an input adds to, or height × width." },
    stride: { label: "Stride", hint: "How many times larger the image becomes, or by height × width." },
    padding: { label: "Padding", hint: "Pixels cut off around the result; or top, left, bottom, right." },
    outputPadding: { label: "Output padding", hint: "Pixels added at the bottom and right; below the stride." },
    dilation,
    groups,
    bias,
    initialization,
  },
  batchNorm: {
    momentum: { label: "Momentum", hint: "Share of a batch in the running statistics." },
    epsilon: { label: "Epsilon", hint: "Added to the variance." },
  },
  tanh: {},
  relu: {},
  sigmoid: {},
  identity: {},
  dropout: { p: { label: "Probability", hint: "With which a value is left out." } },
  maxPool: pooling,
  avgPool: { ...pooling, countPadding: { label: "Count padding", hint: "Whether the padding counts in a mean, as zeros." } },
  globalAvgPool: {},
  globalMaxPool: {},
  flatten: {},
  imageRows: {},
  embedding: { width: { label: "Width" }, initialization },
  lstm: recurrent,
  gru: recurrent,
  lastStep: {},
  positions: { table: { label: "Table", hint: "Learned, or fixed sines and cosines." }, initialization },
  layerNorm: { bias: { label: "Bias", hint: "A learned summand for each value." }, epsilon: { label: "Epsilon", hint: "Added to the variance." } },
  rmsNorm: { epsilon: { label: "Epsilon", hint: "Added to the mean square." } },
  gelu: { approximate: { label: "Approximation", hint: "None is exact; tanh as in GPT-2." } },
  swiglu: {},
  causalAttention: {
    heads: { label: "Heads" },
    headNorm: { label: "Head normalization", hint: "Of queries and keys, in every head." },
    dropout: dropout("an attention weight"),
  },
  silu: {},
  groupNorm: { groups: { label: "Groups", hint: "They divide the channels." }, epsilon: { label: "Epsilon", hint: "Added to the variance." } },
  attention: {
    heads: { label: "Heads", hint: "They divide the width." },
    causal: { label: "Causal", hint: "Each step sees only itself and earlier steps; required on a text." },
    rotary: { label: "Rotary positions", hint: "Turns queries and keys by their step’s angle." },
    headNorm: { label: "Head normalization", hint: "Of queries and keys, in every head." },
    dropout: dropout("an attention weight"),
    bias: { label: "Bias", hint: "Learned summands of all projections." },
    initialization,
  },
  residual: {},
};

const several = (value: unknown, separator: string) => (Array.isArray(value) ? value.join(separator) : String(value));
/** One side means a square. */
const rectangle = (value: unknown) => (Array.isArray(value) ? value.join(" × ") : `${String(value)} × ${String(value)}`);

/** A layer's distinguishing settings in a line: `16 channels, 3 × 3, stride 2`. */
export function layerInWords(layer: Readonly<Record<string, unknown>>): string {
  const { kind, width, channels, kernel, stride, padding, dilation, groups, bias, size, hidden, layers, carry, p, dropout, heads, headNorm, causal, rotary, table, approximate, tied, initialization } = layer;
  const words: unknown[] = [];
  if (width !== undefined) words.push(width === "classes" ? "one per class" : `${String(width)} wide`);
  if (channels !== undefined) words.push(`${String(channels)} channels`, kind === "conv1d" ? `${String(kernel)} steps` : rectangle(kernel));
  if (size !== undefined) words.push(rectangle(size));
  if (stride !== undefined && stride !== 1 && stride !== "size") words.push(`stride ${several(stride, " × ")}`);
  if (padding !== undefined && (channels !== undefined || padding !== 0)) words.push(`padding ${several(padding, ", ")}`);
  if (dilation !== undefined && dilation !== 1) words.push(`dilation ${several(dilation, " × ")}`);
  if (groups !== undefined && (groups !== 1 || kind === "groupNorm")) words.push(`${String(groups)} groups`);
  if (hidden !== undefined) words.push(`${String(hidden)} units`, ...(layers === 1 ? [] : [`${String(layers)} layers`]), ...(carry === true ? ["state carried"] : []));
  if (heads !== undefined) words.push(`${String(heads)} heads`, ...(headNorm === "none" ? [] : [`${String(headNorm)} norm of queries and keys`]));
  if (causal === true) words.push("causal");
  if (rotary === true) words.push("rotary");
  if (table === "sinusoidal" || approximate === "tanh") words.push(String(table ?? approximate));
  if (tied !== undefined) words.push(`tied to ${String(tied)}`);
  if (p !== undefined) words.push(String(p));
  if (dropout !== undefined && dropout !== 0) words.push(`dropout ${String(dropout)}`);
  if (bias === false) words.push("no bias");
  if (initialization !== undefined && initialization !== "default") words.push(initialization);
  return words.join(", ");
}
