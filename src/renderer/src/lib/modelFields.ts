/** The fields of every model and layer, as their forms show them. */
import { initializationNames } from "@shared/models/initialization.ts";
import { activations, widthLimit, type LayerKind } from "@shared/models/layers.ts";
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

export type FieldSpec = NumberSpec | ChoiceSpec | FlagSpec | ListSpec;

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
  mlp: [hidden, choice("activation", "Hidden activation", activations), choice("outputActivation", "Output activation", activations), initialization],
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
    whole("steps", "Steps", 1, 512, "Gradients reach back so many symbols."),
    initialization,
  ],
  sequential: [],
};

export const layerTitles: Record<LayerKind, string> = {
  linear: "Linear",
  conv2d: "Convolution",
  batchNorm: "Batch normalization",
  tanh: "tanh",
  relu: "relu",
  sigmoid: "sigmoid",
  identity: "identity",
  maxPool: "Max pool",
  avgPool: "Average pool",
  globalAvgPool: "Global average pool",
  flatten: "Flatten",
  imageRows: "Image rows as steps",
  embedding: "Embedding",
  lstm: "LSTM",
  gru: "GRU",
  lastStep: "Last step",
};

const size = whole("size", "Size", 1, 64);
const recurrent = [whole("hidden", "Hidden units", 1, 4096), whole("layers", "Layers", 1, 8), flag("carry", "Carry the state"), initialization];

export const layerFields: Record<LayerKind, readonly FieldSpec[]> = {
  linear: [whole("width", "Width", 1, widthLimit, "Or “classes”."), flag("bias", "Bias"), initialization],
  conv2d: [
    whole("channels", "Channels", 1, 2048),
    whole("kernel", "Kernel", 1, 31),
    whole("stride", "Stride", 1, 16),
    whole("padding", "Padding", 0, 15),
    flag("bias", "Bias"),
    initialization,
  ],
  batchNorm: [
    { type: "number", name: "momentum", label: "Momentum", step: "decades", domain: { min: 0, max: 1 } },
    { type: "number", name: "epsilon", label: "Epsilon", step: "decades", domain: { min: 0, max: 1, minExclusive: true } },
  ],
  tanh: [],
  relu: [],
  sigmoid: [],
  identity: [],
  maxPool: [size],
  avgPool: [size],
  globalAvgPool: [],
  flatten: [],
  imageRows: [],
  embedding: [whole("width", "Width", 1, 4096), initialization],
  lstm: recurrent,
  gru: recurrent,
  lastStep: [],
};
