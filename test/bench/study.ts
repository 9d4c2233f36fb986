/**
 * `npm run bench:study`: runs per hour of a study of the MLP on MNIST, ours against the authors'
 * library run the way its users would: one script, one run after another, the data in memory, at
 * the fastest of its thread settings. Ours is the whole way from "start" to the last result: warm
 * trainers, every step logged and committed, checkpoints. Both in turn, in the same window.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createServices } from "../../src/main/services/createServices.ts";
import { nodeLauncher } from "../../src/main/hosting/nodeLauncher.ts";
import { expandStudy } from "../../src/shared/study/expand.ts";
import { validateStudy, type Study, type StudyInput } from "../../src/shared/study/study.ts";
import type { StudySummary } from "../../src/shared/study/result.ts";
import { startLibrary } from "./libraryPeer.ts";
import { median } from "./median.ts";

const { values } = parseArgs({
  options: {
    epochs: { type: "string", default: "2" },
    repetitions: { type: "string", default: "5" },
    /** Fewer than all 60,000 for a try-out. */
    examples: { type: "string", default: "60000" },
    only: { type: "string", default: "" },
  },
});
const epochs = Number(values.epochs);
const repetitions = Number(values.repetitions);
const trainExamples = Number(values.examples);

const base = { dataset: { trainExamples }, budget: { epochs } } as const;
const stepSizes = (list: number[]) => [{ values: { kind: "list", values: list } }] as const;
const families: Record<string, StudyInput> = {
  "SGD towers": { name: "SGD towers", base: { ...base, tower: [{ optimizer: "sgd" }] }, axes: [...stepSizes([0.01, 0.1])], heights: { values: [0, 1, 2, 3] } },
  "Adam towers": {
    name: "Adam towers",
    base: { ...base, tower: [{ optimizer: "adam" }] },
    axes: [...stepSizes([1e-3, 3e-3])],
    heights: { values: [0, 1, 2, 3], upper: { optimizer: "sgd" }, rule: { kind: "fixed", alphas: [1e-5] } },
  },
};

function studyOf(input: StudyInput): Study {
  const result = validateStudy(input);
  if (!result.ok) throw new Error(result.errors[0]!.message);
  return result.study;
}

function experimentsOf(study: Study) {
  const expansion = expandStudy(study);
  if (!expansion.ok) throw new Error(expansion.errors[0]!.message);
  return expansion.cells.map(({ experiment }) => experiment);
}

const storeDir = mkdtempSync(join(tmpdir(), "hypertower-bench-study-"));
process.on("exit", () => rmSync(storeDir, { recursive: true, force: true }));
const services = await createServices({
  storeDir,
  host: "browser",
  version: "bench",
  launchTrainer: nodeLauncher(new URL("../../src/main/trainer/trainer.ts", import.meta.url)),
});

/** Seconds from start to the last result. */
async function ours(study: Study): Promise<number> {
  const start = performance.now();
  let end: (study: StudySummary) => void = () => undefined;
  const ended = new Promise<StudySummary>((resolve) => (end = resolve));
  const forget = services.on("study.changed", (changed) => changed.status !== "running" && end(changed));
  await services.handlers["studies.start"]({ study, workers: null });
  const last = await ended;
  forget();
  if (last.finished + last.diverged !== last.total) throw new Error(`the study came to no end: ${last.status}, ${last.reason ?? ""}`);
  return (performance.now() - start) / 1000;
}

const [library, oneCore] = [await startLibrary("any"), await startLibrary(1)];
const cores = cpus().length;
console.log(`machine: ${cpus()[0]?.model.trim() ?? "?"}, ${cores} cores, load ${loadavg()[0]!.toFixed(1)}; node ${process.versions.node}; torch ${library.torch}`);
console.log(`MLP 784-128-10 on ${trainExamples} images, batch 256, ${epochs} epochs a run, an evaluation after each; medians of ${repetitions} repetitions in turn\n`);

for (const [name, input] of Object.entries(families)) {
  if (!name.includes(values.only)) continue;
  const study = studyOf(input);
  const experiments = experimentsOf(study);
  const towers = experiments.map(({ tower }) => tower);
  for (const peer of [library, oneCore]) await peer.load(experiments[0]!);
  const settings = [
    { words: "one core", run: (of: typeof towers, n: number) => oneCore.runs(of, { epochs: n, threads: 1, trainExamples }) },
    { words: "1 thread", run: (of: typeof towers, n: number) => library.runs(of, { epochs: n, threads: 1, trainExamples }) },
    { words: `${cores} threads`, run: (of: typeof towers, n: number) => library.runs(of, { epochs: n, threads: cores, trainExamples }) },
  ];
  // The library's fastest setting, on one run of each height.
  const tries = settings.map((): number[] => []);
  for (let i = 0; i < 3; i++) for (const [k, { run }] of settings.entries()) tries[k]!.push((await run(towers.filter((_, n) => n % 2 === 0), 1)).seconds);
  const best = settings[tries.map(median).indexOf(Math.min(...tries.map(median)))]!;
  // Ours is calibrated before, as it is from the second study on.
  const { workers, threads } = await services.handlers["studies.estimate"]({ study, workers: null });
  const [mine, theirs]: [number[], number[]] = [[], []];
  for (let i = 0; i < repetitions; i++) {
    theirs.push((await best.run(towers, epochs)).seconds);
    mine.push(await ours(study));
  }
  const perHour = (seconds: number) => ((3600 * towers.length) / seconds).toFixed(0);
  const ratios = mine.map((seconds, i) => theirs[i]! / seconds);
  console.log(
    `${name.padEnd(12)} ours ${perHour(median(mine)).padStart(6)} runs/h (${workers} at a time, ${threads} thread${threads === 1 ? "" : "s"} each)` +
      `   library ${perHour(median(theirs)).padStart(6)} runs/h (${best.words})   ratio ${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)})`,
  );
}
library.close();
oneCore.close();
await services.close();
