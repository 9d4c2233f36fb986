/**
 * What it brings to make batches ahead of the training, on a thread of its own: steps with and without, in
 * turn in one process. A part of `npm run bench:data`, which starts it once, and twice at a time for two runs
 * side by side. Beside the time on the clock, which other work on the machine disturbs, it takes the
 * processor's: of the training thread, what a run waits for where a core is free; of the whole process,
 * what counts where all cores are taken.
 */
import { isMainThread } from "node:worker_threads";
import { loadDataset } from "../../src/core/datasets/index.ts";
import type { Dataset } from "../../src/core/datasets/dataset.ts";
import { onnxCpuEngine } from "../../src/core/engines/onnx/engine.ts";
import { buildModel } from "../../src/core/models/build.ts";
import { Random } from "../../src/core/models/random.ts";
import { inSharedMemory, makeAheadWhen } from "../../src/core/feeds/ahead/index.ts";
import { labelledFeed } from "../../src/core/feeds/labelledFeed.ts";
import { towerLevel } from "../../src/core/training/prepare.ts";
import { buildTrainingProgram } from "../../src/core/training/trainingProgram.ts";
import { validateExperiment, type Experiment, type ExperimentInput } from "../../src/shared/experiment.ts";
import { describeModel } from "../../src/shared/models/architecture.ts";
import { dataShape } from "../../src/shared/models/data.ts";
import { median } from "./median.ts";

/** Milliseconds of a step. */
export interface Steps {
  readonly clock: number;
  /** The tenth part of the steps that took least: those that other work did not hold up. */
  readonly quiet: number;
  readonly thread: number;
  readonly process: number;
}

export interface AheadFound {
  readonly inPlace: Steps;
  readonly ahead: Steps;
}

interface Case {
  readonly title: string;
  readonly experiment: ExperimentInput;
  /** Steps of each turn after the first few, and turns each way. */
  readonly steps: number;
  readonly turns: number;
}

const augmented = { kind: "cifar10", augmentation: { crop: 4, flip: true } };

export const aheadCases: Readonly<Record<string, Case>> = {
  mnist: { title: "MLP on MNIST, 256", experiment: {}, steps: 60, turns: 12 },
  cifarMlp: { title: "MLP on CIFAR-10, 128 shifted and mirrored", experiment: { dataset: augmented, batchSize: 128 }, steps: 40, turns: 10 },
  cifarCnn: { title: "CNN on CIFAR-10, 128 shifted and mirrored", experiment: { dataset: augmented, model: { kind: "cnn" }, batchSize: 128 }, steps: 8, turns: 6 },
  cifarResnet: { title: "ResNet-20 on CIFAR-10, 128 shifted and mirrored", experiment: { dataset: augmented, model: { kind: "resnet" }, batchSize: 128 }, steps: 2, turns: 2 },
};

const quantile = (list: readonly number[], share: number) => [...list].sort((a, b) => a - b)[Math.floor(list.length * share)]!;

/** Steps of a turn that are not counted. */
const warmUp = 4;

/** As many random pictures as CIFAR-10 has, to be trained on a little. */
function pretendCifar(): Dataset {
  const random = new Random(1, "augmentation", 1);
  const examples = (count: number) => ({
    count,
    features: Uint8Array.from({ length: count * 3072 }, (_, i) => (i * 2654435761) >>> 24),
    labels: Uint8Array.from({ length: count }, () => random.below(10)),
  });
  return { task: "classification", exampleShape: [3, 32, 32], classes: 10, scale: 1 / 255, train: examples(50_000), test: examples(1000) };
}

async function prepare(experiment: Experiment) {
  const dataset = experiment.dataset.kind === "cifar10" ? pretendCifar() : await loadDataset(experiment.dataset);
  const model = buildModel(describeModel(experiment.model, dataShape(experiment)));
  const feed = labelledFeed(inSharedMemory(dataset), experiment, model);
  const training = buildTrainingProgram({ task: feed.task, levels: experiment.tower.map(towerLevel), batchSizes: [experiment.batchSize], evaluationBatchSizes: [], hypergradients: "moving" });
  const executable = await onnxCpuEngine.compile(training.program, { threads: 1 });
  const random = new Random(experiment.seed, "initialization", 1);
  executable.restore(training.initialState(Object.fromEntries(model.parameters.map(({ name, initialize }) => [name, initialize(random)]))));
  return { feed, executable };
}

const milliseconds = ({ user, system }: NodeJS.CpuUsage) => (user + system) / 1000;

export async function measureAhead({ experiment: input, steps, turns }: Case): Promise<AheadFound> {
  const result = validateExperiment(input);
  if (!result.ok) throw new Error(result.errors[0]!.message);
  const { feed, executable } = await prepare(result.experiment);
  let procedure = "begin";
  const turn = async (seed: number): Promise<Steps & { all: readonly number[] }> => {
    const times: number[] = [];
    let [thread, whole] = [process.threadCpuUsage(), process.cpuUsage()];
    let last = performance.now();
    for (const { size, inputs } of feed.epoch(new Random(seed, "shuffling", 1), 0)) {
      await executable.run(`${procedure}@${size}`, inputs);
      procedure = "step";
      // The run loop, too, lets the process hear what it is told.
      await new Promise((resolve) => setImmediate(resolve));
      const now = performance.now();
      times.push(now - last);
      last = now;
      if (times.length === warmUp) [thread, whole] = [process.threadCpuUsage(), process.cpuUsage()];
      if (times.length === warmUp + steps) break;
    }
    const all = times.slice(warmUp);
    return { clock: median(all), quiet: quantile(all, 0.1), thread: milliseconds(process.threadCpuUsage(thread)) / steps, process: milliseconds(process.cpuUsage(whole)) / steps, all };
  };
  const found: Record<keyof AheadFound, Awaited<ReturnType<typeof turn>>[]> = { inPlace: [], ahead: [] };
  // The first turn each way only warms up.
  for (let i = 0; i <= turns; i++) {
    for (const how of i % 2 === 0 ? (["inPlace", "ahead"] as const) : (["ahead", "inPlace"] as const)) {
      makeAheadWhen(() => how === "ahead");
      const one = await turn(i);
      if (i > 0) found[how].push(one);
    }
  }
  await executable.dispose();
  const together = (all: readonly (typeof found.ahead)[number][]): Steps => ({
    clock: median(all.flatMap((one) => one.all)),
    quiet: quantile(all.flatMap((one) => one.all), 0.1),
    thread: median(all.map(({ thread }) => thread)),
    process: median(all.map((one) => one.process)),
  });
  return { inPlace: together(found.inPlace), ahead: together(found.ahead) };
}

if (isMainThread && import.meta.main) console.log(JSON.stringify(await measureAhead(aheadCases[process.argv[2] ?? ""]!)));
