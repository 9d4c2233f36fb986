/** Predictions as the surfaces ask for them: from runs that were trained for real. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { unzipSync } from "fflate";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { expect, it, onTestFinished, vi } from "vitest";
import { contract, type RequestInput, type RequestName, type RequestOutput } from "../../../src/shared/contract.ts";
import { attentionFile, decodeFloats, type AttentionFormat } from "../../../src/shared/reading.ts";
import { pictureSettings } from "../../../src/shared/reports.ts";
import { isActive } from "../../../src/shared/run.ts";
import { parseNpy } from "../../../src/core/datasets/formats/npy.ts";
import { parseSafetensors } from "../../../src/core/weights/safetensors.ts";
import { createServices } from "../../../src/main/services/createServices.ts";
import { dispatch } from "../../../src/main/services/dispatch.ts";
import { withOwnFacts } from "../../../src/main/services/experiments.ts";
import { chosen, classified, confusionOf, residualsOf } from "../../../src/main/services/predictionSummary.ts";
import { nodeLauncher } from "../../../src/main/hosting/nodeLauncher.ts";
import { freshFolder, recordedLog } from "../../support/storeFixtures.ts";
import { processFile } from "../../support/processes.ts";

const launchTrainer = nodeLauncher(processFile("trainer"));

async function open(storeDir = freshFolder()) {
  const log = recordedLog();
  const services = await createServices({ storeDir, host: "browser", version: "0", launchTrainer }, { log });
  onTestFinished(() => services.close());
  const answer = (name: RequestName, input: unknown) => dispatch(services, name, input, log);
  const ask = async <N extends RequestName>(name: N, input: RequestInput<N>): Promise<RequestOutput<N>> => {
    const reply = await answer(name, input);
    if (!reply.ok) throw new Error(reply.error.message);
    return contract.requests[name].output.parse(JSON.parse(JSON.stringify(reply.value))) as RequestOutput<N>;
  };
  const train = async (experiment: unknown) => {
    const { id } = await ask("runs.start", { experiment: await withOwnFacts(experiment) });
    await vi.waitFor(async () => expect(isActive((await ask("runs.get", { run: id })).status)).toBe(false), { interval: 20 });
    return id;
  };
  return { services, ask, train, storeDir, refusal: async (name: RequestName, input: unknown) => ((reply) => (reply.ok ? "granted" : reply.error.message))(await answer(name, input)) };
}

/** A folder in which one's own data is kept, for a test. */
function ownDataFolder(): string {
  const folder = freshFolder();
  vi.stubEnv("HYPERTOWER_DATA", folder);
  onTestFinished(() => void vi.unstubAllEnvs());
  return folder;
}

const small = { dataset: { trainExamples: 2000, testExamples: 500 }, model: { hidden: [16] }, batchSize: 100, budget: { epochs: 3 } };

