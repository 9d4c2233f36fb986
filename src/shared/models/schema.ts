/** Schema of the models of an experiment, with defaults. */
import { z } from "zod";
import { outputMeanings } from "./graph.ts";
import { activations, dropoutProbability, dropsBetween, initialization, layer, layersOf, needsLayersBetween, ownLayer, whole, width } from "./layers.ts";
import { networkFacts } from "./network.ts";

const activation = (field: string) => z.enum(activations, { error: `model.${field} must be one of: ${activations.join(", ")}` });

const dropout = dropoutProbability("model.dropout").default(0);

const mlp = z
  .strictObject({
    kind: z.literal("mlp"),
    /** Widths of the hidden layers, input and output excluded. */
    hidden: z
      .array(width("a hidden layer's width"), { error: "model.hidden must be a list of widths" })
      .max(16, "at most 16 hidden layers")
      .default([128]),
    activation: activation("activation").default("tanh"),
    /** Applied to the last layer, before log-softmax: the paper's MLP has tanh there too. */
    outputActivation: activation("outputActivation").default("tanh"),
    /** After every hidden layer. */
    dropout,
    initialization,
  })
  .refine((config) => config.dropout === 0 || config.hidden.length > 0, { error: "dropout acts on hidden layers, and there is none: set it to 0 or add a layer", path: ["dropout"] });

/** Softmax regression. */
const linear = z.strictObject({ kind: z.literal("linear"), initialization });

const cnn = z.strictObject({
  kind: z.literal("cnn"),
  /** Channels of each convolution, which a 2 × 2 max pool follows. */
  channels: z
    .array(whole("a convolution's channels", 1, 2048), { error: "model.channels must be a list of channels" })
    .min(1, "at least 1 convolution")
    .max(8, "at most 8 convolutions")
    .default([16, 32]),
  kernel: z.literal([1, 3, 5, 7], { error: "model.kernel must be one of: 1, 3, 5, 7" }).default(5),
  batchNorm: z.boolean({ error: "model.batchNorm must be true or false" }).default(false),
  /** Widths of the fully connected layers before the last. */
  hidden: z
    .array(width("a hidden layer's width"), { error: "model.hidden must be a list of widths" })
    .max(8, "at most 8 hidden layers")
    .default([]),
  activation: activation("activation").default("relu"),
  /** Before every fully connected layer. */
  dropout,
  initialization,
});

export const resnetDepths = [8, 14, 20, 32, 44, 56] as const;

const resnet = z.strictObject({
  kind: z.literal("resnet"),
  depth: z.literal(resnetDepths, { error: `model.depth must be one of: ${resnetDepths.join(", ")}` }).default(20),
  /** Channels of the first stage; later stages double them. */
  width: whole("model.width", 1, 512).default(16),
  initialization: initialization.unwrap().default("kaiming_normal"),
});

export const usualSteps = 50;
/** Characters per training step: gradients reach back no further; the hidden state does. */
const steps = (max: number) => whole("model.steps", 1, max);

export const cells = ["lstm", "gru"] as const;

const charRnn = z
  .strictObject({
    kind: z.literal("charRnn"),
    cell: z.enum(cells, { error: `model.cell must be one of: ${cells.join(", ")}` }).default("lstm"),
    layers: whole("model.layers", 1, 8).default(2),
    hidden: whole("model.hidden", 1, 4096).default(128),
    /** Width of the embedding; 0 for one-hot characters. */
    embedding: whole("model.embedding", 0, 4096).default(128),
    /** Between the recurrent layers. */
    dropout,
    steps: steps(512).default(usualSteps),
    initialization,
  })
  .refine(dropsBetween, needsLayersBetween);

const zLoss = z
  .number({ error: "model.zLoss must be a number from 0 to 1" })
  .min(0, "model.zLoss must be at least 0")
  .max(1, "model.zLoss must be at most 1");

export const norms = ["layer", "rms"] as const;
export const transformerActivations = ["gelu", "swiglu"] as const;
export const usualContext = 64;
const maxContext = 2048;

