/**
 * `npm run bench:cohorts`: runs x steps per second of cohorts of MLPs (784-128-10, batch 256, Adam under SGD) on
 * every engine that loads, trained as studies train them, data and logging included; beside it the authors' library
 * that trains one run after another on the same machine, measured in turn with ours. `--engines`, `--sizes`,
 * `--seeds one,each` choose; `--peer cpu|cuda` the library's device (a card where PyTorch finds one).
 */
import { spawn } from "node:child_process";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { engineKinds } from "../../src/shared/experiment.ts";
import { median } from "./median.ts";
import { startTowerPeer } from "./towerPeer.ts";

const { values } = parseArgs({
  options: {
    engines: { type: "string", default: engineKinds.filter((kind) => kind !== "reference").join(",") },
    sizes: { type: "string", default: "1,16,64,256" },
    seeds: { type: "string", default: "one,each" },
    /** Time of one measurement, in ms. */
    slice: { type: "string", default: "2000" },
    /** What takes longer, in seconds, is left out. */
    patience: { type: "string", default: "240" },
    peer: { type: "string" },
  },
});

interface Measured {
  readonly ms: number;
  readonly device: string;
  readonly preparation: number;
  readonly peak: number;
}

/** @returns why there is no measurement, in words, where there is none */
function ours(kind: string, size: number, seeds: string): Promise<Measured | string> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(import.meta.dirname, "cohortsOurs.ts"), kind, String(size), seeds, values.slice], { stdio: ["ignore", "pipe", "pipe"] });
    let [said, complained] = ["", ""];
    child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (complained += chunk.toString()));
    const timer = setTimeout(() => child.kill("SIGKILL"), 1000 * Number(values.patience));
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      const line = said.trim().split("\n").findLast((one) => one.startsWith("{"));
      const answer = line === undefined ? undefined : (JSON.parse(line) as Measured & { problem?: string });
      if (answer && answer.problem === undefined) return resolve(answer);
      resolve(answer?.problem ?? `its process ${signal === null ? `exited with code ${code}` : `was ended by ${signal}`}: ${complained.trim().split("\n").at(-1) ?? ""}`);
    });
  });
}

const library = await startTowerPeer("mlp", values.peer);
const peerTimes: number[] = [];
async function peer(): Promise<void> {
  const ms = await library.time(50);
  peerTimes.push(await library.time(Math.max(50, Math.round(Number(values.slice) / ms))));
}

console.log(`${cpus()[0]?.model.trim() ?? "?"}, ${cpus().length} cores, load ${loadavg()[0]!.toFixed(1)}; node ${process.versions.node}; torch ${library.torch} on ${library.card ?? "the processor"}, ${library.blas}`);
console.log("MLP 784-128-10, batch 256, Adam under SGD, float32, one thread where a processor computes\n");
const rows: { title: string; rate: number; ms: number; preparation: number; peak: number }[] = [];
const absent: string[] = [];
for (const kind of values.engines.split(",")) {
  for (const seeds of values.seeds.split(",")) {
    for (const size of values.sizes.split(",").map(Number)) {
      if (size === 1 && seeds === "each" && values.seeds.includes("one")) continue;
      await peer();
      const measured = await ours(kind, size, seeds);
      const title = `${kind}, ${size === 1 ? "a run" : `cohort of ${size}, ${seeds === "one" ? "one seed" : "a seed each"}`}`;
      if (typeof measured === "string") {
        absent.push(`${title}: ${measured}`);
        // What does not load does not load for other sizes.
        if (size === 1) break;
      } else rows.push({ title, rate: (1000 * size) / measured.ms, ...measured });
    }
  }
}
await peer();
library.close();

const single = 1000 / median(peerTimes);
console.log(`the authors' library, one run after another: ${single.toFixed(0)} steps per second (${peerTimes.length} times, ${(1000 / Math.max(...peerTimes)).toFixed(0)} to ${(1000 / Math.min(...peerTimes)).toFixed(0)})\n`);
console.log(`${"".padEnd(46)}${["runs x steps/s", "to the library", "ms a step", "prepared, s", "peak, MiB"].map((cell) => cell.padStart(16)).join("")}`);
for (const { title, rate, ms, preparation, peak } of rows) {
  const cells = [rate.toFixed(0), `${(rate / single).toFixed(2)}x`, ms.toFixed(2), (preparation / 1000).toFixed(1), peak.toFixed(0)];
  console.log(`${title.padEnd(46)}${cells.map((cell) => cell.padStart(16)).join("")}`);
}
if (absent.length > 0) console.log(`\nnot there:\n${absent.map((one) => `  ${one}`).join("\n")}`);