it("a run keeps what it was evaluated by, and predicts from it", async () => {
  const { ask, train, services, refusal, storeDir } = await open();
  const seen = vi.fn();
  services.on("run.kept", seen);
  // A step size that jumps about: which evaluation is the best depends on the last digits.
  const run = await train({ ...small, tower: [{ optimizer: "sgd", alpha: 0.5 }, { optimizer: "sgd", alpha: 50 }], evaluation: { every: 10 } });
  const { evaluations, status } = await ask("runs.get", { run });
  const best = evaluations.reduce((a, b) => (b.testError! < a.testError! || (b.testError === a.testError && b.testLoss! < a.testLoss!) ? b : a));
  const { kept, problem } = await ask("predictions.kept", { run });
  expect({ status, problem }).toEqual({ status: "finished", problem: null });
  expect(kept.map(({ name, evaluation }) => [name, evaluation])).toEqual([["best", best], ["last", evaluations.at(-1)]]);
  expect(seen).toHaveBeenCalledWith({ run });
  expect(readdirSync(join(storeDir, "weights")).sort()).toEqual([`${run}.best.weights`, ...(best.step === evaluations.at(-1)!.step ? [] : [`${run}.last.weights`])]);

  for (const checkpoint of ["best", "last"] as const) {
    const report = await ask("predictions.report", { run, checkpoint });
    const evaluation = checkpoint === "best" ? best : evaluations.at(-1)!;
    if (report.task !== "classification") throw new Error(report.task);
    expect(report).toMatchObject({ examples: 500, kept: { name: checkpoint, evaluation }, classNames: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"] });
    expect(report.error).toBeCloseTo(evaluation.testError!, 6);
    expect(report.loss).toBeCloseTo(evaluation.testLoss!, 4);
    expect(report.confusion.flat().reduce((sum, n) => sum + n, 0)).toBe(500);
    const wrong = 500 - report.confusion.reduce((sum, row, i) => sum + row[i]!, 0);
    expect(wrong / 5).toBeCloseTo(report.error, 6);

    const samples = await ask("predictions.samples", { run, checkpoint, order: "wrong", limit: 5 });
    expect(samples).toMatchObject({ total: wrong, exampleShape: [1, 28, 28], range: 255 });
    const truths = samples.samples.map(({ actual, probabilities }) => probabilities[actual]!);
    expect(truths).toEqual([...truths].sort((a, b) => a - b));
    for (const { actual, predicted, probabilities, values } of samples.samples) {
      expect(predicted).not.toBe(actual);
      expect(probabilities.indexOf(Math.max(...probabilities))).toBe(predicted);
      expect(values).toHaveLength(784);
    }
  }
  const last = await ask("predictions.report", { run, checkpoint: "last" });
  const counts = last.task === "classification" ? last.confusion : [];
  const [actual, predicted] = counts.flatMap((row, i) => row.flatMap((count, j) => (i !== j && count > 0 ? [[i, j] as const] : [])))[0]!;
  const cell = await ask("predictions.samples", { run, checkpoint: "last", cell: { actual, predicted }, order: "random", seed: 4 });
  expect(cell.total).toBe(counts[actual]![predicted]);
  // Of weights that were never looked at nothing is remembered.
  expect(await refusal("predictions.samples", { run, step: 1 })).toMatch(/Newer weights have replaced these/);
  expect(cell.samples.every((sample) => sample.actual === actual && sample.predicted === predicted)).toBe(true);
  expect(await refusal("predictions.text", { run, prime: "a" })).toMatch(/trained on MNIST, which is not a text; only models of texts generate text\.$/);
  expect(await refusal("predictions.text", { run, prime: "", temperature: -1 })).toMatch(/prime needs at least one character; temperature: temperature must be from 0 to 10/);
  expect(await refusal("predictions.report", { run, checkpoint: "first" })).toMatch(/checkpoint must be one of: best, last/);

  // As NumPy would read them, under PyTorch's names.
  const file = await services.exportWeights(run, "best");
  expect(file.filename).toMatch(/-weights-best\.npz$/);
  const npz = await buffer(Readable.from(file.pieces));
  expect(await buffer(Readable.from((await services.reportFile({ of: { run }, file: "weights-best.npz", settings: pictureSettings.parse({}) })).pieces))).toEqual(npz);
  const arrays = Object.entries(unzipSync(npz)).map(([name, bytes]) => [name, parseNpy(bytes, name)] as const);
  expect(arrays.map(([name, { shape }]) => [name, shape])).toEqual([["layer1.weight.npy", [16, 784]], ["layer1.bias.npy", [16]], ["layer2.weight.npy", [10, 16]], ["layer2.bias.npy", [10]]]);
  expect(arrays[0]![1].data).toBeInstanceOf(Float32Array);
  const safetensors = await services.exportWeights(run, "best", "safetensors");
  expect(safetensors.filename).toMatch(/-weights-best\.safetensors$/);
  const { tensors, metadata } = parseSafetensors(await buffer(Readable.from(safetensors.pieces)), "exported");
  expect(Object.fromEntries([...tensors].map(([name, { values }]) => [`${name}.npy`, Float32Array.from(values)]))).toEqual(Object.fromEntries(arrays.map(([name, { data }]) => [name, data])));
  expect(metadata).toMatchObject({ format: "pt", run, step: String(best.step), weights: "latest" });
  expect(JSON.parse(metadata["experiment"]!)).toMatchObject({ model: { hidden: [16] } });

  // The same examples get the same probabilities from the exported model.
  const model = await services.exportWeights(run, "last", "onnx");
  expect(model.remarks).toEqual(["inputs: features float32 [batch, 1, 28, 28]", "outputs: logits float32 [batch, 10]; probabilities float32 [batch, 10]"]);
  const session = await InferenceSession.create(await buffer(Readable.from(model.pieces)));
  onTestFinished(() => session.release());
  const shown = (await ask("predictions.samples", { run, checkpoint: "last", order: "class", limit: 3 })).samples;
  const found = await session.run({ features: new Tensor("float32", shown.flatMap(({ values }) => values), [3, 1, 28, 28]) });
  const probabilities = found["probabilities"]!.data as Float32Array;
  for (const [i, p] of shown.flatMap((sample) => sample.probabilities).entries()) expect(probabilities[i]).toBeCloseTo(p, 5);
  await expect(services.exportWeights(run, "best", "onnx", { steps: 3, states: false })).rejects.toThrow("The model could not be written: only models of texts read a number of symbols at once; leave --steps out");
  await expect(services.exportWeights(run, "best", "onnx", { steps: null, states: true })).rejects.toThrow("The model could not be written: the model carries no state from batch to batch; leave --states out");

  // The trainer reads the values, and says what is wrong with them; an export is refused before its first byte.
  const path = join(storeDir, "weights", `${run}.best.weights`);
  const damaged = readFileSync(path);
  damaged[damaged.length - 100]! ^= 1;
  const other = await open(storeDir);
  writeFileSync(path, damaged);
  expect(await other.refusal("predictions.report", { run })).toMatch(/^The weights .*best\.weights cannot be used: it is damaged: its checksum does not match\. Train the run's experiment again/);
  await expect(services.exportWeights(run, "best")).rejects.toThrow(/The weights .*best\.weights cannot be used: it is damaged: its checksum/);
  writeFileSync(path, "nothing");
  expect(await refusal("predictions.report", { run })).toMatch(/The weights .*best\.weights cannot be used: it is not a weights file.* Train the run's experiment again/);
});

it("says why a run has nothing to predict from", async () => {
  const { ask, train, refusal, storeDir } = await open();
  const wild = await train({ ...small, tower: [{ optimizer: "sgd", alpha: 1e12 }, { optimizer: "sgd", alpha: 1e12 }], model: { hidden: [8], activation: "relu", outputActivation: "identity" } });
  expect(await ask("predictions.kept", { run: wild })).toEqual({ kept: [], problem: expect.stringMatching(/diverged before its first evaluation/) as string });
  expect(await refusal("predictions.samples", { run: wild })).toMatch(/diverged before its first evaluation/);
  const { id } = await ask("studies.start", { study: { base: { ...small, budget: { epochs: 1 } }, axes: [], heights: null, seeds: [1] }, workers: 1 });
  await vi.waitFor(async () => expect((await ask("studies.get", { study: id })).status).toBe("finished"), { interval: 50 });
  const [of] = await ask("runs.list", { study: id });
  expect((await ask("predictions.kept", { run: of!.id })).problem).toMatch(/Runs of a study keep no weights\./);
  expect(existsSync(join(storeDir, "weights", `${of!.id}.best.weights`))).toBe(false);
});

const scores = (rows: readonly (readonly number[])[]) => Float32Array.from(rows.flat().map(Math.log));
const five = { labels: Float32Array.of(0, 1, 1, 0, 2), width: 3, scores: scores([[0.7, 0.2, 0.1], [0.6, 0.3, 0.1], [0.05, 0.9, 0.05], [0.25, 0.25, 0.5], [0.2, 0.2, 0.6]]) };

it("counts classes against predictions, and finds what is worth a look", () => {
  const examples = classified(five);
  expect(confusionOf(examples, 3)).toEqual([[1, 0, 1], [1, 1, 0], [0, 0, 1]]);
  const order = (request: Parameters<typeof chosen>[1]) => chosen(examples, request).map(({ index }) => index);
  expect(order({ order: "wrong", cell: null, seed: 0 })).toEqual([3, 1]);
  expect(order({ order: "wrong", cell: { actual: 1, predicted: 1 }, seed: 0 })).toEqual([2]);
  expect(order({ order: "class", cell: null, seed: 0 })).toEqual([0, 1, 4, 3, 2]);
  expect(order({ order: "random", cell: null, seed: 1 })).not.toEqual(order({ order: "random", cell: null, seed: 2 }));
  expect([...order({ order: "random", cell: null, seed: 1 })].sort()).toEqual([0, 1, 2, 3, 4]);
});

it("summarizes residuals", () => {
  const { rmse, mae, bias, r2, points, histogram } = residualsOf({ labels: Float32Array.of(1, 2, 3, 4), scores: Float32Array.of(2, 2, 3, 2) });
  expect({ rmse, mae, bias, r2 }).toEqual({ rmse: Math.sqrt(5 / 4), mae: 0.75, bias: -0.25, r2: 0 });
  expect(points).toEqual([[1, 2], [2, 2], [3, 3], [4, 2]]);
  expect(histogram.counts.reduce((sum, n) => sum + n, 0)).toBe(4);
  expect(histogram.counts[20]).toBe(2);
  expect([histogram.counts[0], histogram.counts[30]]).toEqual([1, 1]);
  expect(residualsOf({ labels: Float32Array.of(1, 1), scores: Float32Array.of(1, 1) })).toMatchObject({ r2: null, rmse: 0 });
});

it("writes in the language of a text, the same for one seed", async () => {
  const folder = ownDataFolder();
  const path = join(folder, "letters.txt");
  writeFileSync(path, "hand in hand, and on ".repeat(400));
  const { ask, train, refusal, services } = await open();
  const { kind } = await ask("datasets.create", { order: { form: "text", title: "Letters", path } });
  const run = await train({ dataset: { kind }, model: { kind: "charRnn", layers: 1, hidden: 24, embedding: 6, steps: 21 }, batchSize: 4, budget: { epochs: 4 }, tower: [{ optimizer: "adam", alpha: 0.02 }, { optimizer: "sgd", alpha: 1e-5 }] });
  const write = (changes: object = {}) => ask("predictions.text", { run, prime: "hand in hand, and on ", length: 84, temperature: 0, ...changes });
  expect((await write()).text).toBe("hand in hand, and on ".repeat(4));
  const bold = await write({ temperature: 5, seed: 3 });
  expect(bold.text).not.toBe((await write({ temperature: 5, seed: 4 })).text);
  expect((await write({ temperature: 5, seed: 3 })).text).toBe(bold.text);
  expect(await refusal("predictions.text", { run, prime: "Hand" })).toMatch(/the training text does not contain "H"; allowed: "/);
  expect(await refusal("predictions.samples", { run })).toMatch(/Letters has no classes/);
  const model = await services.exportWeights(run, "best", "onnx", { steps: 1, states: true });
  expect(model.remarks).toEqual([
    "inputs: symbols int64 [batch, 1]; rnn.hidden_l0 float32 [batch, 24]; rnn.cell_l0 float32 [batch, 24]",
    "outputs: logits float32 [batch, 1, 8]; probabilities float32 [batch, 1, 8]; next.rnn.hidden_l0 float32 [batch, 24]; next.rnn.cell_l0 float32 [batch, 24]",
  ]);
  const report = await ask("predictions.report", { run });
  expect(report).toMatchObject({ task: "text" });
  expect(report.loss).toBeCloseTo(report.kept.evaluation.testLoss!, 4);
});

it("reads an example symbol by symbol, with its attention, and hands that out as files", async () => {
  const path = join(ownDataFolder(), "letters.txt");
  writeFileSync(path, "hand in hand, and on ".repeat(400));
  const { ask, train, refusal, services } = await open();
  const { kind } = await ask("datasets.create", { order: { form: "text", title: "Letters", path } });
  const run = await train({ dataset: { kind }, model: { kind: "transformer", layers: 2, heads: 2, width: 8, context: 8, dropout: 0 }, batchSize: 4, budget: { epochs: 1, stepsPerEpoch: 5 } });
  const reading = await ask("predictions.reading", { run, example: { from: "text", set: "test", position: 3 }, module: 1 });
  expect(reading.symbols.map(({ name }) => name).join("")).toHaveLength(8);
  expect(reading.symbols.every(({ next, ranked }, i) => next !== null && ranked.length === 5 && (i === 7 || next.name === reading.symbols[i + 1]!.name))).toBe(true);
  expect(reading.symbols[0]!.next!.loss).toBeCloseTo(-Math.log(reading.symbols[0]!.next!.probability), 5);
  expect(reading.modules).toEqual([0, 1].map((layer) => ({ name: `transformer.h.${layer}.attn`, heads: 2, queries: 8, keys: 8, causal: true })));
  const weights = decodeFloats(reading.weights!);

  const attention = { checkpoint: "best" as const, example: { from: "text" as const, set: "test" as const, position: 3 }, module: 1, head: null };
  const bytes = async (format: AttentionFormat, changes: object = {}) => buffer(Readable.from((await services.reportFile({ of: { run }, file: attentionFile(format), settings: pictureSettings.parse({}), attention: { ...attention, ...changes } })).pieces));
  const arrays = unzipSync(await bytes("npz"));
  expect(Object.keys(arrays)).toEqual(["symbols.npy", "transformer.h.0.attn.npy", "transformer.h.1.attn.npy"]);
  expect([...parseNpy(arrays["transformer.h.1.attn.npy"]!, "").data]).toEqual([...weights]);
  expect((JSON.parse((await bytes("json")).toString()) as { modules: { weights: number[][][] }[] }).modules[1]!.weights.flat(2)).toEqual([...weights]);
  const rows = (await bytes("csv")).toString().trimEnd().split("\n");
  expect(rows).toHaveLength(1 + 2 * 2 * 64);
  expect(rows[1]).toMatch(/^transformer\.h\.0\.attn,0,0,0,/);
  expect((await bytes("png")).subarray(1, 4).toString()).toBe("PNG");
  await expect(bytes("svg", { head: 2 })).rejects.toThrow("transformer.h.1.attn has no head 2; it has 2, from 0 on");

  expect(await refusal("predictions.reading", { run, example: { from: "text", set: "test", position: 3 }, module: 2 })).toBe("There is no attention 2; the model has 2, from 0 on.");
  expect(await refusal("predictions.reading", { run, example: { from: "typed", text: "Hand" } })).toMatch(/the training text does not contain "H"/);
  expect(await refusal("predictions.reading", { run, example: { from: "picture" } })).toMatch(/must be one of: text, typed, example/);
});

it("lays predicted quantities beside the true ones, in their own unit", async () => {
  const folder = ownDataFolder();
  const path = join(folder, "line.csv");
  const rows = Array.from({ length: 300 }, (_, i) => [(i % 60) / 30 - 1, Math.sin(i)] as const);
  writeFileSync(path, ["x,z,y", ...rows.map(([x, z]) => `${x},${z},${1000 + 300 * x - 100 * z}`)].join("\n"));
  const { ask, train } = await open();
  const { kind } = await ask("datasets.create", { order: { form: "csv", title: "A line", path, delimiter: ",", header: true, roles: ["number", "number", "target"], task: "regression" } });
  const run = await train({ dataset: { kind }, batchSize: 20, budget: { epochs: 20 }, tower: [{ optimizer: "adam", alpha: 0.01 }, { optimizer: "sgd", alpha: 1e-5 }] });
  const report = await ask("predictions.report", { run });
  if (report.task !== "regression") throw new Error(report.task);
  expect(report.examples).toBe(60);
  expect(report.r2).toBeGreaterThan(0.95);
  expect(report.rmse).toBeCloseTo(report.kept.evaluation.testRmse!, 2);
  expect(report.mae).toBeCloseTo(report.kept.evaluation.testMae!, 2);
  expect(report.points).toHaveLength(60);
  for (const [truth, predicted] of report.points) expect(Math.abs(predicted - truth)).toBeLessThan(200);
  expect(Math.min(...report.points.map(([truth]) => truth))).toBeGreaterThan(500);
});
