/** Measures what a store of many gigabytes is slow at. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { newRun } from "../../src/main/hosting/newRun.ts";
import { BackupSkipped, makeBackup } from "../../src/main/store/backup/make.ts";
import { diskSpace } from "../../src/main/store/disk.ts";
import { inspectStore } from "../../src/main/store/inspection.ts";
import { readIntegrity } from "../../src/main/store/integrity.ts";
import { Store } from "../../src/main/store/store.ts";
import { vacuum } from "../../src/main/store/vacuum.ts";
import { checkStoreRows } from "../../src/main/store/verify/storeCheck.ts";
import { experiment } from "../../src/shared/experiment.ts";
import { CommitMeter, mb, ms, residentBytes, sizeOf, spread, timed } from "./scaleMeters.ts";

/** Bytes that stay free on the disk. */
const spare = 8e9;

/** Logs 10 series at a steady rate until `isDone`; prints what commits cost meanwhile. */
async function logged(what: string, store: Store, meter: CommitMeter, isDone: () => boolean): Promise<void> {
  const run = newRun(experiment.parse({ name: what }));
  store.createRun(run);
  store.beginSeries(run.id, Array.from({ length: 10 }, (_, i) => `m${i}`), { hypertower: "", node: "", platform: "", cpu: "", libraries: {}, gitCommit: null });
  meter.clear();
  const [begin, processor] = [performance.now(), process.cpuUsage()];
  let steps = 0;
  while (!isDone()) {
    await delay(100);
    const count = 60;
    store.appendRows(run.id, { firstStep: steps, count, values: Float64Array.from({ length: 10 * count }, (_, i) => Math.sin(steps + i)) });
    steps += count;
    store.saveRun({ ...run, status: "running", steps });
  }
  store.saveRun({ ...run, status: "finished", steps });
  store.flush();
  const { user, system } = process.cpuUsage(processor);
  console.log(`${what.padEnd(58)} ${steps} steps of 10 values in ${ms(performance.now() - begin)}, processor ${ms((user + system) / 1e3)}; commits ${spread(meter.commits)}; with checkpoint ${spread(meter.checkpoints)}; log at most ${mb(meter.log)}`);
}

/** The background check, as a process of its own, while a run logs. */
async function checkedWhileLogging(path: string, store: Store, meter: CommitMeter): Promise<void> {
  const begin = performance.now();
  const child = fork(join(import.meta.dirname, "../../src/main/store/integrityCheck.ts"), [path]);
  let most = 0;
  const watch = setInterval(() => (most = Math.max(most, residentBytes(child.pid))), 200);
  const ended = once(child, "exit") as Promise<[number | null, string | null]>;
  await logged("a run logs while the file is checked in the background", store, meter, () => child.exitCode !== null || child.signalCode !== null);
  const [code, signal] = await ended;
  clearInterval(watch);
  const record = readIntegrity(path);
  console.log(`background check of ${mb(sizeOf(path))}: ${ms(performance.now() - begin)}, memory ${mb(most)}, ${code === 0 ? (record?.problem ?? "sound") : `ended by ${signal ?? code}`}`);
}

/** Everyday reads and whole-file work. @param runs ids of runs that are stored */
export async function measureStore(folder: string, runs: readonly string[], { wholeVerify, vacuumFor }: { wholeVerify: boolean; vacuumFor: number }): Promise<void> {
  const path = join(folder, "hypertower.sqlite");
  const { size, blocks } = statSync(path);
  console.log(`store of ${mb(size)}, of which ${mb(blocks * 512)} are on the disk`);
  const meter = new CommitMeter(path);
  const store = await timed("open", () => new Store(folder, { log: meter.logTo, slowAfter: -1 }));
  const run = runs[0]!;
  await timed("list of runs", () => store.listRuns());
  await timed("a run's page", () => store.getRun(run));
  await timed("its loss for a chart of 1,024 buckets", () => store.readSeries({ run, metrics: ["loss"], after: -1, width: 1, maxBuckets: 1_024 }));
  await timed("the last 1,000 steps of it", () => [...store.readSteps(run, store.getRun(run)!.steps - 1_000)].length);
  await timed("a line of \"hypertower doctor\" (inspection)", () => inspectStore(path, false));
  const end = performance.now() + 20_000;
  await logged("a run logs 600 steps/s", store, meter, () => performance.now() > end);
  await checkedWhileLogging(path, store, meter);
  await timed(`verify one run (${store.getRun(run)!.steps} steps)`, async () => {
    const { findings, runs: [verified] } = await checkStoreRows(path, { runs: [run] });
    console.log(`  ${verified?.values} values, ${findings.length} findings`);
  });
  if (wholeVerify) await timed("verify the whole store", async () => console.log(`  ${(await checkStoreRows(path)).findings.length} findings`));
  const { free } = diskSpace(folder);
  if (size > free || free - blocks * 512 > spare) await timed("backup", async () => console.log(`  ${await backup(path)}`));
  else console.log(`no backup is made here: ${mb(free)} are free`);
  if (vacuumFor > 0) await timed(`vacuum, ${vacuumFor / 1e3} s at most`, async () => console.log(`  ${await vacuum(path, { workFor: vacuumFor })}`));
  await timed("close", () => store.close());
  meter.close();
}

async function backup(path: string): Promise<string> {
  try {
    return `made: ${await makeBackup(path, "daily")}`;
  } catch (error) {
    if (error instanceof BackupSkipped) return error.message;
    throw error;
  }
}
