/**
 * `npm run bench:transformer`: milliseconds per training step of gpt-mini on ONNX Runtime, in PyTorch
 * (eager and compiled) and in JAX (jit), one thread each, measured in turn; with the peak memory of
 * each process. AdamW with nanoGPT's groups and clipping to a norm of 1 on all sides.
 */
import { cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { findPreset } from "../../src/shared/presets.ts";
import { median } from "./median.ts";
import { startOurs, type Timing, type Worker } from "./ourWorker.ts";
import { startPython } from "./python.ts";

const { values } = parseArgs({
  options: {
    repetitions: { type: "string", default: "9" },
    steps: { type: "string", default: "8" },
    /** Among torch, torchCompiled and jax. */
    against: { type: "string", default: "torch,torchCompiled,jax" },
  },
});
const [repetitions, steps] = [Number(values.repetitions), Number(values.steps)];

// JAX has no setting for one thread that covers all of its pools: the processor's first core does.
const oneCore = { XLA_FLAGS: "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1" };

async function startPeer(which: string): Promise<Worker> {
  Object.assign(process.env, oneCore);
  const python = await startPython({
    script: "transformer_peer.py",
    imports: which === "jax" ? "import jax, optax" : "import torch",
    missing: which === "jax" ? "JAX and Optax were not found (pip install jax optax)." : "PyTorch was not found (pip install torch).",
    cores: 1,
  });
  const hello = await python.ask({ load: which, steps: 1 });
  return { hello, time: async (count) => (await python.ask({ steps: count })) as unknown as Timing, close: () => python.close() };
}

// The step size is constant: a schedule is a handful of scalars.
const level = Object.fromEntries(Object.entries(findPreset("gpt-mini")!.experiment.tower![0]!).filter(([name]) => name !== "schedules"));
const names = ["ours", ...values.against.split(",").filter((name) => name !== "")];
const workers: Worker[] = [];
for (const name of names) workers.push(name === "ours" ? await startOurs("gptMini", [level]) : await startPeer(name));
for (const worker of workers) await worker.time(2);
const timings = workers.map((): Timing[] => []);
for (let i = 0; i < repetitions; i++) for (const [k, worker] of workers.entries()) timings[k]!.push(await worker.time(steps));
for (const worker of workers) worker.close();

console.log(`${cpus()[0]?.model.trim() ?? "?"}, ${cpus().length} cores, load ${loadavg()[0]!.toFixed(1)}; node ${process.versions.node}; ${workers.map(({ hello }) => ["torch", "jax"].flatMap((of) => (hello[of] === undefined ? [] : [`${of} ${String(hello[of])}`])).join("")).filter((text) => text !== "").join(", ")}`);
console.log("gpt-mini, one thread. ms per step: median (least); ratio: median of ours over theirs in the same turn; memory: peak, MiB\n");
const shown = (list: readonly number[]) => `${median(list).toFixed(1)} (${Math.min(...list).toFixed(1)})`;
const row = (cells: readonly string[]) => console.log(cells.map((cell, i) => (i === 0 ? cell.padEnd(16) : cell.padStart(16))).join(""));
row(["", "clock", "ratio", "processor", "ratio", "memory", "ratio"]);
for (const [k, name] of names.entries()) {
  const of = (field: keyof Timing) => timings[k]!.map((timing) => timing[field]);
  const ratio = (field: keyof Timing) => (k === 0 ? "" : median(of(field).map((value, i) => timings[0]![i]![field] / value)).toFixed(2));
  row([name, shown(of("ms")), ratio("ms"), shown(of("cpu")), ratio("cpu"), Math.max(...of("peak")).toFixed(0), ratio("peak")]);
}
