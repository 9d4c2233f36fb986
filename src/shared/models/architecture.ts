/** Which layers each model consists of. */
import { nounFor } from "../text.ts";
import { describeLayers, ModelError, type LayerDescription, type NamedLayer } from "./describe.ts";
import type { InitializationName } from "./initialization.ts";
import { layerOf, type Activation, type Config, type LayerConfig, type OwnLayer } from "./layers.ts";
import type { LayeredConfig, LayeredKind, ModelConfig, ModelConfigOf, ModelKind } from "./schema.ts";
import { transformerLayers } from "./transformer.ts";
import { shapeText, sizeOf, type DataShape, type Signal } from "./shape.ts";

const named = (name: string, layer: NamedLayer["layer"], path?: NamedLayer["path"]): NamedLayer => ({ name, layer, ...(path ? { path } : {}) });

const flattened = (input: Signal): NamedLayer[] => (input.shape.length === 1 ? [] : [named("flatten", layerOf({ kind: "flatten" }))]);

/** Empty for the identity. */
const activated = (name: string, kind: Activation): NamedLayer[] => (kind === "identity" ? [] : [named(name, layerOf({ kind }))]);

/** Empty for a probability of 0. */
const dropped = (name: string, p: number): NamedLayer[] => (p > 0 ? [named(name, layerOf({ kind: "dropout", p }))] : []);

/** No bias: the next layer has one. */
function convolution(channels: number, initialization: InitializationName, options: Partial<Config<"conv2d">> = {}): Config<"conv2d"> {
  return layerOf({ kind: "conv2d", channels, bias: false, initialization, ...options });
}

function mlp({ hidden, activation, outputActivation, dropout, initialization }: ModelConfigOf<"mlp">, { input }: DataShape): NamedLayer[] {
  const linear = (width: number | "classes") => layerOf({ kind: "linear", width, initialization });
  return [
    ...flattened(input),
    ...hidden.flatMap((width, i) => [
      named(`layer${i + 1}`, linear(width), ["model", "hidden", i]),
      ...activated(`activation${i + 1}`, activation),
      ...dropped(`dropout${i + 1}`, dropout),
    ]),
    named(`layer${hidden.length + 1}`, linear("classes")),
    ...activated(`activation${hidden.length + 1}`, outputActivation),
  ];
}

function cnn({ channels, kernel, batchNorm, hidden, activation, dropout, initialization }: ModelConfigOf<"cnn">): NamedLayer[] {
  return [
    ...channels.flatMap((count, i) => [
      named(
        `conv${i + 1}`,
        layerOf({ kind: "conv2d", channels: count, kernel, padding: (kernel - 1) / 2, bias: !batchNorm, initialization }),
        ["model", "channels", i],
      ),
      ...(batchNorm ? [named(`bn${i + 1}`, layerOf({ kind: "batchNorm" }))] : []),
      // Pooling before the monotonic activation gives the same result for a quarter of the work.
      named(`pool${i + 1}`, layerOf({ kind: "maxPool" }), ["model", "channels", i]),
      ...activated(`activation${i + 1}`, activation),
    ]),
    named("flatten", layerOf({ kind: "flatten" })),
    ...dropped("dropout1", dropout),
    ...hidden.flatMap((width, i) => [
      named(`fc${i + 1}`, layerOf({ kind: "linear", width, initialization }), ["model", "hidden", i]),
      ...activated(`activation${channels.length + i + 1}`, activation),
      ...dropped(`dropout${i + 2}`, dropout),
    ]),
    named(`fc${hidden.length + 1}`, layerOf({ kind: "linear", initialization })),
  ];
}

