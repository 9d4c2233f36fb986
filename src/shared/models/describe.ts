/** Describes a model without values: shapes, parameters and buffers of its layers. */
import { attentionDescribers } from "./attentionLayers.ts";
import { biasOf, convolutionDescribers, imageOf } from "./convolutionLayers.ts";
import { kaimingUniformBound, weightInitialization, type Initialization } from "./initialization.ts";
import { ModelError, sequenceOf, wants } from "./modelError.ts";
import { transformerDescribers } from "./transformerLayers.ts";
import type { Config, LayerConfig, LayerKind } from "./layers.ts";
import { shapeText, sizeOf, values, type DataShape, type ModelContext, type Shape, type Signal } from "./shape.ts";

/**
 * x + layers(x): a residual block (He et al. 2016). Where shapes differ, the shortcut is strided
 * and zero-padded (option A).
 */
export interface Residual {
  readonly kind: "residual";
  readonly layers: readonly NamedLayer[];
}

export { ModelError };

export interface NamedLayer {
  /** Prefix of its parameters' names. */
  readonly name: string;
  readonly layer: LayerConfig | Residual;
  /** Path in the experiment, from `model`; errors point there. */
  readonly path?: readonly (string | number)[];
}

export interface ParameterDescription {
  /** PyTorch's name within the layer: `weight`, `weight_ih_l0`. */
  readonly name: string;
  readonly shape: Shape;
  readonly initialization: Initialization;
}

/** State that a forward pass reads and updates, without an optimizer. */
export interface BufferDescription {
  readonly name: string;
  /** Shape per example, where examples have their own. */
  readonly shape: Shape;
  readonly initial: number;
  /**
   * `statistics`: of training batches, used in evaluation; `carried`: from batch to batch, per
   * example.
   */
  readonly role: "statistics" | "carried";
}

/** A dropout mask, drawn anew for every step and example. */
export interface MaskDescription {
  readonly name: string;
  /** Shape for one example. */
  readonly shape: Shape;
  /** Probability of dropping a value. */
  readonly p: number;
}

export interface LayerDescription {
  readonly name: string;
  readonly layer: LayerConfig | Residual;
  readonly input: Signal;
  readonly output: Signal;
  readonly parameters: readonly ParameterDescription[];
  readonly buffers: readonly BufferDescription[];
  readonly masks: readonly MaskDescription[];
  /**
   * Floating-point operations of one example's forward pass, in matrix products and convolutions
   * only.
   */
  readonly flops: number;
  /** Path in the experiment. */
  readonly path?: readonly (string | number)[];
  /** Layers inside a residual block. */
  readonly inner: readonly LayerDescription[];
}

/** What a layer makes of its input. */
export type LayerFacts = Pick<LayerDescription, "output"> & Partial<Pick<LayerDescription, "parameters" | "buffers" | "masks" | "flops">>;
type Facts = LayerFacts;
type Describe<K extends LayerKind> = (config: Config<K>, input: Signal, model: ModelContext) => Facts;

const unchanged = (_: unknown, output: Signal): Facts => {
  if (output.kind === "tokens") throw new ModelError(`symbols need an embedding or a recurrent layer first`);
  return { output };
};

/** Gates by kind of cell, in PyTorch's order: input, forget, cell, output; reset, update, new. */
export const gatesOf = { lstm: 4, gru: 3 } as const;

/** Names of the carried state of layer `index`. */
export const carriedNames = (kind: "lstm" | "gru", index: number): string[] =>
  kind === "lstm" ? [`hidden_l${index}`, `cell_l${index}`] : [`hidden_l${index}`];

/** Name of the mask on the output of layer `index` of a stack. */
export const maskBehind = (index: number) => `mask_l${index}`;

