/** One model in a process of its own, so that its peak memory is its own: `node modelsOurs.ts CASE`, then a JSON line of work for each answer. */
import { createInterface } from "node:readline";
import type { InputValue } from "../../src/main/engines/engine.ts";
import { loadEngine } from "../../src/main/engines/index.ts";
import { buildModel } from "../../src/main/models/build.ts";
import { Random } from "../../src/main/models/random.ts";
import { classification } from "../../src/main/training/classification.ts";
import { languageModelling } from "../../src/main/training/languageModelling.ts";
import { towerLevel } from "../../src/main/training/prepare.ts";
import { buildTrainingProgram } from "../../src/main/training/trainingProgram.ts";
import { describeModel } from "../../src/shared/models/architecture.ts";
import { model as modelSchema } from "../../src/shared/models/schema.ts";
import { sizeOf } from "../../src/shared/models/shape.ts";
import { summarizeModel } from "../../src/shared/models/summary.ts";
import { tower as towerSchema } from "../../src/shared/tower.ts";
import { modelCases } from "./modelCases.ts";

const [, , name = "", stack = "[]"] = process.argv;
const { model: config, data, batchSize } = modelCases[name]!;
const model = modelSchema.parse(config);
const built = buildModel(describeModel(model, data));
const isText = data.input.kind === "tokens";
const count = data.input.shape[0]!;
const task = isText
  ? languageModelling({ model: built, steps: count })
  : classification({ model: built, exampleShape: data.input.shape, scale: 1 / 255 });
const training = buildTrainingProgram({
  task,
  levels: towerSchema.parse(JSON.parse(stack)).map(towerLevel),
  batchSizes: [batchSize],
  evaluationBatchSizes: [],
  hypergradients: "moving",
});
const random = new Random(0, "initialization");
const engine = await loadEngine["onnx-cpu"]();
const compiled = performance.now();
const executable = await engine.compile(training.program, { threads: 1 });
executable.restore(training.initialState(Object.fromEntries(built.parameters.map(({ name, initialize }) => [name, initialize(random)]))));

const whole = (size: number, below: number) => Int32Array.from({ length: size }, () => random.below(below));
const inputs: Record<string, InputValue> = isText
  ? { symbols: whole(batchSize * count, data.classes), targets: whole(batchSize * count, data.classes), carry: Float64Array.of(1) }
  : { features: Uint8Array.from(whole(batchSize * sizeOf(data.input.shape), 256)), labels: Uint8Array.from(whole(batchSize, data.classes)) };
await executable.run(`begin@${batchSize}`, inputs);
await executable.run(`step@${batchSize}`, inputs);

const peak = () => process.resourceUsage().maxRSS / 1024;
const say = (value: object) => process.stdout.write(`${JSON.stringify(value)}\n`);
say({ estimated: summarizeModel({ model, data, batchSize }).memory / 2 ** 20, compiled: performance.now() - compiled });
for await (const line of createInterface({ input: process.stdin })) {
  const { steps } = JSON.parse(line) as { steps: number };
  const start = performance.now();
  const usage = process.cpuUsage();
  for (let i = 0; i < steps; i++) await executable.run(`step@${batchSize}`, inputs);
  const { user, system } = process.cpuUsage(usage);
  say({ ms: (performance.now() - start) / steps, cpu: (user + system) / 1e3 / steps, peak: peak() });
}