/** He et al. 2016, section 4.2: 6n + 2 layers in three stages of n blocks, shortcuts of option A. */
function resnet({ depth, width, initialization }: ModelConfigOf<"resnet">): NamedLayer[] {
  const blocks = (depth - 2) / 6;
  const norm = layerOf({ kind: "batchNorm" });
  const relu = layerOf({ kind: "relu" });
  return [
    named("conv1", convolution(width, initialization)),
    named("bn1", norm),
    named("relu1", relu),
    ...[1, 2, 3].flatMap((stage) =>
      Array.from({ length: blocks }, (_, i): NamedLayer[] => {
        const channels = width * 2 ** (stage - 1);
        const stride = stage > 1 && i === 0 ? 2 : 1;
        const name = `layer${stage}.${i}`;
        const inner = [
          named("conv1", convolution(channels, initialization, { stride })),
          named("bn1", norm),
          named("relu1", relu),
          named("conv2", convolution(channels, initialization)),
          named("bn2", norm),
        ];
        return [{ name, layer: { kind: "residual", layers: inner } }, named(`${name}.relu2`, relu)];
      }).flat(),
    ),
    named("pool", layerOf({ kind: "globalAvgPool" })),
    named("fc", layerOf({ kind: "linear", initialization })),
  ];
}

function charRnn({ cell, layers, hidden, embedding, dropout, initialization }: ModelConfigOf<"charRnn">): NamedLayer[] {
  return [
    ...(embedding > 0 ? [named("embedding", layerOf({ kind: "embedding", width: embedding }))] : []),
    named("rnn", layerOf({ kind: cell, hidden, layers, dropout, carry: true, initialization })),
    named("decoder", layerOf({ kind: "linear", initialization })),
  ];
}

/** Layers without a name are named by kind and number: `conv2d1`, `linear2`. */
export function ownLayers(layers: readonly OwnLayer[], path: readonly (string | number)[]): NamedLayer[] {
  const seen = new Map<string, number>();
  const names = new Set<string>();
  return layers.map((layer, i) => {
    const number = (seen.get(layer.kind) ?? 0) + 1;
    seen.set(layer.kind, number);
    const name = layer.name ?? `${layer.kind}${number}`;
    const at = [...path, i];
    // Residual blocks may share a name: what they hold is told apart by the names inside.
    if (names.has(name) && layer.kind !== "residual") throw new ModelError(`an earlier layer is named ${name} already`, [...at, "name"]);
    names.add(name);
    return named(name, layer.kind === "residual" ? { kind: "residual", layers: ownLayers(layer.layers, [...at, "layers"]) } : layer, at);
  });
}

const architectures: { readonly [K in LayeredKind]: (config: ModelConfigOf<K>, data: DataShape) => NamedLayer[] } = {
  mlp,
  linear: ({ initialization }, { input }) => [...flattened(input), named("fc", layerOf({ kind: "linear", initialization }))],
  cnn,
  resnet,
  charRnn,
  transformer: transformerLayers,
  sequential: ({ layers }) => ownLayers(layers, ["model", "layers"]),
};

/** @throws ModelError for an imported network, which has nodes in place of layers */
function layersOfModel(config: ModelConfig, data: DataShape): NamedLayer[] {
  if (config.kind === "graph") throw new ModelError("an imported network is not made of layers", ["model", "kind"]);
  return (architectures[config.kind] as (c: LayeredConfig, d: DataShape) => NamedLayer[])(config, data);
}

/** Input data of each kind; `sequential` depends on its layers. */
const needs: Readonly<Record<Exclude<LayeredKind, "sequential">, "numbers" | "images" | "a text">> = { mlp: "numbers", linear: "numbers", cnn: "images", resnet: "images", charRnn: "a text", transformer: "a text" };

/** Whether a kind of model can learn such data. */
export function suits(kind: ModelKind, { kind: form, shape }: Signal): boolean {
  if (kind === "sequential" || kind === "graph") return true;
  return needs[kind] === "a text" ? form === "tokens" : form === "values" && (needs[kind] === "numbers" || shape.length === 3);
}

