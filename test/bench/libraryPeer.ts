/** The authors' library, given the same initial weights and the same order of examples as ours. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { folderOf } from "../../src/core/datasets/files.ts";
import { mnist } from "../../src/shared/catalog/mnist.ts";
import { buildModel } from "../../src/core/models/build.ts";
import { Random } from "../../src/core/models/random.ts";
import type { Experiment } from "../../src/shared/experiment.ts";
import { describeModel } from "../../src/shared/models/architecture.ts";
import { dataShape } from "../../src/shared/models/data.ts";
import { initialValue, learnedHyperparameters, type Level } from "../../src/shared/tower.ts";
import { startPython, type Cores } from "./python.ts";

export type Dtype = "float32" | "float64";

export interface Trace {
  /** Hyperparameters, `L0.alpha`, as stored. */
  readonly columns: readonly string[];
  readonly loss: Float64Array;
  /** By step, then by column: the values in force when that step's loss was measured. */
  readonly stored: readonly Float64Array[];
}

export interface Trained extends Trace {
  /** Percent. */
  readonly testError: number;
  /** As stored, after the last update. */
  readonly final: Readonly<Record<string, number>>;
}

export interface TimingSetting {
  readonly threads: number;
  readonly createGraph: boolean;
}

export interface Library {
  /** Version, and how fast its products are. */
  readonly torch: string;
  /** Takes over the initial weights and the order of examples of an experiment's run. */
  load(experiment: Experiment): Promise<void>;
  /** @param rounded starts from weights that are larger by one part in 2^52 */
  trace(tower: readonly Level[], sizes: readonly number[], dtype: Dtype, rounded?: boolean): Promise<Trace>;
  /** A trace, and how the trained network does on the test set. */
  train(tower: readonly Level[], sizes: readonly number[], createGraph: boolean): Promise<Trained>;
  /** Whole runs in float32, one after another, an evaluation after each epoch: seconds, and the test errors in percent. */
  runs(towers: readonly (readonly Level[])[], options: { readonly epochs: number; readonly threads: number; readonly trainExamples: number }): Promise<{ readonly seconds: number; readonly testErrors: readonly number[] }>;
  /** Milliseconds per step, float32. */
  time(tower: readonly Level[], steps: number, setting: TimingSetting): Promise<number>;
  close(): void;
}

interface LibraryClass {
  readonly all: string;
  readonly alphaAlone?: string;
  /** Constructor arguments by the names of our hyperparameters. */
  readonly names: Readonly<Record<string, string>>;
}

const libraryClasses: Partial<Record<Level["optimizer"], LibraryClass>> = {
  sgd: { all: "SGD", names: { alpha: "alpha", mu: "mu" } },
  adam: { all: "Adam", alphaAlone: "AdamBaydin", names: { alpha: "alpha", beta1: "beta1", beta2: "beta2", logEps: "log_eps" } },
  adaGrad: { all: "AdaGrad", names: { alpha: "alpha" } },
  rmsProp: { all: "RMSProp", alphaAlone: "RMSPropAlpha", names: { alpha: "alpha", gamma: "gamma" } },
};

/** Class of the library that learns what this level learns, and its arguments. */
function libraryLevel(level: Level, top: boolean): Record<string, string | number> {
  const known = libraryClasses[level.optimizer];
  if (!known) throw new Error(`the authors' library has no ${level.optimizer}`);
  const { all, alphaAlone, names } = known;
  const learned = learnedHyperparameters(level).map(({ name }) => name);
  const narrow = !top && alphaAlone !== undefined && learned.join() === "alpha";
  const values = Object.entries(names).map(([ours, theirs]) => [theirs, initialValue(level, ours)] as const);
  return { type: narrow ? alphaAlone : all, ...Object.fromEntries(values) };
}

const libraryStack = (tower: readonly Level[]) => tower.map((level, i) => libraryLevel(level, i === tower.length - 1));

/** Indices of training examples over `epochs` epochs, as a run sees them. */
export function exampleOrder({ seed, dataset: { trainExamples }, budget, shuffle }: Experiment): Uint32Array {
  const random = new Random(seed, "shuffling", 1);
  const order = new Uint32Array(trainExamples * budget.epochs);
  const asTheyStand = Uint32Array.from({ length: trainExamples }, (_, i) => i);
  for (let epoch = 0; epoch < budget.epochs; epoch++) order.set(shuffle ? random.permutation(trainExamples) : asTheyStand, epoch * trainExamples);
  return order;
}

/** Initial parameters of a run by name, in the model's order. */
export function initialParameters(experiment: Experiment): Record<string, Float64Array> {
  const model = buildModel(describeModel(experiment.model, dataShape(experiment)));
  const random = new Random(experiment.seed, "initialization", 1);
  return Object.fromEntries(model.parameters.map(({ name, initialize }) => [name, initialize(random)]));
}

export async function startLibrary(cores: Cores = "any"): Promise<Library> {
  const folder = mkdtempSync(join(tmpdir(), "hypertower-library-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  const python = await startPython({
    script: "library_peer.py",
    cores,
    imports: "import torch; from gradient_descent_the_ultimate_optimizer import gdtuo",
    missing:
      "The authors' library was not found. Install it beside PyTorch (pip install gradient-descent-the-ultimate-optimizer; with Debian's" +
      " python3-torch: pip install --no-deps --target FOLDER gradient-descent-the-ultimate-optimizer, and PYTHONPATH=FOLDER).",
  });
  const out = join(folder, "trace.f64");
  const traced = (answer: Readonly<Record<string, unknown>>, steps: number): Trace => {
    const columns = answer["columns"] as string[];
    const bytes = readFileSync(out);
    const rows = new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
    const width = columns.length + 1;
    return {
      columns,
      loss: Float64Array.from({ length: steps }, (_, t) => rows[t * width]!),
      stored: Array.from({ length: steps }, (_, t) => rows.subarray(t * width + 1, (t + 1) * width)),
    };
  };
  return {
    torch: `${String(python.hello["torch"])}, ${python.blas}`,
    async load(experiment) {
      if (experiment.model.kind !== "mlp") throw new Error(`the peer trains an MLP, not a ${experiment.model.kind}`);
      const parameters = Object.values(initialParameters(experiment));
      writeFileSync(join(folder, "weights.f64"), Buffer.concat(parameters.map(({ buffer }) => Buffer.from(buffer))));
      writeFileSync(join(folder, "order.u32"), exampleOrder(experiment));
      await python.ask({ cmd: "load", folder, mnist: folderOf(mnist), hidden: experiment.model.hidden[0] });
    },
    trace: async (tower, sizes, dtype, rounded = false) =>
      traced(await python.ask({ cmd: "trace", stack: libraryStack(tower), sizes, dtype, rounded, out }), sizes.length),
    async train(tower, sizes, createGraph) {
      const answer = await python.ask({ cmd: "trace", stack: libraryStack(tower), sizes, dtype: "float32", out, test: true, createGraph });
      return {
        ...traced(answer, sizes.length),
        testError: Number(answer["testError"]),
        final: answer["hyperparameters"] as Record<string, number>,
      };
    },
    async runs(towers, options) {
      const answer = await python.ask({ cmd: "runs", stacks: towers.map(libraryStack), ...options });
      return { seconds: Number(answer["seconds"]), testErrors: answer["testErrors"] as number[] };
    },
    time: async (tower, steps, setting) => Number((await python.ask({ cmd: "time", stack: libraryStack(tower), steps, ...setting }))["ms"]),
    close: () => python.close(),
  };
}
