/**
 * `npm run test:fleet -- compare`: the 88 runs of the study `demo` on this machine, on three nodes of Slurm and on four
 * workers of a queue: whether the tables are identical, and what a run costs more there.
 *
 *   --on queue,slurm  --set budget.epochs=1 and others: what to change in the study's base, to try it quickly
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import buildProcesses from "../../support/buildProcesses.ts";
import { processFile } from "../../support/processes.ts";
import { compareStores, loggedRuns } from "./compare.ts";
import { grounds, type GroundKind } from "./grounds.ts";

const { values } = parseArgs({
  options: {
    on: { type: "string", default: "queue,slurm" },
    set: { type: "string", multiple: true, default: [] },
    /** Minutes that a unit should take. */
    unit: { type: "string", default: "0.5" },
  },
});
const places = { folder: 4, queue: 4, slurm: 3 } as const;

/** Trains the study; returns the seconds. */
async function train(store: string, on: string): Promise<number> {
  const began = performance.now();
  const set = ["base.engine.kind=onnx-cpu", "base.engine.threads=1", ...values.set.map((each) => `base.${each}`)].flatMap((each) => ["--set", each]);
  const child = spawn(process.execPath, [processFile("headless"), "study", "demo", "--json", "--step-events", "none", "--on", on, ...set, ...(on === "local" ? ["--workers", "2", "--cohort", "1"] : ["--unit-minutes", values.unit, "--cohort", "1"])], {
    env: { ...process.env, HYPERTOWER_HOME: store, HYPERTOWER_CONFIG: `${store}-config.json` },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (text: Buffer) => (said = (said + text.toString()).slice(-2_000)));
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`the study on ${on} ended with ${code}: ${said}`);
  return (performance.now() - began) / 1_000;
}

await buildProcesses();
const root = mkdtempSync(join(tmpdir(), "hypertower-compare-"));
try {
  const here = join(root, "here");
  const seconds = await train(here, "local");
  const { size } = loggedRuns(here);
  console.log(`${availableParallelism()} cores, load ${loadavg()[0]!.toFixed(1)}; ${size} runs, two at a time here: ${seconds.toFixed(0)} s`);
  for (const kind of values.on.split(",") as GroundKind[]) {
    const folder = mkdtempSync(join(root, `${kind}-`));
    const ground = await grounds[kind](folder, places[kind]);
    try {
      const there = await train(join(folder, "store"), ground.on);
      const { different, runsLost, rowsLost, rowsDouble, findings, values: rows } = await compareStores(here, join(folder, "store"));
      console.log(`${kind}, ${places[kind]} ${kind === "slurm" ? "nodes" : "workers"}: ${there.toFixed(0)} s, ${(((there - seconds) * 1_000) / size).toFixed(0)} ms a run more than here; rows ${rows}; runs that differ ${different.length}, runs lost ${runsLost}, rows lost ${rowsLost}, double ${rowsDouble}, findings of verify ${findings}; load ${loadavg()[0]!.toFixed(1)}`);
      if (different.length + runsLost + rowsLost + rowsDouble + findings > 0) process.exitCode = 1;
    } finally {
      await ground.stop();
    }
  }
} finally {
  rmSync(root, { recursive: true, force: true });
}
process.exit();
