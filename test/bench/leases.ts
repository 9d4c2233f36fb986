/**
 * Two hosts on one store. The first trains two runs and is stopped, with its trainers, as a sleeping laptop is; the
 * second takes one of the runs over and trains it; the first wakes up. Prints what was lost, what was written twice,
 * and how long the run that stayed waited for its next commit. `npm run bench:leases [-- --rounds 20]`
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import Database from "better-sqlite3";
import { createServices } from "../../src/main/services/createServices.ts";
import { nodeLauncher } from "../../src/main/hosting/nodeLauncher.ts";
import { storeFileName } from "../../src/main/store/database.ts";
import { silentLooks } from "../../src/main/store/hosts.ts";
import { median } from "./median.ts";

const { values } = parseArgs({ options: { rounds: { type: "string", default: "20" } } });
const experiment = { dataset: { kind: "mnist", trainExamples: 12_800, testExamples: 100 }, model: { hidden: [16] }, batchSize: 64, budget: { epochs: 100_000 }, evaluation: { every: 4000 } };
const launchTrainer = nodeLauncher(new URL("../../src/main/trainer/trainer.ts", import.meta.url));

async function until<T>(what: string, look: () => T | undefined, within = 20_000): Promise<T> {
  for (const end = performance.now() + within; performance.now() < end; ) {
    const found = look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`waited ${within / 1000} s in vain for ${what}`);
}

interface Round {
  /** Steps in the store when the first host fell asleep that are no longer there as they were. */
  readonly lost: number;
  /** Steps with more than one value, or missing between the first and the last. */
  readonly double: number;
  readonly holes: number;
  /** Milliseconds from waking to the first commit of the run that stayed, and between its commits before. */
  readonly delay: number;
  readonly usual: number;
  readonly said: boolean;
}

async function round(): Promise<Round> {
  const folder = mkdtempSync(join(tmpdir(), "hypertower-leases-"));
  const child = spawn(process.execPath, [fileURLToPath(new URL("../support/leaseHost.ts", import.meta.url)), folder, "laptop", "2", JSON.stringify(experiment)], { stdio: ["ignore", "pipe", "inherit"], detached: true });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  try {
    const [taken = "", kept = ""] = await until("two runs", () => {
      const ids = [...output.matchAll(/^run (\S+)$/gm)].map(([, id]) => id!);
      return ids.length === 2 ? ids : undefined;
    });
    const db = new Database(join(folder, storeFileName), { readonly: true });
    const logged = db.prepare<[string], number>("SELECT count FROM metrics WHERE run = ? AND name = 'loss'").pluck();
    const rows = db.prepare<[string], [number, number]>("SELECT step, value FROM series_values WHERE metric = (SELECT id FROM metrics WHERE run = ? AND name = 'loss') ORDER BY step").raw();
    const grown = (run: string, from: number) => until("a commit", () => ((logged.get(run) ?? 0) > from ? performance.now() : undefined));
    for (const run of [taken, kept]) await grown(run, 200);
    let at = await grown(kept, logged.get(kept)!);
    const gaps: number[] = [];
    for (let i = 0; i < 5; i++) {
      const next = await grown(kept, logged.get(kept)!);
      gaps.push(next - at);
      at = next;
    }
    await until("a checkpoint", () => (readdirSync(join(folder, "checkpoints")).includes(`${taken}.checkpoint`) ? true : undefined));

    process.kill(-child.pid!, "SIGSTOP");
    const before = rows.all(taken);
    // Locks do not reach other machines.
    for (const name of readdirSync(join(folder, "hosts"))) rmSync(join(folder, "hosts", name));
    const other = await createServices({ storeDir: folder, host: "browser", version: "0", launchTrainer }, { storeOptions: { machine: "desktop", lookEvery: 20 } });
    const status = async () => (await other.handlers["runs.get"]({ run: taken })).status;
    for (let look = 0; (await status()) !== "interrupted"; look++) {
      if (look > 50 * silentLooks) throw new Error("the sleeping host was not taken for dead");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await other.handlers["runs.resume"]({ run: taken, fromStart: false });
    await grown(taken, before.length + 200);

    const asleep = logged.get(kept)!;
    const woken = performance.now();
    process.kill(-child.pid!, "SIGCONT");
    const delay = (await grown(kept, asleep)) - woken;
    const said = await until("the loss of the run to be said", () => output.includes(`lost ${taken}`) || undefined);
    await grown(taken, logged.get(taken)! + 200);
    await other.handlers["runs.stop"]({ run: taken });
    await other.close();
    process.kill(child.pid!, "SIGTERM");
    await new Promise((resolve) => child.once("exit", resolve));
    const [after, stayed] = [rows.all(taken), rows.all(kept)];
    const lost = before.filter(([step, value], i) => after[i]?.[0] !== step || !Object.is(after[i]?.[1], value)).length;
    const double = [after, stayed].reduce((sum, all) => sum + all.length - new Set(all.map(([step]) => step)).size, 0);
    const holes = [after, stayed].reduce((sum, all) => sum + (all.at(-1)![0] + 1 - all.length), 0);
    db.close();
    return { lost, double, holes, delay, usual: median(gaps), said };
  } finally {
    if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid!, "SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
}

const rounds: Round[] = [];
for (let i = 0; i < Number(values.rounds); i++) {
  rounds.push(await round());
  const { lost, double, holes, delay, usual } = rounds.at(-1)!;
  console.log(`round ${i + 1}: ${lost} rows lost, ${double} double, ${holes} missing; next commit of the other run after ${delay.toFixed(0)} ms (usually ${usual.toFixed(0)} ms)`);
}
const sum = (key: "lost" | "double" | "holes") => rounds.reduce((total, one) => total + one[key], 0);
console.log(`${rounds.length} rounds: ${sum("lost")} rows lost, ${sum("double")} double, ${sum("holes")} missing; next commit of the other run after ${median(rounds.map(({ delay }) => delay)).toFixed(0)} ms in the median, ${Math.max(...rounds.map(({ delay }) => delay)).toFixed(0)} ms at most (usually ${median(rounds.map(({ usual }) => usual)).toFixed(0)} ms)`);