/** Decoder-only, pre-norm: GPT-2 (Radford et al. 2019) with nanoGPT's names, initialization and defaults. */
const transformer = z.strictObject({
  kind: z.literal("transformer"),
  layers: whole("model.layers", 1, 48).default(4),
  heads: whole("model.heads", 1, 64).default(4),
  width: whole("model.width", 1, 4096).default(128),
  /** Symbols that a prediction can look back on. */
  context: whole("model.context", 1, maxContext).default(usualContext),
  /** Of attention weights, of what a block adds, and of the embedded symbols. */
  dropout,
  /** Of linear layers and layer normalization. */
  bias: z.boolean({ error: "model.bias must be true or false" }).default(false),
  norm: z.enum(norms, { error: `model.norm must be one of: ${norms.join(", ")}` }).default("layer"),
  activation: z.enum(transformerActivations, { error: `model.activation must be one of: ${transformerActivations.join(", ")}` }).default("gelu"),
  /** Whether the output layer shares the embedding's weight. */
  tied: z.boolean({ error: "model.tied must be true or false" }).default(true),
  /** Normalizes queries and keys of every head (Dehghani et al. 2023; Wortsman et al. 2023). */
  qkNorm: z.boolean({ error: "model.qkNorm must be true or false" }).default(false),
  /** Factor of log^2 of the softmax's denominator in the training loss (Chowdhery et al. 2022). */
  zLoss: zLoss.default(0),
});

const sequential = z.strictObject({
  kind: z.literal("sequential"),
  layers: layersOf(ownLayer, "model.layers").default(() => [layer.parse({ kind: "flatten" }), layer.parse({ kind: "linear" })]),
  /** For texts only. */
  steps: steps(maxContext).optional(),
  /** For texts only, as that of a transformer. */
  zLoss: zLoss.optional(),
});

/** An imported network. */
const graph = z.strictObject({
  kind: z.literal("graph"),
  /** SHA-256 of its file; a name or the beginning of a hash is resolved where the network is. */
  network: z.string({ error: "model.network must be the name or the SHA-256 of an imported network" }).max(200, "model.network: at most 200 characters").default(""),
  /** Weights to begin with: those of the file, or fresh ones by layer type. */
  start: z.enum(["file", "fresh"], { error: "model.start must be one of: file, fresh" }).default("file"),
  /** Meaning of the output; by default what was guessed on import. */
  output: z.enum(outputMeanings, { error: `model.output must be one of: ${outputMeanings.join(", ")}` }).optional(),
  /** For networks of symbols that take any number of them. */
  steps: steps(2048).optional(),
  /** What is known of the network, which may be on another machine. */
  facts: networkFacts.optional(),
});

export const modelKinds = ["mlp", "linear", "cnn", "resnet", "charRnn", "transformer", "sequential", "graph"] as const;
export type ModelKind = (typeof modelKinds)[number];

const union = z.discriminatedUnion("kind", [mlp, linear, cnn, resnet, charRnn, transformer, sequential, graph], {
  error: (issue) => (issue.code === "invalid_union" ? `model.kind must be one of: ${modelKinds.join(", ")}` : "model must be an object"),
});

export type ModelConfig = z.output<typeof union>;
/** A model described layer by layer: all but an imported network. */
export type LayeredConfig = Exclude<ModelConfig, { kind: "graph" }>;
export type LayeredKind = LayeredConfig["kind"];
export type ModelConfigOf<K extends ModelKind> = Extract<ModelConfig, { kind: K }>;
type MlpInput = Omit<z.input<typeof mlp>, "kind"> & { kind?: "mlp" };

/** A model without a kind is an MLP. */
export const model = z.preprocess(
  (given: unknown) => (typeof given === "object" && given !== null && !Array.isArray(given) && !("kind" in given) ? { kind: "mlp", ...given } : given),
  union,
) as unknown as z.ZodType<ModelConfig, z.input<typeof union> | MlpInput>;
