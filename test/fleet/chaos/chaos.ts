/**
 * `npm run test:fleet -- chaos`: a study of short runs at each fleet while workers, nodes, the coordinator's host and
 * PostgreSQL are killed by a seeded schedule, against the same study trained here undisturbed.
 *
 *   --on folder,queue,slurm  --kills 100  --runs 200  --epochs 40  --workers 3  --seed 1
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { StudyInput } from "../../../src/shared/study/study.ts";
import buildProcesses from "../../support/buildProcesses.ts";
import type { ChaosHostNews, ChaosHostOrder } from "../../support/chaosHost.ts";
import { processFile } from "../../support/processes.ts";
import { compareStores, type Comparison } from "./compare.ts";
import { grounds, type GroundKind } from "./grounds.ts";

const { values } = parseArgs({
  options: {
    on: { type: "string", default: "folder,queue,slurm" },
    kills: { type: "string", default: "100" },
    runs: { type: "string", default: "200" },
    epochs: { type: "string", default: "40" },
    workers: { type: "string", default: "3" },
    seed: { type: "string", default: "1" },
    /** Longest time between kills, in milliseconds. */
    every: { type: "string", default: "3000" },
    /** Minutes after which a fleet is given up. */
    limit: { type: "string", default: "60" },
  },
});
const [kills, runs, epochs, workers, seed, every, limit] = [values.kills, values.runs, values.epochs, values.workers, values.seed, values.every, values.limit].map(Number) as [number, number, number, number, number, number, number];
const unknown = values.on.split(",").find((kind) => !Object.hasOwn(grounds, kind));
if (unknown !== undefined) throw new Error(`--on ${unknown}: allowed are ${Object.keys(grounds).join(", ")}, with commas between`);
if (runs % 4 !== 0) throw new Error(`--runs ${runs}: must be a multiple of 4`);

/** Two step sizes, one of which diverges in towers, two heights, and seeds. */
const study: StudyInput = {
  name: "Chaos",
  base: { dataset: { kind: "iris", trainExamples: 120, testExamples: 30 }, model: { hidden: [4] }, batchSize: 4, budget: { epochs }, tower: [{ optimizer: "sgd", weightDecay: 0.1 }], engine: { kind: "onnx-cpu", threads: 1 } },
  axes: [{ values: { kind: "list", values: [0.1, 1e12] } }],
  heights: { values: [0, 1], rule: { kind: "fixed", alphas: [1e-3] } },
  seeds: Array.from({ length: runs / 4 }, (_, i) => i),
};

