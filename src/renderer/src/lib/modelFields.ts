/** The fields of every model and layer, as their forms show them. */
import { initializationNames } from "@shared/models/initialization.ts";
import { activations, widthLimit, type OwnLayerKind } from "@shared/models/layers.ts";
import { cells, resnetDepths, type ModelKind } from "@shared/models/schema.ts";
import type { Domain } from "@shared/optimizers.ts";
import type { StepKind } from "./numbers.ts";

interface FieldBase {
  readonly name: string;
  readonly label: string;
  readonly hint?: string;
}

export interface NumberSpec extends FieldBase {
  readonly type: "number";
  readonly step: StepKind;
  readonly domain: Domain;
}

export interface ChoiceSpec extends FieldBase {
  readonly type: "choice";
  readonly choices: readonly { readonly value: string | number; readonly label: string }[];
}

/** Text that may be missing. */
export interface TextSpec extends FieldBase {
  readonly type: "text";
}

export interface FlagSpec extends FieldBase {
  readonly type: "flag";
}

/** A list of whole numbers; `item` names one of them, counted from 1. */
export interface ListSpec extends FieldBase {
  readonly type: "list";
  readonly item: string;
  readonly add: string;
  readonly max: number;
  readonly limits: Domain;
}

export type FieldSpec = NumberSpec | ChoiceSpec | FlagSpec | TextSpec | ListSpec;

const whole = (name: string, label: string, min: number, max: number, hint?: string): NumberSpec => ({
  type: "number",
  name,
  label,
  step: "whole",
  domain: { min, max },
  ...(hint === undefined ? {} : { hint }),
});

const choice = (name: string, label: string, values: readonly (string | number)[], hint?: string): ChoiceSpec => ({
  type: "choice",
  name,
  label,
  choices: values.map((value) => ({ value, label: String(value) })),
  ...(hint === undefined ? {} : { hint }),
});

const flag = (name: string, label: string, hint?: string): FlagSpec => ({ type: "flag", name, label, ...(hint === undefined ? {} : { hint }) });

const initialization = choice("initialization", "Initialization", initializationNames, "Of weights, as in PyTorch.");
const probability = (name: string, label: string, hint: string): NumberSpec => ({
  type: "number",
  name,
  label,
  step: "share",
  domain: { min: 0, max: 1, maxExclusive: true },
  hint,
});
const dropout = (of: string) => probability("dropout", "Dropout", `With this probability a step leaves out ${of}; 0 for none.`);
const hidden: ListSpec = {
  type: "list",
  name: "hidden",
  label: "Hidden layers",
  item: "Width of hidden layer",
  add: "Layer",
  max: 16,
  limits: { min: 1, max: widthLimit },
};

export const modelTitles: Record<ModelKind, string> = {
  mlp: "Multilayer perceptron",
  linear: "Linear (softmax regression)",
  cnn: "Small CNN",
  resnet: "ResNet for small images",
  charRnn: "Character RNN",
  sequential: "Own architecture",
};

export const modelFields: Record<ModelKind, readonly FieldSpec[]> = {
  mlp: [hidden, choice("activation", "Hidden activation", activations), choice("outputActivation", "Output activation", activations), dropout("what a hidden unit answers"), initialization],
  linear: [initialization],
  cnn: [
    {
      type: "list",
      name: "channels",
      label: "Convolutions, each followed by a max pool of 2 × 2",
      item: "Channels of convolution",
      add: "Convolution",
      max: 8,
      limits: { min: 1, max: 2048 },
    },
    { ...hidden, label: "Fully connected layers before the last", max: 8 },
    choice("kernel", "Kernel", [1, 3, 5, 7]),
    choice("activation", "Activation", activations),
    dropout("what goes into a fully connected layer"),
    flag("batchNorm", "Batch normalization"),
    initialization,
  ],
  resnet: [
    choice("depth", "Layers", resnetDepths, "20, 32, 44 and 56 are those of He et al. 2016."),
    whole("width", "Width", 1, 512, "Channels of the first stage."),
    initialization,
  ],
  charRnn: [
    choice("cell", "Cell", cells),
    whole("layers", "Layers", 1, 8),
    whole("hidden", "Hidden units", 1, 4096),
    whole("embedding", "Embedding", 0, 4096, "Its width; 0 for one-hot symbols."),
    dropout("what goes from one layer to the next"),
    whole("steps", "Steps", 1, 512, "Gradients reach back so many symbols."),
    initialization,
  ],
  sequential: [],
};

/** Of an own architecture on a text. */
export const stepsField = whole("steps", "Steps", 1, 512, "Gradients reach back so many symbols.");

