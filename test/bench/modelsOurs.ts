/**
 * One model on one engine in a process of its own, so that its peak memory is its own and what it breaks is too:
 * `node modelsOurs.ts CASE TOWER [ENGINE] [RUNS]`, then a JSON line of work for each answer. RUNS of it train as one program.
 */
import { createInterface } from "node:readline";
import { compileCohort } from "../../src/core/engines/cohort.ts";
import type { InputValue } from "../../src/core/engines/engine.ts";
import { EngineUnavailable } from "../../src/core/engines/failures.ts";
import { loadEngine } from "../../src/core/engines/index.ts";
import { buildModel } from "../../src/core/models/build.ts";
import { Random } from "../../src/core/models/random.ts";
import { classification } from "../../src/core/tasks/classification.ts";
import { languageModelling } from "../../src/core/tasks/languageModelling.ts";
import { towerLevel } from "../../src/core/training/prepare.ts";
import { buildTrainingProgram } from "../../src/core/training/trainingProgram.ts";
import { messageOf } from "../../src/shared/errors.ts";
import { describeModel } from "../../src/shared/models/architecture.ts";
import type { EngineKind } from "../../src/shared/experiment.ts";
import { model as modelSchema } from "../../src/shared/models/schema.ts";
import { sizeOf } from "../../src/shared/models/shape.ts";
import { summarizeModel } from "../../src/shared/models/summary.ts";
import { tower as towerSchema } from "../../src/shared/tower.ts";
import { gptMini, modelCases } from "./modelCases.ts";

const [, , name = "", stack = "[]", kind = "onnx-cpu", runs = "1"] = process.argv;
const say = (value: object) => process.stdout.write(`${JSON.stringify(value)}\n`);
const { model: config, data, batchSize } = name === "gptMini" ? gptMini : modelCases[name]!;
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
const random = new Random(0, "initialization", 1);
const engine = await loadEngine[kind as EngineKind]().catch((error: unknown) => {
  say({ problem: error instanceof EngineUnavailable ? error.why : messageOf(error) });
  process.exit(0);
});
const compiled = performance.now();
const options = { threads: 1 };
const executables = runs === "1" ? [await engine.compile(training.program, options)] : await compileCohort(engine, training.program, Number(runs), options);
for (const executable of executables) {
  executable.restore(training.initialState(Object.fromEntries(built.parameters.map(({ name, initialize }) => [name, initialize(random)]))));
}

const whole = (size: number, below: number) => Int32Array.from({ length: size }, () => random.below(below));
const inputs: Record<string, InputValue> = isText
  ? { symbols: whole(batchSize * count, data.classes), targets: whole(batchSize * count, data.classes), carry: Float64Array.of(1) }
  : { features: Uint8Array.from(whole(batchSize * sizeOf(data.input.shape), 256)), labels: Uint8Array.from(whole(batchSize, data.classes)) };
const run = (procedure: string) => Promise.all(executables.map((executable) => executable.run(`${procedure}@${batchSize}`, inputs)));
await run("begin");
await run("step");

const peak = () => process.resourceUsage().maxRSS / 1024;
say({ device: engine.describe(options).device, estimated: summarizeModel({ model, data, batchSize }).memory / 2 ** 20, compiled: performance.now() - compiled });
for await (const line of createInterface({ input: process.stdin })) {
  const { steps } = JSON.parse(line) as { steps: number };
  const start = performance.now();
  const usage = process.cpuUsage();
  for (let i = 0; i < steps; i++) await run("step");
  const { user, system } = process.cpuUsage(usage);
  say({ ms: (performance.now() - start) / steps, cpu: (user + system) / 1e3 / steps, peak: peak() });
}
