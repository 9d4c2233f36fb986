/**
 * `npm run bench:regime`: what becomes of the paper's MLP on MNIST when the top level's step size
 * is chosen too high, with and without the safe preset, as two tables in Markdown. Runs are kept
 * in a store and not trained again: after an interruption the same command goes on.
 */
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { validateExperiment, type Experiment, type ExperimentInput } from "../../src/shared/experiment.ts";
import type { RunSummary } from "../../src/shared/run.ts";
import { madeSafe } from "../../src/shared/safe.ts";
import { formatHyperparameter } from "../../src/shared/tower.ts";
import { obtainer } from "./obtainer.ts";
import { createServices } from "../../src/main/services/createServices.ts";
import { nodeLauncher } from "../../src/main/hosting/nodeLauncher.ts";

const { values } = parseArgs({
  options: {
    /** Folder of the store. */
    store: { type: "string", default: join(tmpdir(), "hypertower-regime") },
    workers: { type: "string", default: "1" },
    seed: { type: "string", default: "0" },
    "sgd-epochs": { type: "string", default: "30" },
    "adam-epochs": { type: "string", default: "5" },
  },
});

interface Family {
  readonly title: string;
  readonly alphas: readonly number[];
  experiment(alpha: number): ExperimentInput;
}

const seed = Number(values.seed);
const families: readonly Family[] = [
  {
    title: `SGD / SGD(α), ${values["sgd-epochs"]} epochs`,
    alphas: [0.01, 0.1, 1, 10, 25, 50, 75, 100, 1000],
    experiment: (alpha) => ({ tower: [{ optimizer: "sgd" }, { optimizer: "sgd", alpha }], budget: { epochs: Number(values["sgd-epochs"]) }, seed }),
  },
  {
    title: `Adam / SGD(α), ${values["adam-epochs"]} epochs`,
    alphas: [1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 3e-2, 1e-1],
    experiment: (alpha) => ({ tower: [{ optimizer: "adam" }, { optimizer: "sgd", alpha }], budget: { epochs: Number(values["adam-epochs"]) }, seed }),
  },
];

function valid(input: ExperimentInput): Experiment {
  const result = validateExperiment(input);
  if (!result.ok) throw new Error(result.errors.map(({ message }) => message).join("; "));
  return result.experiment;
}

const services = await createServices({
  storeDir: values.store,
  host: "browser",
  version: "bench",
  launchTrainer: nodeLauncher(new URL("../../src/main/trainer/trainer.ts", import.meta.url)),
});
try {
  const obtain = await obtainer(services, () => undefined);
  const results = new Map<Experiment, RunSummary>();
  const table = families.map((family) => ({
    ...family,
    rows: family.alphas.map((alpha) => {
      const plain = valid(family.experiment(alpha));
      return { alpha, plain, safe: madeSafe(plain) };
    }),
  }));
  const queue = table.flatMap(({ rows }) => rows.flatMap(({ plain, safe }) => [plain, safe])).values();
  const worker = async () => {
    for (const experiment of queue) {
      const { run, reused } = await obtain(experiment);
      results.set(experiment, run);
      console.error(`${run.stack}: ${outcome(run)}${reused ? " (from the store)" : ""}`);
    }
  };
  await Promise.all(Array.from({ length: Number(values.workers) }, worker));

  for (const { title, rows } of table) {
    console.log(`\n| ${title} | error % | largest α | final α | safe: error % | largest α | final α | guard |`);
    console.log("| --- | --- | --- | --- | --- | --- | --- | --- |");
    for (const { alpha, plain, safe } of rows) {
      const cells = await Promise.all([plain, safe].map((experiment) => cellsOf(results.get(experiment)!)));
      const guarded = (await services.handlers["runs.get"]({ run: results.get(safe)!.id })).events.filter(({ kind }) => kind === "guard").length;
      console.log(`| ${formatHyperparameter(alpha)} | ${cells.flat().join(" | ")} | ${guarded} |`);
    }
  }
} finally {
  await services.close();
}

function outcome({ status, testError, reason }: RunSummary): string {
  return status === "finished" && testError !== null ? `${testError.toFixed(2)} %` : `${status}: ${reason ?? ""}`;
}

/** Test error at the end, and how far level 0's step size went. */
async function cellsOf(run: RunSummary): Promise<string[]> {
  const { series } = await services.handlers["series.read"]({ run: run.id, metrics: ["L0.alpha"], after: -1, width: 1, maxBuckets: 16 });
  const largest = Math.max(...series[0]!.buckets.map(({ max }) => max ?? -Infinity));
  const final = run.hyperparameters.find(({ metric }) => metric === "L0.alpha")?.value;
  const short = (value: number) => formatHyperparameter(Number(value.toPrecision(3)));
  return [run.status === "finished" && run.testError !== null ? run.testError.toFixed(2) : run.status, short(largest), final === null || final === undefined ? "–" : short(final)];
}
