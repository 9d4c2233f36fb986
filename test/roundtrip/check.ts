/**
 * `npm run test:roundtrip [-- --only NAME]`: networks trained here are loaded into PyTorch's modules with strict=True and run in ONNX
 * Runtime for Python, and must predict the same; one begins from a file that PyTorch wrote. HYPERTOWER_PYTHON names a
 * Python with torch, safetensors, onnx and onnxruntime.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { parseArgs } from "node:util";
import { buffer } from "node:stream/consumers";
import { setTimeout } from "node:timers/promises";
import { networksFolder } from "../../src/core/networks/folder.ts";
import { modelOf } from "../../src/core/networks/model.ts";
import { Random } from "../../src/core/models/random.ts";
import { buildPredictor, scoresOf } from "../../src/core/prediction/program.ts";
import { loadFeed } from "../../src/core/feeds/loadFeed.ts";
import { parseSafetensors } from "../../src/core/weights/safetensors.ts";
import { adam, batches, loadMnist, loadWeights, mlp, nll, optimize, sgd } from "../../src/library/index.ts";
import { createServices } from "../../src/main/services/createServices.ts";
import { withOwnFacts } from "../../src/main/services/experiments.ts";
import { nodeLauncher } from "../../src/main/hosting/nodeLauncher.ts";
import type { Experiment } from "../../src/shared/experiment.ts";
import { dataShape } from "../../src/shared/models/data.ts";
import { tiedNames } from "../../src/shared/models/tied.ts";
import { isActive } from "../../src/shared/run.ts";
import { findPython, runPython } from "../support/python.ts";

/** Largest difference of a probability that passes: float32 rounding. */
const tolerance = 2e-6;
const batch = 16;

interface Answer {
  readonly metadata: Readonly<Record<string, string>>;
  /** Largest differences: of PyTorch's probabilities from our float64 ones, of ONNX Runtime's from PyTorch's. */
  readonly torch: number;
  readonly onnx?: number;
  readonly logits?: number;
  readonly one?: number;
  readonly opset?: number;
  readonly tracked?: Readonly<Record<string, number>>;
}

const { values: options } = parseArgs({ options: { only: { type: "string", default: "" } } });
const found = findPython("torch", "safetensors", "onnx", "onnxruntime");
if (found === undefined) throw new Error("no Python with torch, safetensors, onnx and onnxruntime; set HYPERTOWER_PYTHON");
const python = found;
const source = readFileSync(new URL("roundtrip.py", import.meta.url), "utf8");

const folder = mkdtempSync(join(tmpdir(), "hypertower-roundtrip-"));
process.env["HYPERTOWER_DATA"] = join(folder, "data");
const services = await createServices({ storeDir: join(folder, "store"), host: "browser", version: "0", launchTrainer: nodeLauncher(new URL("../../src/main/trainer/trainer.ts", import.meta.url)) });
const { handlers } = services;

async function train(given: unknown): Promise<{ run: string; experiment: Experiment }> {
  const { id } = await handlers["runs.start"]({ experiment: (await withOwnFacts(given)) as never });
  for (;;) {
    const { status, experiment } = await handlers["runs.get"]({ run: id });
    if (status === "finished") return { run: id, experiment };
    if (!isActive(status)) throw new Error(`a run is ${status}`);
    await setTimeout(50);
  }
}

/** Our own probabilities in float64, example by example. */
async function probabilitiesOf(experiment: Experiment, weights: string, random: Random): Promise<{ x: number[]; shape: number[]; probabilities: number[]; scale: number; vocabulary: number }> {
  const data = dataShape(experiment);
  const model = await modelOf(experiment.model, data, networksFolder(join(folder, "store")));
  const { task } = await loadFeed(experiment, model);
  const { tensors } = parseSafetensors(readFileSync(weights), weights);
  const arrays = [...tensors].flatMap(([name, { shape, values }]) => (name.endsWith("num_batches_tracked") || name in tiedNames(experiment.model, data) ? [] : [{ name, shape, values }]));
  const { executable, width } = await buildPredictor({ experiment: { engine: { kind: "reference", threads: 1 } }, model, task, batchSizes: [batch], weights: arrays });
  const shape = [batch, ...data.input.shape];
  const vocabulary = data.input.kind === "tokens" ? data.input.vocabulary : 0;
  const x = Array.from({ length: shape.reduce((a, b) => a * b) }, () => random.below(vocabulary || 256));
  const inputs: Record<string, Uint8Array | Int32Array | Float64Array> = vocabulary > 0 ? { symbols: Int32Array.from(x), targets: new Int32Array(x.length), carry: Float64Array.of(0) } : { features: Uint8Array.from(x), labels: new Uint8Array(batch) };
  await executable.run(`predict@${batch}`, inputs);
  const scores = (await executable.state([scoresOf(batch)]))[scoresOf(batch)]!;
  await executable.dispose();
  const steps = vocabulary > 0 ? shape[1]! : 1;
  // The program has the scores of a text step by step.
  const probabilities = Array.from(scores, (_, i) => {
    const [row, step, column] = [Math.floor(i / (steps * width)), Math.floor(i / width) % steps, i % width];
    return Math.exp(scores[(step * batch + row) * width + column]!);
  });
  return { x, shape, probabilities, scale: 1 / 255, vocabulary };
}

async function saved(run: string, format: "safetensors" | "npz" | "onnx"): Promise<string> {
  const path = join(folder, `${run}.${format}`);
  writeFileSync(path, await buffer(Readable.from((await services.exportWeights(run, "last", format)).pieces)));
  return path;
}