export const layerTitles: Record<OwnLayerKind, string> = {
  linear: "Linear",
  conv2d: "Convolution",
  batchNorm: "Batch normalization",
  tanh: "tanh",
  relu: "relu",
  sigmoid: "sigmoid",
  identity: "identity",
  dropout: "Dropout",
  maxPool: "Max pool",
  avgPool: "Average pool",
  globalAvgPool: "Global average pool",
  flatten: "Flatten",
  imageRows: "Image rows as steps",
  embedding: "Embedding",
  lstm: "LSTM",
  gru: "GRU",
  lastStep: "Last step",
  residual: "Residual block",
};

/** What a layer does, in a line. */
export const layerHelp: Record<OwnLayerKind, string> = {
  linear: "W x + b, on vectors or on every step of a sequence.",
  conv2d: "Square kernels over an image.",
  batchNorm: "Each channel to mean 0 and variance 1, then scaled and shifted; running statistics in evaluation.",
  tanh: "From −1 to 1.",
  relu: "max(0, x).",
  sigmoid: "From 0 to 1.",
  identity: "Leaves everything as it is.",
  dropout: "Leaves values out at random in training, and scales what stays.",
  maxPool: "The largest of each square of an image.",
  avgPool: "The mean of each square of an image.",
  globalAvgPool: "The mean of each channel: a vector.",
  flatten: "Anything as one vector.",
  imageRows: "An image as a sequence of its rows, for a recurrent layer.",
  embedding: "A learned vector for each symbol of a text.",
  lstm: "Long short-term memory over a sequence.",
  gru: "Gated recurrent units over a sequence.",
  lastStep: "What stands at the end of a sequence: a vector.",
  residual: "Layers whose answer is added to what goes in.",
};

const size = whole("size", "Size", 1, 64, "Side of the square; they do not overlap.");
const bias = flag("bias", "Bias", "A learned summand for each output; off where a normalization follows.");
export const nameField: TextSpec = { type: "text", name: "name", label: "Name", hint: "Begins its parameters’ names. Empty: kind and number." };
const recurrent = [
  whole("hidden", "Hidden units", 1, 4096),
  whole("layers", "Layers", 1, 8, "Stacked on one another."),
  dropout("what goes from one layer to the next"),
  flag("carry", "Carry the state", "On a text: a batch begins with the state in which the one before it ended."),
  initialization,
];

export const layerFields: Record<OwnLayerKind, readonly FieldSpec[]> = {
  linear: [whole("width", "Width", 1, widthLimit, "Outputs; “classes” for one for each class."), bias, initialization],
  conv2d: [
    whole("channels", "Channels", 1, 2048, "Outputs at each place."),
    whole("kernel", "Kernel", 1, 31, "Side of the square that is looked at."),
    whole("stride", "Stride", 1, 16, "Every so many places in both directions."),
    whole("padding", "Padding", 0, 15, "Zeros around the image; half a kernel keeps its size."),
    bias,
    initialization,
  ],
  batchNorm: [
    { type: "number", name: "momentum", label: "Momentum", step: "decades", domain: { min: 0, max: 1 }, hint: "Share of a batch in the running statistics." },
    { type: "number", name: "epsilon", label: "Epsilon", step: "decades", domain: { min: 0, max: 1, minExclusive: true }, hint: "Added to the variance." },
  ],
  tanh: [],
  relu: [],
  sigmoid: [],
  identity: [],
  dropout: [probability("p", "Probability", "With which a value is left out.")],
  maxPool: [size],
  avgPool: [size],
  globalAvgPool: [],
  flatten: [],
  imageRows: [],
  embedding: [whole("width", "Width", 1, 4096), initialization],
  lstm: recurrent,
  gru: recurrent,
  lastStep: [],
  residual: [],
};

/** A layer's settings in a line, as far as they set it apart: `16 channels, 3 × 3, stride 2`. */
export function layerInWords(layer: Readonly<Record<string, unknown>>): string {
  const { kind, width, channels, kernel, stride, padding, bias, size, hidden, layers, carry, p, dropout, initialization } = layer;
  const words: unknown[] = [];
  if (width !== undefined) words.push(width === "classes" ? "one for each class" : `${String(width)} wide`);
  if (kind === "conv2d") words.push(`${String(channels)} channels`, `${String(kernel)} × ${String(kernel)}`, ...(stride === 1 ? [] : [`stride ${String(stride)}`]), `padding ${String(padding)}`);
  if (size !== undefined) words.push(`${String(size)} × ${String(size)}`);
  if (hidden !== undefined) words.push(`${String(hidden)} units`, ...(layers === 1 ? [] : [`${String(layers)} layers`]), ...(carry === true ? ["state carried"] : []));
  if (p !== undefined) words.push(String(p));
  if (dropout !== undefined && dropout !== 0) words.push(`dropout ${String(dropout)}`);
  if (bias === false) words.push("no bias");
  if (initialization !== undefined && initialization !== "default") words.push(initialization);
  return words.join(", ");
}