const recurrent = ({ kind, hidden, layers, carry, dropout, initialization }: Config<"lstm"> | Config<"gru">, input: Signal): Facts => {
  const [steps, into] = input.kind === "tokens" ? [input.shape[0], input.vocabulary] : sequenceOf(kind, input);
  const gates = gatesOf[kind] * hidden;
  const byDefault: Initialization = { scheme: "uniform", bound: 1 / Math.sqrt(hidden) };
  const weight = (name: string, shape: Shape) => ({ name, shape, initialization: weightInitialization(initialization, shape, byDefault) });
  const widthOf = (index: number) => (index === 0 ? into : hidden);
  const every = Array.from({ length: layers }, (_, index) => index);
  // Tokens only look up rows of the first weight.
  const looksUp = input.kind === "tokens";
  return {
    output: values(steps, hidden),
    parameters: every.flatMap((index) => [
      weight(`weight_ih_l${index}`, [gates, widthOf(index)]),
      weight(`weight_hh_l${index}`, [gates, hidden]),
      { name: `bias_ih_l${index}`, shape: [gates], initialization: byDefault },
      { name: `bias_hh_l${index}`, shape: [gates], initialization: byDefault },
    ]),
    buffers: carry
      ? every.flatMap((index) => carriedNames(kind, index).map((name) => ({ name, shape: [hidden], initial: 0, role: "carried" as const })))
      : [],
    masks: dropout > 0 ? every.slice(0, -1).map((index) => ({ name: maskBehind(index), shape: [steps, hidden], p: dropout })) : [],
    flops: steps * every.reduce((sum, index) => sum + 2 * gates * ((index === 0 && looksUp ? 0 : widthOf(index)) + hidden), 0),
  };
};

const describers: { readonly [K in LayerKind]: Describe<K> } = {
  linear: (config, input, { classes, residualBlocks, embeddingWidth }) => {
    if (input.kind === "tokens") throw wants("linear", "numbers", input);
    if (input.shape.length > 2) throw wants("linear", "vectors or sequences (a flatten layer makes vectors)", input);
    const into = input.shape.at(-1)!;
    const width = config.width === "classes" ? classes : config.width;
    const shape = [width, into];
    const byDefault: Initialization = { scheme: "uniform", bound: kaimingUniformBound(into, Math.sqrt(5)) };
    if (config.tied !== undefined) requireEmbedding(config.tied, embeddingWidth(config.tied), { into, width, classes });
    const weight = { name: "weight", shape, initialization: weightInitialization(config.initialization, shape, byDefault, residualBlocks) };
    return {
      output: values(...input.shape.slice(0, -1), width),
      parameters: [...(config.tied === undefined ? [weight] : []), ...biasOf(config, width, into)],
      flops: 2 * sizeOf(input.shape) * width,
    };
  },
  ...convolutionDescribers,
  batchNorm: (_, input) => {
    if (input.kind === "tokens" || input.shape.length === 2) throw wants("batchNorm", "images or vectors", input);
    const shape = [input.shape[0]!];
    return {
      output: input,
      parameters: [
        { name: "weight", shape, initialization: { scheme: "constant", value: 1 } },
        { name: "bias", shape, initialization: { scheme: "constant", value: 0 } },
      ],
      buffers: [
        { name: "running_mean", shape, initial: 0, role: "statistics" },
        { name: "running_var", shape, initial: 1, role: "statistics" },
      ],
    };
  },
  tanh: unchanged,
  relu: unchanged,
  sigmoid: unchanged,
  identity: unchanged,
  dropout: (config, input) => ({ ...unchanged(config, input), masks: config.p > 0 ? [{ name: "mask", shape: input.shape, p: config.p }] : [] }),
  flatten: (_, input) => {
    if (input.kind === "tokens") throw wants("flatten", "numbers", input);
    return { output: values(sizeOf(input.shape)) };
  },
  imageRows: (_, input) => {
    const [channels, height, width] = imageOf("imageRows", input);
    return { output: values(height, channels * width) };
  },
  embedding: (config, input) => {
    if (input.kind !== "tokens") throw wants("embedding", "symbols", input);
    const shape = [input.vocabulary, config.width];
    return {
      output: values(input.shape[0], config.width),
      parameters: [{ name: "weight", shape, initialization: weightInitialization(config.initialization, shape, { scheme: "normal", deviation: 1 }) }],
    };
  },
  ...transformerDescribers,
  ...attentionDescribers,
  silu: unchanged,
  lstm: recurrent,
  gru: recurrent,
  lastStep: (_, input) => ({ output: values(sequenceOf("lastStep", input)[1]) }),
};

