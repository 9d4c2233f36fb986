/** Small training problems of every kind of model. */
import type { InputValue } from "../../src/core/engines/engine.ts";
import type { TowerLevel } from "../../src/core/hyperoptimizers/tower.ts";
import { buildModel } from "../../src/core/models/build.ts";
import { Random } from "../../src/core/models/random.ts";
import { classification } from "../../src/core/tasks/classification.ts";
import { languageModelling } from "../../src/core/tasks/languageModelling.ts";
import { StepMasks } from "../../src/core/training/masks.ts";
import { buildTrainingProgram } from "../../src/core/training/trainingProgram.ts";
import { describeModel } from "../../src/shared/models/architecture.ts";
import { zLossOf } from "../../src/shared/models/data.ts";
import { model as modelSchema } from "../../src/shared/models/schema.ts";
import { values, type DataShape } from "../../src/shared/models/shape.ts";
import { everything } from "./edition.ts";
import { level } from "./problems.ts";

export const batchSize = 4;

const image: DataShape = { input: values(2, 8, 8), classes: 3 };
const steps = 7;
const text: DataShape = { input: { kind: "tokens", shape: [steps], vocabulary: 5 }, classes: 5 };

const sgd = [level("sgd", { alpha: 0.02 }), level("sgd", { alpha: 1e-4 })];
const adam = [level("adam", { alpha: 1e-3 }), level("sgd", { alpha: 1e-6 })];

export interface ModelCase {
  readonly data: DataShape;
  readonly model: unknown;
  readonly levels: readonly TowerLevel[];
}

export const modelCases: Record<string, ModelCase> = {
  "CNN, SGD / SGD": { data: image, model: { kind: "cnn", channels: [3, 4], kernel: 3 }, levels: sgd },
  "CNN with batch normalization, Adam / SGD": { data: image, model: { kind: "cnn", channels: [4], batchNorm: true, hidden: [5] }, levels: adam },
  "ResNet-8, SGD with momentum / SGD": { data: image, model: { kind: "resnet", depth: 8, width: 4 }, levels: [level("sgd", { alpha: 0.02, mu: 0.9 }), sgd[1]!] },
  "CNN of whole blocks of channels, SGD / SGD": { data: image, model: { kind: "cnn", channels: [16, 32], kernel: 3, batchNorm: true }, levels: sgd },
  "linear, Adam / SGD": { data: image, model: { kind: "linear" }, levels: adam },
  "own layers": {
    data: image,
    model: {
      kind: "sequential",
      layers: [
        { kind: "conv2d", channels: 4, stride: 2, padding: 0 },
        { kind: "sigmoid" },
        { kind: "avgPool", size: 3 },
        { kind: "flatten" },
        { kind: "linear", width: 6, initialization: "orthogonal" },
        { kind: "batchNorm" },
        { kind: "tanh" },
        { kind: "linear" },
      ],
    },
    levels: sgd,
  },
  "own blocks around images, sequences and vectors": {
    data: image,
    model: {
      kind: "sequential",
      layers: [
        { kind: "residual", layers: [{ kind: "conv2d", channels: 5, stride: 2, bias: false }, { kind: "batchNorm" }] },
        { kind: "imageRows" },
        { kind: "residual", layers: [{ kind: "gru", hidden: 20 }, { kind: "tanh" }] },
        { kind: "lastStep" },
        { kind: "residual", layers: [{ kind: "linear", width: 20 }, { kind: "relu" }, { kind: "linear", width: 20 }] },
        { kind: "linear" },
      ],
    },
    levels: adam,
  },
  "attention over image rows, with dropout, Adam / SGD": {
    data: image,
    model: {
      kind: "sequential",
      layers: [
        { kind: "imageRows" },
        { kind: "positions", table: "sinusoidal" },
        { kind: "residual", layers: [{ kind: "layerNorm" }, { kind: "attention", heads: 2, headNorm: "layer", rotary: true, dropout: 0.2 }] },
        { kind: "residual", layers: [{ kind: "linear", width: 16 }, { kind: "gelu", approximate: "tanh" }] },
        { kind: "lastStep" },
        { kind: "groupNorm", groups: 4 },
        { kind: "silu" },
        { kind: "linear" },
      ],
    },
    levels: adam,
  },
  "causal attention on a text, SGD / SGD": {
    data: text,
    model: {
      kind: "sequential",
      steps,
      layers: [{ kind: "embedding", width: 8 }, { kind: "attention", heads: 2, causal: true, rotary: true, headNorm: "rms" }, { kind: "rmsNorm" }, { kind: "silu" }, { kind: "linear" }],
    },
    levels: sgd,
  },
  "depthwise and transposed convolutions, pools that overlap": {
    data: image,
    model: {
      kind: "sequential",
      layers: [
        { kind: "conv2d", channels: 4, groups: 2, kernel: [3, 2], padding: [1, 0, 1, 1] },
        { kind: "maxPool", size: 3, stride: 2, padding: 1 },
        { kind: "convTranspose2d", channels: 2 },
        { kind: "avgPool", size: 2, stride: 1, padding: [1, 0, 0, 1], countPadding: false },
        { kind: "imageRows" },
        { kind: "conv1d", channels: 3, dilation: 2 },
        { kind: "lastStep" },
        { kind: "linear" },
      ],
    },
    levels: sgd,
  },
  "image rows through a GRU": {
    data: image,
    model: { kind: "sequential", layers: [{ kind: "imageRows" }, { kind: "gru", hidden: 5, layers: 2 }, { kind: "lastStep" }, { kind: "linear" }] },
    levels: adam,
  },
  "CNN with batch normalization, SGD with momentum / SGD with a horizon of 1": {
    data: image,
    model: { kind: "cnn", channels: [4], batchNorm: true, hidden: [5] },
    levels: [level("sgd", { alpha: 0.02, mu: 0.9 }), level("sgd", { alpha: 1e-4, horizon: 1 })],
  },
  "CNN with batch normalization and dropout, Adam / SGD that looks ahead": {
    data: image,
    model: { kind: "cnn", channels: [3], kernel: 3, batchNorm: true, hidden: [5], dropout: 0.3 },
    levels: [level("adam", { alpha: 0.01 }), level("sgd", { alpha: 1e-4, lookahead: 2 })],
  },
  ...(everything ? { "LSTM, SGD / SGD that looks ahead": { data: text, model: { kind: "charRnn", hidden: 6, embedding: 4, steps }, levels: [sgd[0]!, level("sgd", { alpha: 1e-4, lookahead: 3 })] } } : {}),
  "LSTM, SGD / SGD with a horizon of 0.9": { data: text, model: { kind: "charRnn", hidden: 6, embedding: 4, steps }, levels: [sgd[0]!, level("sgd", { alpha: 1e-4, horizon: 0.9 })] },
  "CNN with dropout, SGD / SGD": { data: image, model: { kind: "cnn", channels: [4], kernel: 3, hidden: [6], dropout: 0.3 }, levels: sgd },
  "GRU with dropout on symbols and between layers, Adam / SGD": {
    data: text,
    model: { kind: "sequential", steps, layers: [{ kind: "embedding", width: 4 }, { kind: "dropout", p: 0.2 }, { kind: "gru", hidden: 6, layers: 2, dropout: 0.4, carry: true }, { kind: "dropout" }, { kind: "linear" }] },
    levels: adam,
  },
  "LSTM, Adam / SGD": { data: text, model: { kind: "charRnn", hidden: 6, embedding: 4, steps }, levels: adam },
  "LSTM on one-hot symbols, SGD / SGD": { data: text, model: { kind: "charRnn", hidden: 6, layers: 1, embedding: 0, steps }, levels: sgd },
  "GRU, Adam / SGD": { data: text, model: { kind: "charRnn", cell: "gru", hidden: 6, embedding: 4, steps }, levels: adam },
  "transformer, Adam / SGD": { data: text, model: { kind: "transformer", layers: 2, heads: 2, width: 6, context: steps }, levels: adam },
  "transformer with every option, SGD / SGD": {
    data: text,
    model: { kind: "transformer", layers: 1, heads: 2, width: 6, context: steps, dropout: 0.2, bias: true, norm: "rms", activation: "swiglu", tied: false, qkNorm: true, zLoss: 1e-3 },
    levels: sgd,
  },
  "transformer, SGD / SGD with a horizon of 0.9": { data: text, model: { kind: "transformer", layers: 1, heads: 2, width: 6, context: steps }, levels: [sgd[0]!, level("sgd", { alpha: 1e-4, horizon: 0.9 })] },
  "GRU on one-hot symbols, SGD / SGD": { data: text, model: { kind: "charRnn", cell: "gru", hidden: 6, layers: 1, embedding: 0, steps }, levels: sgd },
};

