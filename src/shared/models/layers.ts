/** Configuration of the layers; describe.ts has their effect on shapes. */
import { z } from "zod";
import { initializationNames } from "./initialization.ts";
import { byDirection, byEnd, bySide, bySize } from "./sizes.ts";

export const activations = ["tanh", "relu", "sigmoid", "identity"] as const;
export type Activation = (typeof activations)[number];

/** A whole number in a range; messages name the field. */
export const whole = (what: string, min: number, max: number) =>
  z
    .number({ error: `${what} must be a whole number from ${min} to ${max}` })
    .int(`${what} must be a whole number`)
    .min(min, `${what} must be at least ${min}`)
    .max(max, `${what} must be at most ${max}`);

const flag = (what: string) => z.boolean({ error: `${what} must be true or false` });

export const initialization = z
  .enum(initializationNames, { error: `initialization must be one of: ${initializationNames.join(", ")}` })
  .default("default");

export const widthLimit = 8192;
export const width = (what: string) => whole(what, 1, widthLimit);

/** Probability of dropping a value in a step (Srivastava et al. 2014). */
export const dropoutProbability = (what: string) =>
  z
    .number({ error: `${what} must be a number from 0 to below 1` })
    .min(0, `${what} must be at least 0`)
    .lt(1, `${what} must be below 1`);

/** PyTorch's rule for stacked recurrent layers: no dropout after the last one. */
export const dropsBetween = ({ dropout, layers }: { readonly dropout: number; readonly layers: number }): boolean => dropout === 0 || layers > 1;
export const needsLayersBetween = { error: "dropout acts between recurrent layers, and there is 1: set it to 0 or add a layer", path: ["dropout"] };

const layerName = (field: string) =>
  z
    .string({ error: `${field} must be text` })
    .regex(/^[A-Za-z][\w.-]{0,39}$/, `${field} must begin with a letter, and have letters, digits, _, - and . only, at most 40`);

/** Prefix of its parameters' names; by default kind and number. */
const name = layerName("name").optional();

/** Parts of the channels that are convolved separately; as many as channels: depthwise. */
const groups = whole("groups", 1, 2048).default(1);

const conv2d = z.strictObject({
  kind: z.literal("conv2d"),
  name,
  channels: whole("channels", 1, 2048),
  kernel: byDirection("kernel", 1, 31).default(3),
  stride: byDirection("stride", 1, 16).default(1),
  padding: bySide("padding", 0, 15).default(1),
  dilation: byDirection("dilation", 1, 16).default(1),
  groups,
  bias: flag("bias").default(true),
  initialization,
});

/** Along the steps of a sequence. */
const conv1d = z.strictObject({
  kind: z.literal("conv1d"),
  name,
  channels: whole("channels", 1, 4096),
  kernel: whole("kernel", 1, 255).default(3),
  stride: whole("stride", 1, 64).default(1),
  padding: byEnd("padding", 0, 255).default(1),
  dilation: whole("dilation", 1, 255).default(1),
  groups,
  bias: flag("bias").default(true),
  initialization,
});

/** Makes images larger; the defaults double them. */
const convTranspose2d = z.strictObject({
  kind: z.literal("convTranspose2d"),
  name,
  channels: whole("channels", 1, 2048),
  kernel: byDirection("kernel", 1, 31).default(2),
  stride: byDirection("stride", 1, 16).default(2),
  padding: bySide("padding", 0, 15).default(0),
  outputPadding: byDirection("outputPadding", 0, 15).default(0),
  dilation: byDirection("dilation", 1, 16).default(1),
  groups,
  bias: flag("bias").default(true),
  initialization,
});

const linear = z.strictObject({
  kind: z.literal("linear"),
  name,
  /** Number of outputs; `classes` for as many as the data requires. */
  width: z
    .union([z.literal("classes"), width("width")], { error: `width must be "classes" or a whole number from 1 to ${widthLimit}` })
    .default("classes"),
  bias: flag("bias").default(true),
  /** Name of an embedding whose weight it shares; the bias stays its own. */
  tied: layerName("tied").optional(),
  initialization,
});

const batchNorm = z.strictObject({
  kind: z.literal("batchNorm"),
  name,
  /** Weight of a batch in the running statistics. */
  momentum: z.number({ error: "momentum must be a number from 0 to 1" }).min(0, "momentum must be at least 0").max(1, "momentum must be at most 1").default(0.1),
  epsilon: z.number({ error: "epsilon must be a number above 0" }).positive("epsilon must be above 0").default(1e-5),
});

/** Windows side by side by default. */
const pooling = {
  size: byDirection("size", 1, 64).default(2),
  stride: bySize("stride", 1, 64).default("size"),
  padding: bySide("padding", 0, 32).default(0),
};

const recurrent = <K extends string>(kind: K) =>
  z
    .strictObject({
      kind: z.literal(kind),
      name,
      hidden: whole("hidden", 1, 4096).default(64),
      layers: whole("layers", 1, 8).default(1),
      /** After every layer except the last. */
      dropout: dropoutProbability("dropout").default(0),
      /** Whether a batch starts with the final hidden state of the previous one. */
      carry: flag("carry").default(false),
      initialization,
    })
    .refine(dropsBetween, needsLayersBetween);

const epsilon = z.number({ error: "epsilon must be a number above 0" }).positive("epsilon must be above 0").default(1e-5);