const tower = [{ optimizer: "adam", alpha: 0.003 }, { optimizer: "sgd", alpha: 1e-5 }];
const images = { dataset: { trainExamples: 1000, testExamples: 200 }, batchSize: 50, budget: { epochs: 2 }, tower };

/** PyTorch's transformer, exported and imported with its tied embedding. */
async function tiedNetwork(vocabulary: number): Promise<object> {
  const path = join(folder, "gpt.onnx");
  runPython(python, source, { export: { kind: "gpt", vocabulary, path } });
  const { network } = await handlers["networks.import"]({ path, ties: { "lm_head.weight": "transformer.wte.weight" } });
  return { kind: "graph", network: network.hash, facts: network.facts, steps: 20 };
}

async function trainedHere(): Promise<{ name: string; kind: string; experiment: object }[]> {
  const path = join(folder, "text.txt");
  writeFileSync(path, "the quick brown fox jumps over the lazy dog, and ".repeat(200));
  const { kind } = await handlers["datasets.create"]({ order: { form: "text", title: "Fox", path } as never });
  const text = (cell: string) => ({ dataset: { kind }, model: { kind: "charRnn", cell, layers: 2, hidden: 16, embedding: 8, steps: 20 }, batchSize: 8, budget: { epochs: 2 }, tower });
  return [
    { name: "MLP", kind: "mlp", experiment: { ...images, model: { hidden: [16], outputActivation: "identity" } } },
    { name: "MLP, the average evaluated", kind: "mlp", experiment: { ...images, model: { hidden: [16], outputActivation: "identity" }, tower: [{ optimizer: "scheduleFreeAdam", alpha: 0.003 }] } },
    { name: "CNN with batch normalization", kind: "cnn", experiment: { ...images, model: { kind: "cnn", channels: [8, 8], kernel: 3, batchNorm: true, hidden: [12] } } },
    { name: "ResNet-8", kind: "resnet", experiment: { ...images, model: { kind: "resnet", depth: 8, width: 4 } } },
    { name: "LSTM of characters", kind: "lstm", experiment: text("lstm") },
    { name: "GRU of characters", kind: "gru", experiment: text("gru") },
    { name: "transformer imported from ONNX, tied", kind: "gpt", experiment: { ...text("lstm"), model: await tiedNetwork(new Set(readFileSync(path, "utf8")).size) } },
    { name: "transformer, tied embedding", kind: "gpt", experiment: { ...text("lstm"), model: { kind: "transformer", layers: 2, heads: 2, width: 16, context: 20 } } },
  ];
}

/** From PyTorch's file through training here and back. */
async function throughTheLibrary(): Promise<object> {
  const start = join(folder, "start.safetensors");
  runPython(python, source, { start: { kind: "mlp", vocabulary: 0, path: start } });
  const { train: examples } = await loadMnist({ trainExamples: 512 });
  const training = await optimize(mlp([784, 16, 10], { outputActivation: "identity" }), { optimizer: adam({ alpha: 0.003, optimizer: sgd(1e-5) }), loss: nll, parameters: (await loadWeights(start)).values });
  for (const one of batches(examples, 64)) await training.step(one);
  const weights = join(folder, "library.safetensors");
  await training.saveWeights(weights);
  const random = new Random(5, "initialization", 1);
  const x = Array.from({ length: batch * 784 }, () => Math.fround(random.uniform()));
  const { values } = await training.predict({ features: Float32Array.from(x) });
  await training.dispose();
  return { kind: "mlp", weights, x, shape: [batch, 784], probabilities: Array.from(values, Math.exp) };
}

const names: string[] = [];
const cases: object[] = [];
try {
  const random = new Random(4, "initialization", 1);
  for (const { name, kind, experiment: given } of await trainedHere()) {
    if (!name.includes(options.only)) continue;
    const { run, experiment } = await train(given);
    const weights = await saved(run, "safetensors");
    names.push(name);
    cases.push({ kind, weights, npz: await saved(run, "npz"), model: await saved(run, "onnx"), ...(await probabilitiesOf(experiment, weights, random)) });
  }
  const library = "MLP from PyTorch's file, by the library";
  if (library.includes(options.only)) {
    names.push(library);
    cases.push(await throughTheLibrary());
  }
  const answers = JSON.parse(runPython(python, source, { cases })) as Answer[];
  console.log(`${"network".padEnd(42)}${"PyTorch".padEnd(11)}${"ONNX".padEnd(11)}${"logits".padEnd(11)}step  weights`);
  let failed = false;
  for (const [i, { metadata, torch, onnx, logits, one, tracked = {} }] of answers.entries()) {
    const shown = (value: number | undefined) => (value === undefined ? "-" : value.toExponential(1)).padEnd(11);
    console.log(`${names[i]!.padEnd(42)}${shown(torch)}${shown(onnx)}${shown(logits)}${metadata["step"]!.padEnd(6)}${metadata["weights"] ?? "latest"}`);
    const counted = Object.values(tracked).every((count) => String(count) === metadata["step"]);
    failed ||= !counted || [torch, onnx ?? 0].some((value) => !(value < tolerance)) || !((one ?? 0) < 1e-4);
  }
  if (failed) throw new Error(`a difference is above ${tolerance}, or the batches were not counted`);
} finally {
  await services.close();
  rmSync(folder, { recursive: true, force: true });
}
