/**
 * `npm run bench:models`: milliseconds per training step of every kind of model on ONNX Runtime
 * and in PyTorch, plain SGD on both sides and the same model under a tower on ours, one thread
 * each, measured in turn; with the peak memory of either process.
 */
import { cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { modelCases } from "./modelCases.ts";
import { startOurs, type Timing, type Worker } from "./ourWorker.ts";
import { startPython } from "./python.ts";
import { median } from "./median.ts";

const { values } = parseArgs({
  options: {
    repetitions: { type: "string", default: "9" },
    /** Time of one measurement, in ms. */
    slice: { type: "string", default: "400" },
    models: { type: "string", default: Object.keys(modelCases).join(",") },
  },
});
const repetitions = Number(values.repetitions);
const slice = Number(values.slice);

async function startTheirs(name: string): Promise<Worker> {
  const python = await startPython({
    script: "models_peer.py",
    imports: "import torch",
    missing: "PyTorch was not found. Install it (Debian: apt-get install python3-torch libopenblas0-pthread; elsewhere: pip install torch).",
    cores: 1,
  });
  await python.ask({ load: name, steps: 1 });
  return { hello: python.hello, time: async (steps) => (await python.ask({ steps })) as unknown as Timing, close: () => python.close() };
}

const shown = (list: readonly number[]) => `${median(list).toFixed(2)} (${Math.min(...list).toFixed(2)})`;

const widths = [18, 18, 7, 18, 18, 7, 18, 9, 7, 10];
let announced = false;
for (const name of values.models.split(",")) {
  const { title } = modelCases[name]!;
  const sgd = { optimizer: "sgd" };
  const workers = [await startTheirs(name), await startOurs(name, [sgd]), await startOurs(name, [{ optimizer: "adam" }, { optimizer: "sgd", alpha: 1e-5 }])];
  const [theirs, ours] = workers as [Worker, Worker];
  if (!announced) {
    announced = true;
    console.log(`${cpus()[0]?.model.trim() ?? "?"}, ${cpus().length} cores, load ${loadavg()[0]!.toFixed(1)}; node ${process.versions.node}; torch ${String(theirs.hello["torch"])}, oneDNN ${String(theirs.hello["onednn"])}`);
    console.log(`One thread each. ms per step, median (least) of ${repetitions} measurements taken in turn: on the clock, and of processor time;`);
    console.log("ratio: median of each turn's; memory: peak of either process and what the summary estimates, in MiB\n");
    const head = ["PyTorch SGD", "ours SGD", "ratio", "PyTorch CPU", "ours CPU", "ratio", "Adam/SGD CPU", "PyTorch", "ours", "estimate"];
    console.log(`${"".padEnd(28)}${head.map((title, i) => title.padStart(widths[i]!)).join("")}`);
  }
  const counts: number[] = [];
  for (const worker of workers) counts.push(Math.max(1, Math.round(slice / (await worker.time(2)).ms)));
  const answers = workers.map((): Timing[] => []);
  for (let i = 0; i < repetitions; i++) for (const [k, worker] of workers.entries()) answers[k]!.push(await worker.time(counts[k]!));
  for (const worker of workers) worker.close();
  const times = (k: number, of: "ms" | "cpu") => answers[k]!.map((answer) => answer[of]);
  const ratio = (of: "ms" | "cpu") => median(times(1, of).map((time, i) => time / times(0, of)[i]!)).toFixed(2);
  const peak = (k: number) => Math.max(...answers[k]!.map((answer) => answer.peak)).toFixed(0);
  const row = [...[0, 1].map((k) => shown(times(k, "ms"))), ratio("ms"), ...[0, 1].map((k) => shown(times(k, "cpu"))), ratio("cpu"), shown(times(2, "cpu")), peak(0), peak(1), Number(ours.hello["estimated"]).toFixed(0)];
  console.log(`${title.padEnd(28)}${row.map((cell, i) => cell.padStart(widths[i]!)).join("")}`);
}
