/**
 * `npm run bench:study-store`: a store with a study of 1,000 runs, made without training, and how
 * long it takes to open it, to list, to read the study and its trajectories, to export every step of
 * it, and how many bytes a logged value takes.
 */
import { createWriteStream, mkdtempSync, rmSync, statSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { parseArgs } from "node:util";
import { createServices } from "../../src/main/services/createServices.ts";
import { Store } from "../../src/main/store/store.ts";
import { newRun } from "../../src/main/hosting/newRun.ts";
import { stepsPerEpoch, totalSteps } from "../../src/shared/experiment.ts";
import type { Evaluation } from "../../src/shared/run.ts";
import { pictureSettings } from "../../src/shared/reports.ts";
import { expandStudy } from "../../src/shared/study/expand.ts";
import { study } from "../../src/shared/study/study.ts";
import { hyperparameterColumns } from "../../src/shared/tower.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "10" },
    epochs: { type: "string", default: "5" },
    /** Keeps the store there instead of removing it. */
    out: { type: "string" },
  },
});

const of = study.parse({
  name: "A study of many runs",
  base: { tower: [{ optimizer: "sgd" }], budget: { epochs: Number(values.epochs) } },
  axes: [{ values: { kind: "grid", from: 1e-8, to: 1e2, points: 25 } }],
  heights: { values: [0, 1, 2, 3] },
  seeds: Array.from({ length: Number(values.seeds) }, (_, seed) => seed),
});
const expansion = expandStudy(of);
if (!expansion.ok) throw new Error(expansion.errors[0]!.message);
const { cells } = expansion;

const folder = values.out ?? mkdtempSync(join(tmpdir(), "hypertower-bench-store-"));
const now = Date.now();
let logged = 0;
const store = new Store(folder);
store.studies.create({ id: "many", name: of.name, status: "finished", reason: null, study: of, createdAt: now, startedAt: now, finishedAt: now, trained: null, runningSince: null, deletedAt: null, total: cells.length, workers: 2 });
for (const { key, experiment, height, values: [alpha = 1], seed } of cells) {
  const steps = totalSteps(experiment);
  const columns = hyperparameterColumns(experiment.tower);
  const metrics = ["loss", "stepTime", ...columns.map(({ metric }) => metric), ...columns.slice(0, -1).map(({ hypergradient }) => hypergradient)];
  const run = newRun(experiment, new Date(), "many");
  store.createRun(run, key);
  store.beginSeries(run.id, metrics, { hypertower: "bench", node: "", platform: "", cpu: "", libraries: {}, gitCommit: null });
  // A curve with noise: what a run logs, not what compresses well.
  const noise = (i: number) => ((i * 2654435761 + seed) >>> 0) / 2 ** 32;
  const best = 3 + 20 * Math.abs(Math.log10(alpha)) / (1 + 3 * height);
  const rows = Float64Array.from({ length: steps * metrics.length }, (_, i) => 2.3 * Math.exp(-i / steps / 2) + 0.1 * noise(i));
  store.appendRows(run.id, { firstStep: 0, count: steps, values: rows });
  logged += rows.length;
  for (let epoch = 1; epoch <= experiment.budget.epochs; epoch++) {
    const evaluation: Evaluation = { step: epoch * stepsPerEpoch(experiment), epoch, trainLoss: 1, testLoss: 1, testError: best + 1 / epoch + noise(epoch) };
    store.addEvaluation(run.id, evaluation);
  }
  store.saveRun({ ...run, status: "finished", steps, finishedAt: now, trained: null, testError: best });
  store.flush();
}
store.close();
const bytes = statSync(store.path).size;

const timed = async <T>(what: string, work: () => T | Promise<T>, times = 5): Promise<T> => {
  const taken: number[] = [];
  let result!: T;
  for (let i = 0; i < times; i++) {
    const start = performance.now();
    result = await work();
    taken.push(performance.now() - start);
  }
  console.log(`${what.padEnd(44)}${taken.sort((a, b) => a - b)[times >> 1]!.toFixed(1).padStart(9)} ms`);
  return result;
};

console.log(`machine: ${cpus()[0]?.model.trim() ?? "?"}, load ${loadavg()[0]!.toFixed(1)}; node ${process.versions.node}`);
console.log(`${cells.length} runs of ${totalSteps(cells[0]!.experiment)} steps, ${logged} values, ${(bytes / 1e6).toFixed(0)} MB, ${(bytes / logged).toFixed(1)} bytes a value; medians of 5\n`);
const open = () => createServices({ storeDir: folder, host: "browser", version: "bench", launchTrainer: () => { throw new Error("nothing is trained here"); } });
await timed("opening the store", async () => (await open()).close());
const services = await open();
await timed("listing the studies", () => services.handlers["studies.list"]({ deleted: false }));
const detail = await timed("reading the study with all its points", () => services.handlers["studies.get"]({ study: "many" }));
await timed("the same as JSON", () => JSON.stringify(detail).length);
await timed("trajectories of L0.alpha, 128 points a run", () => services.handlers["studies.trajectories"]({ study: "many", metric: "L0.alpha", maxPoints: 128 }));
await timed("single runs, for the history", () => services.handlers["runs.list"]({ deleted: false, study: null }));
await timed("all runs of the study", () => services.handlers["runs.list"]({ deleted: false, study: "many" }));
const exportedTo = mkdtempSync(join(tmpdir(), "hypertower-bench-export-"));
const exportSteps = async () => {
  const { pieces } = await services.reportFile({ of: { study: "many" }, file: "steps.csv", settings: pictureSettings.parse({}) });
  await pipeline(Readable.from(pieces), createWriteStream(join(exportedTo, "steps.csv")));
};
let most = 0;
const watching = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 50);
const before = process.memoryUsage().rss;
await timed("exporting every step of the study as CSV", exportSteps, 3);
clearInterval(watching);
const exported = statSync(join(exportedTo, "steps.csv")).size;
rmSync(exportedTo, { recursive: true });
console.log(`\nsteps.csv: ${(exported / 1e6).toFixed(0)} MB, ${totalSteps(cells[0]!.experiment) * cells.length} lines; memory grew by at most ${((most - before) / 1e6).toFixed(0)} MB meanwhile`);
await services.close();
if (values.out === undefined) rmSync(folder, { recursive: true, force: true });
