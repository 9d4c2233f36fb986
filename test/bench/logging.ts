/**
 * `npm run bench:logging`: what logging every step costs, with the seed example's
 * series, at 600 steps/s: the processor time of the process that owns the store
 * (messages, run state, pyramid, durable commits), and the time the trainer spends
 * on building and sending its batches, each as a share of the 1/600 s of a step.
 * Then the writer at full speed, and reading a long series.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { experiment } from "../../src/shared/experiment.ts";
import { hyperparameterColumns } from "../../src/shared/tower.ts";
import { Store } from "../../src/main/store/store.ts";
import { newRun } from "../../src/main/hosting/newRun.ts";
import { LaunchingTrainer } from "../../src/main/hosting/launchingTrainer.ts";
import { nodeLauncher } from "../../src/main/hosting/nodeLauncher.ts";
import { Supervisor } from "../../src/main/hosting/supervisor.ts";
import type { SenderPlan } from "./loggingSender.ts";
import { median } from "./median.ts";

const { values } = parseArgs({
  options: {
    repetitions: { type: "string", default: "5" },
    seconds: { type: "string", default: "4" },
    steps: { type: "string", default: "200000" },
    /** Folder on the disk to measure; the temporary folder by default. */
    folder: { type: "string", default: tmpdir() },
  },
});
const repetitions = Number(values.repetitions);
const stepsPerSecond = 600;
const stepTime = 1000 / stepsPerSecond;

const folder = mkdtempSync(join(values.folder, "hypertower-bench-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const store = new Store(folder, { slowAfter: Infinity });

/** Milliseconds of processor time, user and system, of this process. */
function processorTime(since?: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1000;
}

/** One run logged at 600 steps/s: ms per step, of this process and of the sender. */
async function paced(seconds: number): Promise<{ writer: number; sender: number }> {
  const warmUp = stepsPerSecond / 2;
  const plan: SenderPlan = { stepsPerSecond, steps: stepsPerSecond * seconds + warmUp, warmUp };
  const run = newRun(experiment.parse({ name: JSON.stringify(plan) }));
  store.createRun(run);
  const supervisor = new Supervisor({
    machine: { places: 1, hasFreeCore: () => true, startTrainer: () => new LaunchingTrainer(nodeLauncher(new URL("loggingSender.ts", import.meta.url))) },
    log: store,
    onChange: () => undefined,
    onEvaluation: () => undefined,
  });
  supervisor.start(run);
  const steps = () => supervisor.get(run.id)?.steps ?? plan.steps;
  while (steps() < warmUp) await delay(20);
  const [before, firstStep] = [process.cpuUsage(), steps()];
  while (supervisor.get(run.id)) await delay(100);
  const writer = processorTime(before) / (plan.steps - firstStep);
  const stored = store.getRun(run.id)!;
  if (stored.status !== "finished") throw new Error(`the run ${stored.status}: ${stored.reason ?? ""}`);
  return { writer, sender: stored.hyperparameters[0]!.value! };
}

/** Steps per second that the store takes in batches of 60 rows, durable commits included. */
function fullSpeed(steps: number): { perSecond: number; run: string } {
  const run = newRun(experiment.parse({}));
  const columns = hyperparameterColumns(run.experiment.tower);
  const metrics = ["loss", "stepTime", ...columns.map((c) => c.metric), ...columns.map((c) => c.hypergradient)];
  store.createRun(run);
  store.beginSeries(run.id, metrics, { hypertower: "", node: "", platform: "", cpu: "", libraries: {}, gitCommit: null });
  const begin = performance.now();
  const batch = 60;
  for (let step = 0; step < steps; step += batch) {
    const count = Math.min(batch, steps - step);
    const row = Float64Array.from({ length: count * metrics.length }, (_, i) => Math.sin(step + i));
    store.appendRows(run.id, { firstStep: step, count, values: row });
    store.saveRun({ ...run, status: "running", steps: step + count });
  }
  store.saveRun({ ...run, status: "finished", steps });
  store.flush();
  return { perSecond: steps / ((performance.now() - begin) / 1000), run: run.id };
}

/** Milliseconds to read one metric whole, for a chart of 1,024 buckets. */
function readWhole(run: string): number {
  const begin = performance.now();
  store.readSeries({ run, metrics: ["loss"], after: -1, width: 1, maxBuckets: 1024 });
  return performance.now() - begin;
}

const share = (ms: number) => `${((100 * ms) / stepTime).toFixed(2)} %`;
const rows: { writer: number; sender: number }[] = [];
await paced(1);
for (let i = 0; i < repetitions; i++) rows.push(await paced(Number(values.seconds)));
const writer = rows.map((row) => row.writer);
const sender = rows.map((row) => row.sender);
const total = rows.map((row) => row.writer + row.sender);

const steps = Number(values.steps);
const fast = Array.from({ length: Math.min(3, repetitions) }, () => fullSpeed(steps));
const reads = Array.from({ length: 11 }, () => readWhole(fast[0]!.run));
store.close();

const line = (what: string, list: readonly number[]) =>
  `${what.padEnd(42)} ${(1000 * median(list)).toFixed(1).padStart(7)} µs ${share(median(list)).padStart(8)}   (${list.map(share).join(", ")})`;
console.log(`${cpus()[0]?.model ?? process.arch}, ${cpus().length} cores, load ${loadavg()[0]!.toFixed(1)}; Node ${process.version}; store in ${values.folder}`);
console.log(`Adam/SGD: 10 series, ${stepsPerSecond} steps/s for ${values.seconds} s, ${repetitions} repetitions, medians (all).`);
console.log(`A step lasts ${stepTime.toFixed(2)} ms.\n`);
console.log(line("processor time of the store's process", writer));
console.log(line("time the trainer spends on sending", sender));
console.log(line("both", total));
console.log(`\nfull speed: ${Math.round(median(fast.map((f) => f.perSecond)))} steps/s (${steps} steps of 10 values, durable)`);
console.log(`reading ${steps} steps for a chart of at most 1024 buckets: ${median(reads).toFixed(1)} ms`);

const target = 0.02;
if (median(total) > target * stepTime) {
  console.error(`\nLogging costs more than ${100 * target} % of the step time.`);
  process.exitCode = 1;
}
