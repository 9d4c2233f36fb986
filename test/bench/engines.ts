/**
 * `npm run bench:engines`: milliseconds per training step of an MLP, a CNN and an LSTM under a tower on every
 * engine of this machine, each in a process of its own, measured in turn.
 *
 * `npm run bench:gpu`: the same, and in the same call PyTorch with the authors' library on the same card, and
 * cohorts of MLPs: runs x steps per second beside the library's one run after another. docs/engines.md says what
 * a machine needs for it.
 */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { cpus, loadavg, release } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { messageOf } from "../../src/shared/errors.ts";
import { engineKinds, type EngineKind } from "../../src/shared/experiment.ts";
import { modelCases } from "./modelCases.ts";
import { median } from "./median.ts";
import { startTowerPeer } from "./towerPeer.ts";

const { values } = parseArgs({
  options: {
    gpu: { type: "boolean", default: false },
    engines: { type: "string", default: engineKinds.join(",") },
    models: { type: "string", default: "mlp,cnn,lstm" },
    cohorts: { type: "string", default: "1,16,64,256" },
    "cohort-engines": { type: "string", default: "onnx-cpu,onnx-webgpu,onnx-cuda,tfjs-webgpu,tfjs-node-gpu" },
    repetitions: { type: "string", default: "5" },
    /** Time of one measurement, in ms. */
    slice: { type: "string", default: "400" },
    /** What takes longer to start, in seconds, is left out. */
    patience: { type: "string", default: "180" },
  },
});
const repetitions = Number(values.repetitions);
const slice = Number(values.slice);
const patience = 1000 * Number(values.patience);
const models = values.models.split(",");
const tower = JSON.stringify([{ optimizer: "adam" }, { optimizer: "sgd", alpha: 1e-5 }]);

for (const name of models) if (!(name in modelCases)) throw new Error(`there is no model ${name}; there are ${Object.keys(modelCases).join(", ")}`);
for (const name of values.engines.split(",")) if (!engineKinds.includes(name as EngineKind)) throw new Error(`there is no engine ${name}; there are ${engineKinds.join(", ")}`);

interface Worker {
  readonly device: string;
  /** Milliseconds per step. */
  time(steps: number): Promise<number>;
  close(): void;
}

/** One that cannot be had, and why. */
class Absent extends Error {}

async function startOurs(kind: EngineKind, model: string, runs = 1): Promise<Worker> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "modelsOurs.ts"), model, tower, kind, String(runs)], { stdio: ["pipe", "pipe", "pipe"] });
  const said: string[] = [];
  child.stderr.on("data", (chunk: Buffer) => said.push(chunk.toString()));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async () => {
    const line = await within(patience, lines.next(), child);
    if (line.done) throw new Absent(`its process ended: ${said.join("").trim().split("\n").at(-1) ?? ""}`);
    return JSON.parse(line.value) as Record<string, unknown>;
  };
  const { device, problem } = await answer();
  if (problem !== undefined) throw new Absent(String(problem));
  return {
    device: String(device),
    async time(steps) {
      child.stdin.write(`${JSON.stringify({ steps })}\n`);
      return Number((await answer())["ms"]);
    },
    close: () => child.stdin.end(),
  };
}

async function within<T>(limit: number, promise: Promise<T>, child: ChildProcess): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Absent(`no answer within ${limit / 1000} s`));
    }, limit);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** The authors' library, on the card where PyTorch has one. */
async function startPeer(model: string): Promise<Worker & { readonly torch: string }> {
  const { card, ...peer } = await startTowerPeer(model);
  return { ...peer, device: card ?? "processor, 1 thread: PyTorch found no card" };
}

const shown = (ms: number) => ms.toFixed(ms < 10 ? 2 : ms < 100 ? 1 : 0);

/** Times of every worker, taken in turn, so that a slow minute slows all. */
async function measured(workers: readonly Worker[]): Promise<number[][]> {
  const counts: number[] = [];
  for (const worker of workers) counts.push(Math.max(1, Math.min(2000, Math.round(slice / (await worker.time(1))))));
  const times = workers.map((): number[] => []);
  for (let i = 0; i < repetitions; i++) for (const [k, worker] of workers.entries()) times[k]!.push(await worker.time(counts[k]!));
  for (const worker of workers) worker.close();
  return times;
}

