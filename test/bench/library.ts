/**
 * `npm run bench:library`: ours against the authors' library from PyPI, on MNIST, with the
 * same initial weights and the same batches. First the largest relative difference of the
 * loss and of each learned hyperparameter over the steps:
 *
 *   32:32   ours (ONNX Runtime, float32) and the library in float32
 *   lib     the library in float32 and the library in float64: what rounding alone does
 *   32:64   ours in float32 and the library in float64
 *   64:64   ours (float64 reference) and the library in float64, over fewer steps; over all
 *           of them where 32:32 is above 1e-3, to tell rounding from a mistake
 *
 * Then milliseconds per step, both measured in turn, the library at its best setting.
 */
import { cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { loadDataset } from "../../src/core/datasets/index.ts";
import { toEffective } from "../../src/core/hyperoptimizers/stored.ts";
import { batchesInOrder, type Batch } from "../../src/core/feeds/batches.ts";
import { prepareRun } from "../../src/core/training/prepare.ts";
import type { EngineKind } from "../../src/shared/engines.ts";
import { validateExperiment, type Experiment, type ExperimentInput } from "../../src/shared/experiment.ts";
import { hyperparameterColumns, notation } from "../../src/shared/tower.ts";
import { exampleOrder, startLibrary, type Trace } from "./libraryPeer.ts";
import { median } from "./median.ts";

const { values } = parseArgs({
  options: {
    /** 0 leaves the differences out. */
    steps: { type: "string", default: "200" },
    /** Steps of the float64 pair: the reference takes its time. */
    "reference-steps": { type: "string", default: "20" },
    /** Only stacks whose notation contains this. */
    only: { type: "string", default: "" },
    /** 0 leaves the timings out. */
    repetitions: { type: "string", default: "15" },
  },
});
const steps = Number(values.steps);
const referenceSteps = Number(values["reference-steps"]);
const repetitions = Number(values.repetitions);
/** Steps of one timing. */
const timedSteps = 40;

const sgd = (alpha = 0.01) => ({ optimizer: "sgd", alpha }) as const;
const towers: readonly NonNullable<ExperimentInput["tower"]>[] = [
  [sgd(), sgd()],
  [{ optimizer: "sgd", mu: 0.9 }, sgd(1e-3)],
  [{ optimizer: "adam" }, sgd(1e-5)],
  [{ optimizer: "adam" }, { optimizer: "adam" }],
  [{ optimizer: "adaGrad" }, { optimizer: "adaGrad" }],
  [{ optimizer: "rmsProp" }, { optimizer: "rmsProp", alpha: 1e-4 }],
  [{ optimizer: "adamBaydin" }, sgd(1e-5)],
  [{ optimizer: "rmsPropAlpha" }, sgd(1e-4)],
  [{ optimizer: "adaGrad" }, sgd()],
  [{ optimizer: "rmsProp" }, sgd(1e-4)],
  [sgd(), sgd(), sgd()],
];

/** Stacks of two levels with SGD on top, one for each optimizer: what the time of a step is judged by. */
const underSgd = (tower: NonNullable<ExperimentInput["tower"]>) => tower.length === 2 && tower[1]!.optimizer === "sgd";

const chosen = () => towers.filter((tower) => notation(experimentOf(tower).tower).includes(values.only));

function experimentOf(tower: ExperimentInput["tower"], engine: EngineKind = "onnx-cpu"): Experiment {
  const result = validateExperiment({ tower, engine: { kind: engine } });
  if (!result.ok) throw new Error(result.errors[0]!.message);
  return result.experiment;
}

const base = experimentOf(undefined);
const epochs = Math.ceil((Math.max(steps, 1) * base.batchSize) / base.dataset.trainExamples);
const shared: Experiment = { ...base, budget: { epochs } };
const dataset = await loadDataset(shared.dataset);
const order = exampleOrder(shared);
const sizes = Array<number>(steps).fill(shared.batchSize);

/** The shared batches; those of an epoch run on into the next, for both sides. */
const batches = () => batchesInOrder({ examples: dataset.train, order, batchSize: shared.batchSize });

async function ours(tower: ExperimentInput["tower"], engine: EngineKind, count: number): Promise<Trace> {
  const { training, executable } = await prepareRun(experimentOf(tower, engine));
  const columns = training.hyperparameters.map(({ name }) => name);
  const loss = new Float64Array(count);
  const stored: Float64Array[] = [];
  for (const { size, features, labels } of batches()) {
    if (stored.length === count) break;
    const outputs = await executable.run(`${stored.length === 0 ? "begin" : "step"}@${size}`, { features, labels });
    loss[stored.length] = outputs["loss"]!;
    stored.push(Float64Array.from(columns, (name) => outputs[name]!));
  }
  await executable.dispose();
  return { columns, loss, stored };
}

/** The loss and each moving hyperparameter, effective, as series by name. */
function seriesOf(trace: Trace, { tower }: Experiment): Map<string, readonly number[]> {
  const series = new Map<string, readonly number[]>([["loss", [...trace.loss]]]);
  for (const { level, metric, spec } of hyperparameterColumns(tower)) {
    const column = trace.columns.indexOf(metric);
    if (level < tower.length - 1) series.set(metric, trace.stored.map((row) => toEffective(row[column]!, spec.storedAs)));
  }
  return series;
}

/** Largest |a - b| / |b| over the first `count` values. */
function largest(a: ArrayLike<number>, b: ArrayLike<number>, count: number): number {
  const relative = Array.from({ length: count }, (_, t) => (a[t] === b[t] ? 0 : Math.abs(a[t]! - b[t]!) / Math.abs(b[t]!)));
  return Math.max(...relative);
}

/** Largest relative difference by series, over the steps that both have. */
function differences(a: Trace, b: Trace, experiment: Experiment): Map<string, number> {
  const other = seriesOf(b, experiment);
  return new Map(
    [...seriesOf(a, experiment)].map(([name, values]) => {
      const expected = other.get(name)!;
      return [name, largest(values, expected, Math.min(values.length, expected.length))];
    }),
  );
}

const [library, oneCore] = [await startLibrary("any"), await startLibrary(1)];
for (const peer of [library, oneCore]) await peer.load(shared);
console.log(`machine: ${cpus()[0]?.model.trim() ?? "?"}, ${cpus().length} cores, load ${loadavg()[0]!.toFixed(1)}; node ${process.versions.node}; torch ${library.torch}`);
if (steps > 0) {
  console.log(`MNIST, MLP 784-128-10, batch 256; largest relative difference over ${steps} steps (64:64: ${referenceSteps})\n`);
  console.log(`${"stack".padEnd(30)}${"series".padEnd(10)}${["32:32", "lib", "32:64", "64:64"].map((name) => name.padStart(10)).join("")}`);
}

/** Above this a float32 difference has to be explained: then the float64 pair runs all steps. */
const remarkable = 1e-3;

for (const tower of steps > 0 ? chosen() : []) {
  const experiment = experimentOf(tower);
  const our32 = await ours(tower, "onnx-cpu", steps);
  const library32 = await oneCore.trace(experiment.tower, sizes, "float32");
  const library64 = await oneCore.trace(experiment.tower, sizes, "float64");
  const float32 = differences(our32, library32, experiment);
  const whole = Math.max(...float32.values()) > remarkable;
  const our64 = await ours(tower, "reference", whole ? steps : Math.min(referenceSteps, steps));
  const columns = [
    float32,
    differences(library32, library64, experiment),
    differences(our32, library64, experiment),
    differences(our64, library64, experiment),
  ];
  let title = notation(experiment.tower);
  for (const name of float32.keys()) {
    const cells = columns.map((column) => column.get(name)!.toExponential(1).padStart(10));
    console.log(`${title.padEnd(30)}${name.padEnd(10)}${cells.join("")}`);
    title = "";
  }
  if (!whole) continue;
  // A difference that starts at one rounding and grows as a rounding of the weights does is no mistake.
  const rounded64 = await oneCore.trace(experiment.tower, sizes, "float64", true);
  const growth: readonly [string, Trace, Trace][] = [
    ["32:32", our32, library32],
    ["lib", library32, library64],
    ["64:64", our64, library64],
    ["rounded", rounded64, library64],
  ];
  const marks = [1, 10, 20, 50, 100, 150, 200, 500, 1000].filter((n) => n <= steps);
  console.log(`  loss, largest difference over the first ${marks.map((n) => String(n)).join(", ")} steps; rounded: the library in float64, from weights one rounding (2^-52) larger`);
  for (const [name, a, b] of growth) console.log(`  ${name.padEnd(10)}${marks.map((n) => largest(a.loss, b.loss, n).toExponential(1).padStart(10)).join("")}`);
}

const kept: Batch[] = [];
for (const { size, features, labels } of batches()) {
  if (kept.length === 16) break;
  kept.push({ size, features: features.slice(), labels: labels.slice() });
}

/** One timing of ours. */
async function stepper(tower: ExperimentInput["tower"], threads: number): Promise<() => Promise<number>> {
  const { executable } = await prepareRun({ ...experimentOf(tower), engine: { kind: "onnx-cpu", threads } });
  let started = false;
  const step = async ({ size, features, labels }: Batch) => {
    await executable.run(`${started ? "step" : "begin"}@${size}`, { features, labels });
    started = true;
  };
  return async () => {
    for (let i = 0; i < 5; i++) await step(kept[i]!);
    const start = performance.now();
    for (let i = 0; i < timedSteps; i++) await step(kept[i % kept.length]!);
    return (performance.now() - start) / timedSteps;
  };
}

/** Takes one timing, in milliseconds per step. */
type Timing = () => Promise<number>;

/** The fastest of a few settings, each timed three times in turn. */
async function fastest(timings: readonly Timing[]): Promise<Timing> {
  const least = timings.map(() => Infinity);
  for (let i = 0; i < 3; i++) {
    for (const [k, time] of timings.entries()) least[k] = Math.min(least[k]!, await time());
  }
  return timings[least.indexOf(Math.min(...least))]!;
}

async function timingsOf(tower: ExperimentInput["tower"]): Promise<{ one: [Timing, Timing]; best: [Timing, Timing]; withoutGraph: Timing }> {
  const levels = experimentOf(tower).tower;
  const cores = cpus().length;
  const ours = await Promise.all([...new Set([1, cores])].map((threads) => stepper(tower, threads)));
  const theirs = (createGraph: boolean): [Timing, ...Timing[]] => [
    () => oneCore.time(levels, timedSteps, { threads: 1, createGraph }),
    () => library.time(levels, timedSteps, { threads: 1, createGraph }),
    () => library.time(levels, timedSteps, { threads: cores, createGraph }),
  ];
  return {
    one: [ours[0]!, theirs(true)[0]],
    best: [await fastest(ours), await fastest(theirs(true))],
    withoutGraph: await fastest(theirs(false)),
  };
}

async function compareTimes(): Promise<void> {
  console.log(`\nms per step, float32, and ratios ours : library: median (least) of ${repetitions} repetitions of ${timedSteps} steps, all taken in turn.`);
  console.log(`One thread against one core; then both at the fastest of one thread and ${cpus().length}, the library also with a BLAS that takes what it likes;`);
  console.log("then the library at its fastest without create_graph=True, which it is documented with and which changes nothing that it computes.\n");
  const head = ["ours, 1 thread", "library, 1 core", "ratio", "ours, best", "library, best", "ratio", "no create_graph", "ratio"];
  console.log(`${"stack".padEnd(26)}${head.map((name) => name.padStart(17)).join("")}`);
  const summary: string[] = [];
  for (const tower of chosen()) {
    const { one, best, withoutGraph } = await timingsOf(tower);
    const timings = [...one, ...best, withoutGraph];
    const times = timings.map((): number[] => []);
    for (let i = 0; i < repetitions; i++) for (const [k, time] of timings.entries()) times[k]!.push(await time());
    const cell = (typical: number, least: number) => `${typical.toFixed(2)} (${least.toFixed(2)})`.padStart(17);
    const ms = (k: number) => cell(median(times[k]!), Math.min(...times[k]!));
    const ratio = (a: number, b: number) => cell(median(times[a]!.map((t, i) => t / times[b]![i]!)), Math.min(...times[a]!) / Math.min(...times[b]!));
    const name = notation(experimentOf(tower).tower).padEnd(26);
    console.log(`${name}${[ms(0), ms(1), ratio(0, 1), ms(2), ms(3), ratio(2, 3), ms(4), ratio(2, 4)].join("")}`);
    if (underSgd(tower)) summary.push(`${name}${ratio(0, 1)}${ratio(2, 3)}`);
  }
  if (summary.length > 0) console.log(`\n${"under an SGD level".padEnd(26)}${["one core", "best"].map((head) => head.padStart(17)).join("")}\n${summary.join("\n")}`);
}

if (repetitions > 0) await compareTimes();
library.close();
oneCore.close();
process.exit(0);
