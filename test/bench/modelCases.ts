/** The models that `npm run bench:models` times; models_peer.py has the same ones in PyTorch. */
import { values, type DataShape } from "../../src/shared/models/shape.ts";

export interface ModelCase {
  readonly title: string;
  readonly model: unknown;
  readonly data: DataShape;
  readonly batchSize: number;
}

const mnist: DataShape = { input: values(1, 28, 28), classes: 10 };
const vocabulary = 96;
const steps = 50;
const rows = (kind: "lstm" | "gru") => ({ kind: "sequential", layers: [{ kind: "imageRows" }, { kind, hidden: 64 }, { kind: "lastStep" }, { kind: "linear" }] });
const char = (cell: "lstm" | "gru"): ModelCase => ({
  title: `char ${cell.toUpperCase()} 2 x 128, ${steps} steps`,
  model: { kind: "charRnn", cell, steps },
  data: { input: { kind: "tokens", shape: [steps], vocabulary }, classes: vocabulary },
  batchSize: 64,
});

export const modelCases: Readonly<Record<string, ModelCase>> = {
  mlp: { title: "MLP 784-128-10", model: { kind: "mlp" }, data: mnist, batchSize: 256 },
  cnn: { title: "CNN 16-32, 28 x 28", model: { kind: "cnn" }, data: mnist, batchSize: 64 },
  resnet20: { title: "ResNet-20, 32 x 32", model: { kind: "resnet" }, data: { input: values(3, 32, 32), classes: 10 }, batchSize: 128 },
  lstm: { title: "LSTM 64, 28 steps", model: rows("lstm"), data: mnist, batchSize: 64 },
  gru: { title: "GRU 64, 28 steps", model: rows("gru"), data: mnist, batchSize: 64 },
  charLstm: char("lstm"),
  charGru: char("gru"),
};

/** The model of the preset gpt-mini; transformer_peer.py has the same one in PyTorch and JAX. */
export const gptMini: ModelCase = {
  title: "gpt-mini, 12 x 64",
  model: { kind: "transformer" },
  data: { input: { kind: "tokens", shape: [64], vocabulary: 65 }, classes: 65 },
  batchSize: 12,
};