/** Mulberry32. */
function seeded(state: number): () => number {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Keeps the host of a study running until the study has ended. */
class Host {
  readonly ended: Promise<void>;
  readonly failures: string[] = [];
  news: ChaosHostNews | undefined;
  retried = 0;
  #child: ReturnType<typeof spawn> | undefined;
  #killed = false;
  #over = false;

  constructor(order: ChaosHostOrder) {
    this.ended = this.#run(order);
  }

  async #run(order: ChaosHostOrder): Promise<void> {
    for (let ownEnds = 0; ; ) {
      this.#killed = false;
      const child = spawn(process.execPath, [processFile("chaosHost"), JSON.stringify(order)], { stdio: ["ignore", "pipe", "pipe"], detached: true });
      this.#child = child;
      let said = "";
      child.stderr.on("data", (text: Buffer) => (said = (said + text.toString()).slice(-4_000)));
      createInterface({ input: child.stdout }).on("line", (line) => {
        if (!line.startsWith("{")) return;
        const news = JSON.parse(line) as ChaosHostNews;
        if (news.failed > (this.news?.failed ?? 0)) this.failures.push(news.reason ?? "?");
        this.news = news;
      });
      const [code] = (await once(child, "close")) as [number | null];
      if (this.#over || code === 0) return;
      if (this.#killed) continue;
      this.failures.push(`the host ended by itself with ${code}: ${said}`);
      if (++ownEnds > 20) throw new Error(`the host does not stay: ${said}`);
    }
  }

  async kill(): Promise<boolean> {
    const child = this.#child;
    if (child?.pid === undefined || child.exitCode !== null || this.#killed) return false;
    this.#killed = true;
    process.kill(-child.pid, "SIGKILL");
    return true;
  }

  end(): void {
    this.#over = true;
    if (this.#child?.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null) process.kill(-this.#child.pid, "SIGKILL");
  }
}

interface Outcome extends Comparison {
  readonly kind: GroundKind;
  readonly seconds: number;
  readonly kills: ReadonlyMap<string, number>;
  readonly failures: readonly string[];
}

async function disturb(kind: GroundKind, folder: string, expected: string): Promise<Outcome> {
  const ground = await grounds[kind](folder, workers);
  const began = performance.now();
  const store = join(folder, "store");
  const host = new Host({ store, on: ground.on, ...(ground.queue !== undefined && { queue: ground.queue }), study, unitTime: 2_000, cohort: 4 });
  const done = new Map<string, number>();
  try {
    const random = seeded(seed);
    const all = [...ground.kills, { name: "coordinator, SIGKILL", weight: 3, kill: () => host.kill() }];
    let isOver = false;
    void host.ended.finally(() => (isOver = true)).catch(() => undefined);
    for (let count = 0; count < kills && !isOver; ) {
      await Promise.race([pause(every * (0.2 + 0.8 * random())), host.ended]);
      let at = random() * all.reduce((sum, { weight }) => sum + weight, 0);
      const chosen = all.find(({ weight }) => (at -= weight) < 0)!;
      if (isOver || !(await chosen.kill(random).catch((error: unknown) => (console.error(`${chosen.name}: ${String(error)}`), false)))) continue;
      done.set(chosen.name, (done.get(chosen.name) ?? 0) + 1);
      if (++count % 10 === 0) console.error(`${kind}: ${count} kills after ${((performance.now() - began) / 1_000).toFixed(0)} s, ${host.news?.ended ?? 0} of ${runs} runs ended, load ${loadavg()[0]!.toFixed(1)}`);
    }
    await Promise.race([host.ended, pause(limit * 60_000).then(() => { throw new Error(`${kind}: the study did not end within ${limit} min: ${JSON.stringify(host.news)}`); })]);
    const seconds = (performance.now() - began) / 1_000;
    return { kind, seconds, kills: done, failures: host.failures, ...(await compareStores(expected, store)) };
  } finally {
    host.end();
    await ground.stop();
  }
}

await buildProcesses();
const root = mkdtempSync(join(tmpdir(), "hypertower-chaos-"));
const outcomes: Outcome[] = [];
try {
  const expected = join(root, "undisturbed");
  const began = performance.now();
  await new Host({ store: expected, on: "local", study, unitTime: 2_000, cohort: 4 }).ended;
  console.log(`${availableParallelism()} cores, load ${loadavg()[0]!.toFixed(1)}; ${runs} runs of ${epochs} epochs here, undisturbed: ${((performance.now() - began) / 1_000).toFixed(0)} s`);
  for (const kind of values.on.split(",") as GroundKind[]) {
    const folder = mkdtempSync(join(root, `${kind}-`));
    const outcome = await disturb(kind, folder, expected);
    outcomes.push(outcome);
    const { seconds, kills: done, failures, different, findings } = outcome;
    const total = [...done.values()].reduce((sum, each) => sum + each, 0);
    console.log(`\n${kind}, seed ${seed}: ${total} kills in ${seconds.toFixed(0)} s (${[...done].map(([name, count]) => `${name} ${count}`).join("; ")})`);
    console.log(`runs ${outcome.runs}, lost ${outcome.runsLost}; rows ${outcome.values}, lost ${outcome.rowsLost}, double ${outcome.rowsDouble}; runs that differ ${different.length}; findings of verify ${findings}; load ${loadavg()[0]!.toFixed(1)}`);
    if (total < kills) console.log(`The study ended before ${kills} kills: more epochs or shorter times between kills make room for them.`);
    for (const failure of new Set(failures)) console.log(`on the way: ${failure}`);
    for (const cell of different.slice(0, 5)) console.log(`differs: ${cell}`);
  }
} finally {
  if (!process.env["CHAOS_KEEP"]) rmSync(root, { recursive: true, force: true });
  else console.log(root);
}
const bad = outcomes.filter(({ runsLost, rowsLost, rowsDouble, different, findings }) => runsLost + rowsLost + rowsDouble + different.length + findings > 0);
process.exitCode = bad.length > 0 ? 1 : 0;
process.exit();