/** @throws ModelError where a linear layer cannot share that embedding's weight, `[vocabulary, width]` */
function requireEmbedding(name: string, embeddingWidth: number | undefined, { into, width, classes }: { into: number; width: number; classes: number }): void {
  if (embeddingWidth === undefined) throw new ModelError(`tied is ${name}, but no embedding before this layer has that name`);
  if (embeddingWidth !== into) throw new ModelError(`tied is ${name}, an embedding of width ${embeddingWidth}; this layer gets ${into}: they must be equal`);
  if (width !== classes) throw new ModelError(`a layer that shares an embedding's weight has width "classes", not ${width}`);
}

/** Whether `from` can be added to `to`, directly or by option A's shortcut. */
function canBeAdded({ kind, shape: from }: Signal, { shape: to }: Signal): boolean {
  if (kind === "tokens" || from.length !== to.length) return false;
  if (from.every((n, axis) => n === to[axis])) return true;
  const stride = Math.ceil(from[1]! / to[1]!);
  return from.length === 3 && from[0]! <= to[0]! && [1, 2].every((axis) => Math.ceil(from[axis]! / stride) === to[axis]);
}

type Seen = (layer: LayerDescription) => void;

function describeResidual({ layers }: Residual, input: Signal, model: ModelContext, seen: Seen): Facts & { inner: LayerDescription[] } {
  const inner = describeInContext(layers, input, model, seen);
  const output = inner.at(-1)?.output ?? input;
  if (!canBeAdded(input, output)) {
    throw new ModelError(`a residual block makes ${shapeText(output)} of ${shapeText(input)}; both are added, so they must be alike, or images that a stride makes smaller and that have no fewer channels`);
  }
  return { output, inner, flops: inner.reduce((sum, { flops }) => sum + flops, 0) };
}

function describeLayer({ name, layer, path }: NamedLayer, input: Signal, model: ModelContext, seen: Seen): LayerDescription {
  try {
    const nothing = { name, layer, input, parameters: [], buffers: [], masks: [], flops: 0, inner: [], ...(path ? { path } : {}) };
    if (layer.kind === "residual") return { ...nothing, ...describeResidual(layer, input, model, seen) };
    const describe = describers[layer.kind] as Describe<LayerKind>;
    return { ...nothing, ...describe(layer, input, model) };
  } catch (error) {
    if (!(error instanceof ModelError) || error.path.length > 0) throw error;
    throw new ModelError(error.message, path ?? ["model"]);
  }
}

/**
 * Describes every layer with its shapes.
 * @param seen receives each layer, including those inside blocks, until one does not fit
 * @throws ModelError naming the layer that does not fit its input
 */
export function describeLayers(layers: readonly NamedLayer[], input: Signal, data: DataShape, seen: Seen = () => undefined): LayerDescription[] {
  const embeddings = new Map<string, number>();
  const model = { ...data, residualBlocks: residualBlocksIn(layers), embeddingWidth: (name: string) => embeddings.get(name) };
  return describeInContext(layers, input, model, (description) => {
    if (description.layer.kind === "embedding") embeddings.set(description.name, description.layer.width);
    seen(description);
  });
}

const residualBlocksIn = (layers: readonly NamedLayer[]): number =>
  layers.reduce((sum, { layer }) => sum + (layer.kind === "residual" ? 1 + residualBlocksIn(layer.layers) : 0), 0);

function describeInContext(layers: readonly NamedLayer[], input: Signal, model: ModelContext, seen: Seen): LayerDescription[] {
  const described: LayerDescription[] = [];
  let signal = input;
  for (const layer of layers) {
    const description = describeLayer(layer, signal, model, seen);
    seen(description);
    described.push(description);
    signal = description.output;
  }
  return described;
}