/** How each head normalizes its queries and keys. */
export const headNorms = ["none", "layer", "rms"] as const;

/** On queries, keys and values side by side, as a linear layer of three times the width makes them. */
const causalAttention = z.strictObject({
  kind: z.literal("causalAttention"),
  name,
  heads: whole("heads", 1, 64).default(4),
  headNorm: z.enum(headNorms, { error: `headNorm must be one of: ${headNorms.join(", ")}` }).default("none"),
  /** Of attention weights. */
  dropout: dropoutProbability("dropout").default(0),
});

/** Queries, keys, values and the output with their own projections, as PyTorch's nn.MultiheadAttention. */
const attention = z.strictObject({
  kind: z.literal("attention"),
  name,
  heads: whole("heads", 1, 64).default(4),
  /** Whether a step sees only itself and earlier ones. */
  causal: flag("causal").default(false),
  bias: flag("bias").default(true),
  headNorm: causalAttention.shape.headNorm,
  /** Whether queries and keys are turned by their step's angle. */
  rotary: flag("rotary").default(false),
  /** Of attention weights. */
  dropout: dropoutProbability("dropout").default(0),
  initialization,
});

export const geluForms = ["none", "tanh"] as const;
export const positionTables = ["learned", "sinusoidal"] as const;

/** A layer without settings. */
const bare = <K extends string>(kind: K) => z.strictObject({ kind: z.literal(kind), name });

export const layerKinds = [
  "linear",
  "conv2d",
  "conv1d",
  "convTranspose2d",
  "batchNorm",
  "tanh",
  "relu",
  "sigmoid",
  "identity",
  "dropout",
  "maxPool",
  "avgPool",
  "globalAvgPool",
  "globalMaxPool",
  "flatten",
  "imageRows",
  "embedding",
  "lstm",
  "gru",
  "lastStep",
  "positions",
  "layerNorm",
  "rmsNorm",
  "gelu",
  "swiglu",
  "causalAttention",
  "silu",
  "groupNorm",
  "attention",
] as const;

const plainLayers = [
  linear,
  conv2d,
  conv1d,
  convTranspose2d,
  batchNorm,
  bare("tanh"),
  bare("relu"),
  bare("sigmoid"),
  bare("identity"),
  z.strictObject({ kind: z.literal("dropout"), name, p: dropoutProbability("p").default(0.5) }),
  z.strictObject({ kind: z.literal("maxPool"), name, ...pooling }),
  /** The padding counts as zeros unless `countPadding` is false. */
  z.strictObject({ kind: z.literal("avgPool"), name, ...pooling, countPadding: flag("countPadding").default(true) }),
  bare("globalAvgPool"),
  bare("globalMaxPool"),
  bare("flatten"),
  bare("imageRows"),
  z.strictObject({ kind: z.literal("embedding"), name, width: whole("width", 1, 4096).default(64), initialization }),
  recurrent("lstm"),
  recurrent("gru"),
  bare("lastStep"),
  z.strictObject({
    kind: z.literal("positions"),
    name,
    table: z.enum(positionTables, { error: `table must be one of: ${positionTables.join(", ")}` }).default("learned"),
    initialization,
  }),
  z.strictObject({ kind: z.literal("layerNorm"), name, bias: flag("bias").default(true), epsilon }),
  z.strictObject({ kind: z.literal("rmsNorm"), name, epsilon }),
  /** PyTorch's name of the setting; `none` is exact. */
  z.strictObject({ kind: z.literal("gelu"), name, approximate: z.enum(geluForms, { error: `approximate must be one of: ${geluForms.join(", ")}` }).default("none") }),
  bare("swiglu"),
  causalAttention,
  bare("silu"),
  z.strictObject({ kind: z.literal("groupNorm"), name, groups: whole("groups", 1, 2048).default(8), epsilon }),
  attention,
] as const;

const oneOf = (kinds: readonly string[]) => ({
  error: (issue: { code?: string }) => (issue.code === "invalid_union" ? `kind must be one of: ${kinds.join(", ")}` : undefined),
});

export const layer = z.discriminatedUnion("kind", plainLayers, oneOf(layerKinds));

/** Maximum number of layers of an own architecture, and of a block. */
export const maxLayers = 64;

export const layersOf = <L extends z.ZodType>(one: L, field: string) =>
  z.array(one, { error: `${field} must be a list of layers` }).min(1, "at least 1 layer").max(maxLayers, `at most ${maxLayers} layers`);

/** x + layers(x). */
const residual = z.strictObject({ kind: z.literal("residual"), name, layers: layersOf(layer, "layers") });

export const ownLayerKinds = [...layerKinds, "residual"] as const;
export type OwnLayerKind = (typeof ownLayerKinds)[number];

/** A layer of an own architecture, or a block of layers. */
export const ownLayer = z.discriminatedUnion("kind", [...plainLayers, residual], oneOf(ownLayerKinds));
export type OwnLayer = z.output<typeof ownLayer>;

export type LayerConfig = z.output<typeof layer>;
export type LayerKind = (typeof layerKinds)[number];
/** The settings of one kind of layer. */
export type Config<K extends LayerKind> = Extract<LayerConfig, { kind: K }>;

/** A layer with all its defaults. @throws never for a kind whose settings all have defaults */
export function layerOf<K extends LayerKind>(config: { kind: K } & Partial<Config<K>>): Config<K> {
  return layer.parse(config) as Config<K>;
}
