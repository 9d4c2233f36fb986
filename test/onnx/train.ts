/**
 * `npm run test:onnx-training [-- --only NAME,NAME] [--double]`: 200 steps of Adam on imported networks, beside
 * torch.optim.Adam on the same batches: the largest relative difference of a step's loss. On ONNX Runtime
 * in float32; with --double, on the reference engine. HYPERTOWER_PYTHON names a Python with torch and onnx.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { loadEngine } from "../../src/core/engines/index.ts";
import type { InputValue } from "../../src/core/engines/engine.ts";
import { readBatch, type BatchArray } from "../../src/core/graphs/batchFile.ts";
import { readGraph } from "../../src/core/graphs/describe.ts";
import { graphModel } from "../../src/core/graphs/model.ts";
import { Random } from "../../src/core/models/random.ts";
import { classification } from "../../src/core/tasks/classification.ts";
import { languageModelling } from "../../src/core/tasks/languageModelling.ts";
import { buildTrainingProgram } from "../../src/core/training/trainingProgram.ts";
import { level } from "../support/problems.ts";
import { findPython } from "../support/python.ts";

const { values: options } = parseArgs({ options: { only: { type: "string", default: "cnn,resnet20,lstm,gpt" }, double: { type: "boolean", default: false } } });
const python = findPython("torch", "onnx");
if (!python) throw new Error("no Python has torch and onnx; HYPERTOWER_PYTHON may name one");
const folder = mkdtempSync(join(tmpdir(), "hypertower-onnx-"));
const { status, stderr } = spawnSync(python, ["train.py", folder, "--only", options.only, ...(options.double ? ["--double"] : [])], { cwd: import.meta.dirname, encoding: "utf8", stdio: ["ignore", "ignore", "pipe"] });
if (status !== 0) throw new Error(stderr);

const engine = await loadEngine[options.double ? "reference" : "onnx-cpu"]();
const adam = level("adam", { alpha: 1e-3, convention: "pytorch" });

/** Losses of each step, as torch.optim.Adam's were. */
async function losses(name: string): Promise<{ ours: number[]; theirs: Float64Array }> {
  const { description, tensors } = readGraph(readFileSync(join(folder, `${name}.onnx`)), { folder });
  const arrays = readBatch(readFileSync(join(folder, `${name}.steps.npz`)));
  const [x, y, loss] = ["x", "y", "loss"].map((key) => arrays.get(key)!) as unknown as [BatchArray, BatchArray, BatchArray];
  const [batches, batchSize, ...exampleShape] = x.shape as [number, number, ...number[]];
  const model = graphModel(description, tensors, { exampleShape, dropout: false });
  const ofSymbols = x.kind !== "float";
  const task = ofSymbols ? languageModelling({ model, steps: exampleShape[0]! }) : classification({ model, exampleShape, scale: 1, features: "float" });
  const training = buildTrainingProgram({ task, levels: [adam], batchSizes: [batchSize], evaluationBatchSizes: [], hypergradients: "moving" });
  const executable = await engine.compile(training.program, { threads: 1 });
  const random = new Random(0, "initialization", 1);
  executable.restore({ ...training.initialState(Object.fromEntries(model.parameters.map((one) => [one.name, one.initialize(random)]))), ...model.bufferValues });
  const part = (data: Float64Array, n: number) => data.subarray((n * data.length) / batches, ((n + 1) * data.length) / batches);
  const float = (data: Float64Array) => (options.double ? data : Float32Array.from(data));
  const batch = (n: number): Record<string, InputValue> =>
    ofSymbols
      ? { symbols: Int32Array.from(part(x.data, n)), targets: Int32Array.from(part(y.data, n)), carry: Float64Array.of(0) }
      : { features: float(part(x.data, n)), labels: Uint8Array.from(part(y.data, n)) };
  const ours: number[] = [];
  for (let step = 0; step < loss.data.length; step++) {
    ours.push((await executable.run(`${step === 0 ? "begin" : "step"}@${batchSize}`, batch(step % batches)))["loss"]!);
  }
  await executable.dispose();
  return { ours, theirs: loss.data };
}

console.log(`network      largest relative difference of a step's loss   first loss   last loss   (Adam, 200 steps, ${options.double ? "reference, float64" : "onnx-cpu, float32"})`);
for (const name of options.only.split(",")) {
  const { ours, theirs } = await losses(name);
  const worst = Math.max(...ours.map((value, i) => Math.abs(value - theirs[i]!) / Math.abs(theirs[i]!)));
  console.log(`${name.padEnd(12)} ${worst.toExponential(1).padEnd(47)} ${theirs[0]!.toFixed(4).padEnd(12)} ${theirs.at(-1)!.toFixed(4)}`);
  if (!(worst < (options.double ? 1e-8 : 1e-2))) process.exitCode = 1;
}
rmSync(folder, { recursive: true });
