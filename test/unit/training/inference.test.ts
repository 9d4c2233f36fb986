/** Trained models as ONNX files: ONNX Runtime answers as the float64 reference does, for any batch size. */
import { InferenceSession, Tensor } from "onnxruntime-node";
import { expect, it, onTestFinished } from "vitest";
import { loadDataset } from "../../../src/core/datasets/index.ts";
import { labelledFeed } from "../../../src/core/feeds/labelledFeed.ts";
import { Random } from "../../../src/core/models/random.ts";
import { modelOf } from "../../../src/core/networks/model.ts";
import { buildPredictor, scoresOf } from "../../../src/core/prediction/program.ts";
import { exportOnnx } from "../../../src/main/trainer/exportOnnx.ts";
import { experiment as experimentSchema } from "../../../src/shared/experiment.ts";
import { dataShape } from "../../../src/shared/models/data.ts";
import { modelCases } from "../../support/modelProblems.ts";
import { inferenceCase } from "../../support/inferenceCases.ts";

async function open(bytes: Uint8Array): Promise<InferenceSession> {
  const session = await InferenceSession.create(bytes, { logSeverityLevel: 3, intraOpNumThreads: 1 });
  onTestFinished(() => session.release());
  return session;
}

const symbolTensor = (symbols: ArrayLike<number>, dims: readonly number[]) => new Tensor("int64", BigInt64Array.from(Array.from(symbols, BigInt)), dims);

/** One example's scores after the other, though the program has those of a text step by step. */
const byExample = (scores: Float64Array, batch: number, steps: number, width: number) =>
  Float64Array.from({ length: scores.length }, (_, i) => {
    const [row, step, column] = [Math.floor(i / (steps * width)), Math.floor(i / width) % steps, i % width];
    return scores[(step * batch + row) * width + column]!;
  });

it.each(Object.entries(modelCases).filter(([name]) => !/horizon|looks ahead/.test(name)))("%s", async (_, of) => {
  const { isText, steps, shape, examples, expected, file } = inferenceCase(of);
  const model = file();
  expect(model.fixedBatch).toBeNull();
  expect(model.inputs.map(({ name, type, dims }) => [name, type, dims])).toEqual([isText ? ["symbols", "int64", ["batch", steps]] : ["features", "float32", ["batch", ...shape]]]);
  const classes = of.data.classes;
  const dims = isText ? ["batch", steps, classes] : ["batch", classes];
  expect(model.outputs).toEqual(["logits", "probabilities"].map((name) => ({ name, type: "float32", dims })));
  const session = await open(model.bytes);
  for (const batch of [1, 3]) {
    const given = examples(batch);
    const input: Record<string, Tensor> = isText ? { symbols: symbolTensor(given, [batch, steps]) } : { features: new Tensor("float32", Float32Array.from(given), [batch, ...shape]) };
    const { logits, probabilities } = await session.run(input);
    const { scores, width } = await expected(given, batch);
    const wanted = isText ? byExample(scores, batch, steps, width) : scores;
    expect(probabilities!.dims).toEqual([batch, ...dims.slice(1)]);
    const found = probabilities!.data as Float32Array;
    expect(found.reduce((worst, p, i) => Math.max(worst, Math.abs(p - Math.exp(wanted[i]!))), 0)).toBeLessThan(2e-6);
    // Logits differ from log-probabilities by one number per row.
    const raw = logits!.data as Float32Array;
    for (let row = 0; row < raw.length; row += width) expect(raw[row + 1]! - raw[row]!).toBeCloseTo(wanted[row + 1]! - wanted[row]!, 4);
  }
});

it("carries the state of a recurrent model from call to call where that is asked for", async () => {
  const { steps, examples, file } = inferenceCase(modelCases["LSTM, Adam / SGD"]!);
  const model = file(true);
  expect(model.inputs.map(({ name }) => name)).toEqual(["symbols", "rnn.hidden_l0", "rnn.cell_l0", "rnn.hidden_l1", "rnn.cell_l1"]);
  expect(model.outputs.map(({ name }) => name)).toEqual(["logits", "probabilities", "next.rnn.hidden_l0", "next.rnn.cell_l0", "next.rnn.hidden_l1", "next.rnn.cell_l1"]);
  const [carried, fresh] = [await open(model.bytes), await open(file().bytes)];
  const symbols = symbolTensor(examples(2), [2, steps]);
  const zeros = Object.fromEntries(model.inputs.slice(1).map(({ name }) => [name, new Tensor("float32", new Float32Array(12), [2, 6])]));
  const first = await carried.run({ symbols, ...zeros });
  expect(first["logits"]!.data).toEqual((await fresh.run({ symbols }))["logits"]!.data);
  const next = Object.fromEntries(model.inputs.slice(1).map(({ name }) => [name, first[`next.${name}`]!]));
  expect((await carried.run({ symbols, ...next }))["logits"]!.data).not.toEqual(first["logits"]!.data);
});

it("takes measurements in their own unit: mean and deviation of the run's training examples are in the graph", async () => {
  const experiment = experimentSchema.parse({ dataset: { kind: "iris" }, model: { kind: "mlp", hidden: [5] }, batchSize: 30, engine: { kind: "reference", threads: 1 } });
  const model = await modelOf(experiment.model, dataShape(experiment));
  const random = new Random(1, "initialization", 1);
  const weights = model.parameters.map(({ name, shape, initialize }) => ({ name, shape, values: Float64Array.from(initialize(random), Math.fround) }));
  const { bytes } = await exportOnnx(experiment, weights, { kind: "onnx", steps: null, states: false, metadata: {} });
  const seen = await loadDataset({ ...experiment.dataset, generator: experiment.generator });
  const { mean, deviation } = seen.standardization!;
  const raw = (seen.test.features as Float32Array).map((value, i) => value * deviation[i % 4]! + mean[i % 4]!);
  expect(Math.min(...raw)).toBeGreaterThan(0);
  const { executable } = await buildPredictor({ experiment, model, task: labelledFeed(seen, experiment, model).task, batchSizes: [seen.test.count], weights });
  await executable.run(`predict@${seen.test.count}`, { features: seen.test.features, labels: seen.test.labels });
  const wanted = (await executable.state([scoresOf(seen.test.count)]))[scoresOf(seen.test.count)]!;
  const { probabilities } = await (await open(bytes)).run({ features: new Tensor("float32", raw, [seen.test.count, 4]) });
  expect((probabilities!.data as Float32Array).reduce((worst, p, i) => Math.max(worst, Math.abs(p - Math.exp(wanted[i]!))), 0)).toBeLessThan(1e-5);
});