/** @param seed of the initial weights */
export function modelProblem({ data, model, levels }: ModelCase, seed = 1) {
  const built = buildModel(describeModel(modelSchema.parse(model), data));
  const isText = data.input.kind === "tokens";
  const task = isText ? languageModelling({ model: built, steps, zLoss: zLossOf(modelSchema.parse(model)) }) : classification({ model: built, exampleShape: data.input.shape, scale: 1 / 255 });
  const training = buildTrainingProgram({ task, levels, batchSizes: [batchSize], evaluationBatchSizes: [batchSize], hypergradients: "moving" });
  const random = new Random(seed, "initialization", 1);
  const initialState = training.initialState(Object.fromEntries(built.parameters.map(({ name, initialize }) => [name, initialize(random)])));
  const masks = new StepMasks(built.masks, seed, 1);
  const batch = (n: number): Record<string, InputValue> => ({ ...examples(n), ...structuredClone(masks.at(n, batchSize)) });
  const examples = (n: number): Record<string, InputValue> => {
    const draw = new Random(1000 + n, "shuffling", 1);
    if (isText) {
      // The next symbol is the second-last plus one, sometimes a random one.
      const rows = Array.from({ length: batchSize }, () => {
        const row = [draw.below(5), draw.below(5)];
        while (row.length <= steps) row.push(draw.below(4) === 0 ? draw.below(5) : (row.at(-2)! + 1) % 5);
        return row;
      });
      const part = (from: number) => Int32Array.from(rows.flatMap((row) => row.slice(from, from + steps)));
      return { symbols: part(0), targets: part(1), carry: Float64Array.of(n % 5 === 0 ? 0 : 1) };
    }
    const labels = Uint8Array.from({ length: batchSize }, () => draw.below(3));
    const features = Uint8Array.from({ length: batchSize * 128 }, (_, i) => (i % 3 === labels[Math.floor(i / 128)] ? 120 : 0) + draw.below(130));
    return { features, labels };
  };
  return { training, initialState, batch };
}
