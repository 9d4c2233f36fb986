/**
 * `npm run bench:horizon`: milliseconds per training step with a horizon of 1 and without one, the same
 * model and tower on ONNX Runtime, one thread each, measured in turn.
 */
import { spawn } from "node:child_process";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { median } from "./median.ts";
import { modelCases } from "./modelCases.ts";

const { values } = parseArgs({
  options: {
    repetitions: { type: "string", default: "15" },
    /** Time of one measurement, in ms. */
    slice: { type: "string", default: "300" },
    models: { type: "string", default: "mlp,cnn,charLstm" },
  },
});
const repetitions = Number(values.repetitions);
const slice = Number(values.slice);

/** Level 0 of each tower; above it stands SGD. */
const bottoms: Readonly<Record<string, object>> = {
  SGD: { optimizer: "sgd" },
  "SGD, momentum": { optimizer: "sgd", mu: 0.9 },
  "Adam^α": { optimizer: "adamBaydin" },
  Adam: { optimizer: "adam" },
};

/** Per step: on the clock, and of the processor, which a busy machine changes less. */
interface Time {
  readonly ms: number;
  readonly cpu: number;
}

async function start(name: string, bottom: object, horizon: number) {
  const tower = [bottom, { optimizer: "sgd", alpha: 1e-8, horizon }];
  const child = spawn(process.execPath, [join(import.meta.dirname, "modelsOurs.ts"), name, JSON.stringify(tower)], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async () => {
    const line = await lines.next();
    if (line.done) throw new Error(`the process of ${name} ended early`);
    return JSON.parse(line.value) as Time;
  };
  await answer();
  return {
    time: (steps: number) => {
      child.stdin.write(`${JSON.stringify({ steps })}\n`);
      return answer();
    },
    close: () => child.stdin.end(),
  };
}

console.log(`machine: ${cpus()[0]?.model.trim() ?? "?"}, ${cpus().length} cores, load ${loadavg()[0]!.toFixed(1)}; node ${process.versions.node}`);
console.log(`float32; ms per step: median (least) of ${repetitions} repetitions, taken in turn; ratios: median of the repetitions' own\n`);
console.log(line(["model", "tower", "horizon 0", "horizon 1", "ratio", "of CPU time"]));
/** Cells of a row, the names in wider columns. */
function line(cells: readonly string[]): string {
  return cells.map((cell, i) => cell.padEnd([28, 22][i] ?? 18)).join("");
}

const shown = (list: readonly number[]) => `${median(list).toFixed(2)} (${Math.min(...list).toFixed(2)})`;
for (const name of values.models.split(",")) {
  const { title } = modelCases[name]!;
  for (const [label, bottom] of Object.entries(bottoms)) {
    const [without, with1] = [await start(name, bottom, 0), await start(name, bottom, 1)];
    const { ms } = await without.time(3);
    const steps = Math.max(2, Math.round(slice / ms));
    await with1.time(3);
    const pairs: (readonly [Time, Time])[] = [];
    for (let i = 0; i < repetitions; i++) pairs.push([await without.time(steps), await with1.time(steps)]);
    without.close();
    with1.close();
    const ratio = (of: (time: Time) => number) => median(pairs.map(([a, b]) => of(b) / of(a))).toFixed(2);
    const row = [title, `${label} / SGD`, shown(pairs.map(([a]) => a.ms)), shown(pairs.map(([, b]) => b.ms)), ratio(({ ms: time }) => time), ratio(({ cpu }) => cpu)];
    console.log(line(row));
  }
}
