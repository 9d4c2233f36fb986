/**
 * Runs that report more than their host can store: `node test/faults/pressure.ts [SECONDS]`. Two tiny runs are evaluated
 * after every step. After some seconds one is paused, resumed and stopped, the other is trained when the host closes; a
 * second round does the same while another process locks the store again and again. Each request has to take effect
 * within 10 s, and every step has to be there.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nodeLauncher } from "../../src/main/hosting/nodeLauncher.ts";
import { createServices } from "../../src/main/services/createServices.ts";
import { storeFileName } from "../../src/main/store/database.ts";
import { Store } from "../../src/main/store/store.ts";

const seconds = Number(process.argv[2] ?? 20);
const limit = 10_000;
const trainer = new URL("../../src/main/trainer/trainer.ts", import.meta.url);
const experiment = {
  dataset: { kind: "iris", trainExamples: 120, testExamples: 30 },
  model: { kind: "mlp", hidden: [4] },
  batchSize: 8,
  budget: { epochs: 100_000 },
  evaluation: { every: 1 },
};
const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
let problems = 0;

async function timed(what: string, act: () => Promise<boolean>): Promise<void> {
  const begun = performance.now();
  const done = await act();
  const took = performance.now() - begun;
  if (!done || took > limit) problems++;
  console.log(`  ${what}: ${done ? `${(took / 1000).toFixed(2)} s` : "did not take effect"}`);
}

/** Holds the store's lock for 0.3 s of every 0.6 s, from another process. Returns how to end that. */
function lockAgainAndAgain(storeDir: string): () => void {
  const script = `
    const db = new (require("better-sqlite3"))(process.argv[1]);
    const wait = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
    for (;;) {
      db.exec("BEGIN IMMEDIATE");
      wait(300);
      db.exec("COMMIT");
      wait(300);
    }`;
  const locker = spawn(process.execPath, ["-e", script, join(storeDir, storeFileName)], { stdio: "inherit" });
  return () => void locker.kill();
}

async function round(locked: boolean): Promise<void> {
  const storeDir = mkdtempSync(join(tmpdir(), "hypertower-pressure-"));
  const services = await createServices({ storeDir, host: "browser", version: "0", launchTrainer: nodeLauncher(trainer) }, { places: 2 });
  const { handlers } = services;
  const [first, second] = [await handlers["runs.start"]({ experiment }), await handlers["runs.start"]({ experiment })];
  const unlock = locked ? lockAgainAndAgain(storeDir) : () => undefined;
  const state = async (run: string) => (await handlers["runs.get"]({ run })).status;
  /** Polls until the run is in the state, for the limit at most. */
  const reaches = async (run: string, wanted: string) => {
    for (const end = Date.now() + limit; Date.now() < end; await wait(20)) if ((await state(run)) === wanted) return true;
    return false;
  };
  let most = 0;
  const watch = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 100);
  await wait(seconds * 1000);
  const { steps } = await handlers["runs.get"]({ run: first.id });
  console.log(`${locked ? "with the store locked half of the time" : "undisturbed"}: ${Math.round(steps / seconds)} steps with an evaluation per second and run, host at most ${Math.round(most / 2 ** 20)} MB`);
  await timed("pause", async () => (await handlers["runs.pause"]({ run: first.id }), reaches(first.id, "paused")));
  await timed("resume", async () => (await handlers["runs.resume"]({ run: first.id, fromStart: false }), reaches(first.id, "running")));
  await timed("stop", async () => (await handlers["runs.stop"]({ run: first.id }), reaches(first.id, "stopped")));
  unlock();
  await timed("close", async () => (await services.close(), true));
  clearInterval(watch);
  const store = new Store(storeDir);
  for (const { id } of [first, second]) {
    const run = store.getRun(id)!;
    const found = [...store.readSteps(id)];
    const contiguous = found.every(({ step }, i) => step === i);
    const whole = contiguous && found.length === run.steps && run.evaluations.length >= run.steps;
    if (!whole) problems++;
    console.log(`  ${run.status} at step ${run.steps}, ${found.length} steps stored, ${run.evaluations.length} evaluations: ${whole ? "whole" : "NOT WHOLE"}`);
  }
  store.close();
  rmSync(storeDir, { recursive: true, force: true });
}

await round(false);
await round(true);
console.log(`${problems} problems`);
process.exitCode = problems === 0 ? 0 : 1;