function dataText(input: Signal): string {
  if (input.kind === "tokens") return "a text";
  return input.shape.length === 1 ? `${shapeText(input)} ${nounFor(input.shape[0]!, "value")}` : shapeText(input);
}

/**
 * The model's layers with shapes, ending in logits `[classes]` (per step, for a text).
 * @throws ModelError naming what does not fit the data
 */
export function describeModel(config: ModelConfig, data: DataShape): LayerDescription[] {
  const { input, classes } = data;
  if (config.kind !== "sequential" && config.kind !== "graph" && !suits(config.kind, input)) {
    throw new ModelError(`model.kind is ${config.kind}, which needs ${needs[config.kind]}; the data is ${dataText(input)}`, ["model", "kind"]);
  }
  const layers = describeLayers(layersOfModel(config, data), input, data);
  const output = layers.at(-1)?.output ?? input;
  const wanted = input.kind === "tokens" ? [input.shape[0], classes] : [classes];
  if (output.kind === "tokens" || output.shape.length !== wanted.length || output.shape.some((n, axis) => n !== wanted[axis])) {
    const path = config.kind === "sequential" ? ["model", "layers"] : ["model"];
    throw new ModelError(`the model ends in ${shapeText(output)}; the data asks for ${wanted.join(" × ")}: end with a linear layer of width "classes"`, path);
  }
  const carrying = flatLayers(layers).find(({ buffers }) => buffers.some(({ role }) => role === "carried"));
  if (carrying && input.kind !== "tokens") {
    throw new ModelError("a hidden state is carried from batch to batch along a text; these examples are shuffled", [...(carrying.path ?? ["model"]), "carry"]);
  }
  const names = new Set<string>();
  const parameters = parametersOf(layers);
  const unique = (what: string, name: string) => {
    if (names.has(name)) throw new ModelError(`two ${what} are named ${name}: name their layers differently`, ["model", "layers"]);
    names.add(name);
  };
  for (const { name } of parameters) unique("parameters", name);
  for (const { name, buffers, masks } of flatLayers(layers)) for (const own of [...buffers, ...masks]) unique("values", `${name}.${own.name}`);
  if (parameters.length === 0) throw new ModelError("the model has nothing to learn: add a layer with weights", ["model"]);
  return layers;
}

/** What a list of layers cannot say of a model of texts. */
function textFields(config: ModelConfig): Pick<ModelConfigOf<"sequential">, "steps" | "zLoss"> {
  if (config.kind === "charRnn") return { steps: config.steps };
  return config.kind === "transformer" ? { steps: config.context, ...(config.zLoss > 0 ? { zLoss: config.zLoss } : {}) } : {};
}

/** The same model as a list of layers, with the same parameter names and initial values. */
export function asSequential(config: ModelConfig, data: DataShape): ModelConfigOf<"sequential"> {
  if (config.kind === "sequential") return config;
  const own = ({ name, layer }: NamedLayer): OwnLayer =>
    layer.kind === "residual" ? { kind: "residual", name, layers: layer.layers.map(own) as LayerConfig[] } : { ...layer, name };
  return { kind: "sequential", layers: layersOfModel(config, data).map(own), ...textFields(config) };
}

/** Every layer, including those inside blocks, with its full name. */
export function flatLayers(layers: readonly LayerDescription[], prefix = ""): LayerDescription[] {
  return layers.flatMap((layer) => {
    const name = `${prefix}${layer.name}`;
    return layer.inner.length > 0 ? flatLayers(layer.inner, `${name}.`) : [{ ...layer, name }];
  });
}

/** All parameters in order, by full name: `layer1.0.conv1.weight`. */
export function parametersOf(layers: readonly LayerDescription[]): { readonly name: string; readonly shape: readonly number[] }[] {
  return flatLayers(layers).flatMap(({ name, parameters }) => parameters.map((p) => ({ name: `${name}.${p.name}`, shape: p.shape })));
}

export const parameterCount = (layers: readonly LayerDescription[]): number =>
  parametersOf(layers).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
