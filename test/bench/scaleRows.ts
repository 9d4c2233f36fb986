/** Fills a store in fast motion: a host with several trainers that only log, through the real supervisor, writer and group commit. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { LaunchingTrainer } from "../../src/main/hosting/launchingTrainer.ts";
import { newRun } from "../../src/main/hosting/newRun.ts";
import { nodeLauncher } from "../../src/main/hosting/nodeLauncher.ts";
import { Supervisor } from "../../src/main/hosting/supervisor.ts";
import { storeFileName } from "../../src/main/store/database.ts";
import { Store } from "../../src/main/store/store.ts";
import { experiment } from "../../src/shared/experiment.ts";
import { hyperparameterColumns } from "../../src/shared/tower.ts";
import { CommitMeter, mb, ms, processorTime, residentBytes, sizeOf, spread } from "./scaleMeters.ts";
import type { FastPlan } from "./scaleSender.ts";

const series = 2 + 2 * hyperparameterColumns(experiment.parse({}).tower).length;
/** Runs that are logged, and how many at once. */
const runs = 8;
const atOnce = 4;

interface Stretch {
  readonly rows: number;
  readonly perSecond: number;
  readonly perProcessorSecond: number;
}

/**
 * Logs about `rows` values into a new store and closes it.
 * @param every rows between two lines of the report
 * @returns the ids of the runs
 */
export async function fillInFastMotion(folder: string, rows: number, every: number): Promise<string[]> {
  const path = join(folder, storeFileName);
  const meter = new CommitMeter(path);
  const store = new Store(folder, { log: meter.logTo, slowAfter: -1 });
  const trainers = new Set<LaunchingTrainer>();
  const supervisor = new Supervisor({
    machine: {
      places: atOnce,
      hasFreeCore: () => false,
      startTrainer: () => {
        const trainer = new LaunchingTrainer(nodeLauncher(new URL("scaleSender.ts", import.meta.url)));
        trainers.add(trainer);
        void trainer.processGone.then(() => trainers.delete(trainer));
        return trainer;
      },
    },
    log: store,
    onChange: () => undefined,
    onEvaluation: () => undefined,
  });
  const plan: FastPlan = { steps: Math.round(rows / series / runs), evaluateEvery: 5_000 };
  const started = Array.from({ length: runs }, () => newRun(experiment.parse({ name: JSON.stringify(plan) })));
  console.log(`${runs} runs of ${plan.steps} steps, ${atOnce} at once; a step logs ${series} values; a row is one value in series_values`);
  for (const run of started) {
    store.createRun(run);
    supervisor.start(run);
  }
  const logged = () => started.reduce((sum, { id }) => sum + (supervisor.get(id)?.steps ?? store.getRun(id)!.steps), 0) * series;

  const blocks = monitorEventLoopDelay({ resolution: 5 });
  blocks.enable();
  const reads: number[] = [];
  const stretches: Stretch[] = [];
  let [at, begin, processor] = [0, performance.now(), process.cpuUsage()];
  let readAt = 0;
  while (supervisor.training > 0) {
    await delay(50);
    // A window that shows a run asks for its charts once a second.
    if (performance.now() - readAt > 1_000) {
      readAt = performance.now();
      store.readSeries({ run: supervisor.active[0]?.id ?? started[0]!.id, metrics: ["loss", "L0.alpha"], after: -1, width: 1, maxBuckets: 1_024 });
      reads.push(performance.now() - readAt);
    }
    const now = logged();
    if (now - at < every && supervisor.training > 0) continue;
    if (now - at < every / 2) break;
    const seconds = (performance.now() - begin) / 1e3;
    const stretch = { rows: now - at, perSecond: (now - at) / seconds, perProcessorSecond: ((now - at) * 1e3) / processorTime(processor) };
    stretches.push(stretch);
    const trainerBytes = [...trainers].map(({ pid }) => residentBytes(pid));
    console.log(
      [
        `${(now / 1e6).toFixed(1).padStart(6)} million rows: ${Math.round(stretch.perSecond)}/s, ${Math.round(stretch.perProcessorSecond)} per processor second`,
        `database ${mb(sizeOf(path))}, log at most ${mb(meter.log)}`,
        `host ${mb(process.memoryUsage().rss)}, trainers at most ${mb(Math.max(0, ...trainerBytes))}`,
        `longest block ${ms(blocks.max / 1e6)}`,
        `commits ${spread(meter.commits)}`,
        `with checkpoint ${spread(meter.checkpoints)}`,
        `chart reads ${spread(reads)}`,
      ].join("; "),
    );
    [at, begin, processor] = [now, performance.now(), process.cpuUsage()];
    meter.clear();
    reads.length = 0;
    blocks.reset();
  }
  blocks.disable();
  await supervisor.close();
  store.close();
  meter.close();
  const size = statSync(path).size;
  const total = started.length * plan.steps * series;
  console.log(`\n${total} rows in ${mb(size)}: ${(size / total).toFixed(1)} bytes a row, with summaries and checksums`);
  const [first, last] = [stretches[0], stretches.at(-1)];
  if (first && last) {
    const ratio = (name: "perSecond" | "perProcessorSecond") => (last[name] / first[name]).toFixed(2);
    console.log(`write rate, last stretch against first: ${ratio("perSecond")} by the clock, ${ratio("perProcessorSecond")} by the host's processor time\n`);
  }
  return started.map(({ id }) => id);
}