interface Row {
  readonly title: string;
  device: string;
  readonly cells: Map<string, string>;
}
const peerTitle = "PyTorch, authors' library";
const rows = new Map<string, Row>();
const problems = new Map<string, string>();
/** Of one run of the library on the MLP, in ms per step. */
let peerStep: number | undefined;

function report(title: string, device: string, column: string, cell: string): void {
  const row = rows.get(title) ?? { title, device, cells: new Map<string, string>() };
  row.device = device || row.device;
  row.cells.set(column, cell);
  rows.set(title, row);
}

/** @returns null where it cannot be had, which is reported */
async function started<W extends Worker>(title: string, column: string, start: () => Promise<W>): Promise<W | null> {
  try {
    return await start();
  } catch (error) {
    const message = messageOf(error);
    problems.set(title, problems.has(title) || rows.has(title) ? `${problems.get(title) ?? ""}${problems.has(title) ? "; " : ""}${column}: ${message}` : message);
    return null;
  }
}

const card = spawnSync("nvidia-smi", ["--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"], { encoding: "utf8" });
console.log(`${cpus()[0]?.model.trim() ?? "?"}, ${cpus().length} cores, load ${loadavg()[0]!.toFixed(1)}; ${process.platform} ${release()}; node ${process.versions.node}`);
if (card.status === 0) console.log(`NVIDIA: ${card.stdout.trim()}`);
console.log(`Adam under SGD, float32; ms per step, median (least) of ${repetitions} measurements of ${slice} ms, all of a model taken in turn; one thread where a processor computes\n`);

const engines = values.engines.split(",") as EngineKind[];
for (const model of models) {
  const workers: { title: string; worker: Worker }[] = [];
  for (const kind of engines) {
    if (problems.has(kind) && !rows.has(kind)) continue;
    const worker = await started(kind, model, () => startOurs(kind, model));
    if (worker) workers.push({ title: kind, worker });
  }
  if (values.gpu) {
    const worker = await started(peerTitle, model, () => startPeer(model));
    if (worker) workers.push({ title: `${peerTitle} (torch ${worker.torch})`, worker });
  }
  const times = await measured(workers.map(({ worker }) => worker));
  workers.forEach(({ title, worker }, i) => {
    report(title, worker.device, model, `${shown(median(times[i]!))} (${shown(Math.min(...times[i]!))})`);
    if (title.startsWith(peerTitle) && model === "mlp") peerStep = median(times[i]!);
  });
  // What is measured is not lost when the rest takes too long.
  console.error(`${model}: ${workers.map(({ title }, i) => `${title} ${shown(median(times[i]!))}`).join(", ")}`);
}

const widths = [Math.max(22, ...[...rows.keys()].map((title) => title.length + 2)), ...models.map(() => 20)];
const line = (cells: readonly string[]) => console.log(cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[i] ?? 0))).join(""));
line(["", ...models]);
for (const { title, device, cells } of rows.values()) line([title, ...models.map((model) => cells.get(model) ?? "-"), `   ${device}`]);
if (problems.size > 0) console.log(`\nnot there:\n${[...problems].map(([title, why]) => `  ${title}: ${why}`).join("\n")}`);

if (values.gpu) {
  console.log(`\nCohorts of MLPs: runs x steps per second${peerStep === undefined ? "" : `, and as a multiple of the library's ${(1000 / peerStep).toFixed(0)} steps per second, one run after another`}\n`);
  const sizes = values.cohorts.split(",").map(Number);
  line(["", ...sizes.map(String)].map((cell, i) => (i === 0 ? cell : cell.padStart(18))));
  for (const kind of values["cohort-engines"].split(",") as EngineKind[]) {
    if (!rows.has(kind)) continue;
    const cells: string[] = [];
    for (const size of sizes) {
      const worker = await started(`${kind}, cohort`, `of ${size}`, () => startOurs(kind, "mlp", size));
      if (!worker) {
        cells.push("-");
        continue;
      }
      const [times] = await measured([worker]);
      const rate = (1000 * size) / median(times!);
      cells.push(`${rate.toFixed(0)}${peerStep === undefined ? "" : ` (${((rate * peerStep) / 1000).toFixed(1)}x)`}`);
    }
    line([kind, ...cells.map((cell) => cell.padStart(18))]);
  }
  const late = [...problems].filter(([title]) => title.endsWith(", cohort"));
  if (late.length > 0) console.log(`\nnot there:\n${late.map(([title, why]) => `  ${title}: ${why}`).join("\n")}`);
}
