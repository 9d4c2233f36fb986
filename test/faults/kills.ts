/**
 * Kills at random moments: `node test/faults/kills.ts [ROUNDS] [SEED]`. Each round trains a run by the command line,
 * kills its trainer, its host, or all of it (kill -9), or stops the host's process for longer than a heartbeat's period,
 * a few times over, and resumes it to the end. After each blow the store has to be whole, every step in its place and
 * everything there that was told; at the end every number has to be that of a run that nobody disturbed.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createInterface } from "node:readline";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { randomOf } from "./random.ts";
import { storeFacts, type RunFacts } from "./storeFacts.ts";

const rounds = Number(process.argv[2] ?? 100);
const seed = Number(process.argv[3] ?? Date.now() % 1e6);
const random = randomOf(seed);
const entry = join(import.meta.dirname, "../../src/main/headless/index.ts");
const root = mkdtempSync(join(tmpdir(), "hypertower-kills-"));
const experiment = [
  "--set", "dataset.trainExamples=1280", "--set", "dataset.testExamples=200", "--set", "model.hidden=[16]", "--set", "batchSize=64",
  "--set", "budget.epochs=150", "--set", "tower.0.alpha=0.01",
];

const blows = ["trainer", "host", "everything", "asleep"] as const;
type Blow = (typeof blows)[number];
const given: Record<Blow, number> = { trainer: 0, host: 0, everything: 0, asleep: 0 };

interface Command {
  /** Evaluations that were told, by their steps. */
  readonly told: number[];
  readonly ended: Promise<number | null>;
  strike(blow: Blow): void;
}

/** The processes that a process started. */
function childrenOf(pid: number): number[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const parent = Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${name}/stat`, "utf8"))?.[1]);
      return parent === pid ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}

function quietly(act: () => void): void {
  try {
    act();
  } catch {
    // It had ended by itself.
  }
}

function start(store: string, args: readonly string[]): Command {
  const child = spawn(process.execPath, [entry, ...args, "--json"], { env: { ...process.env, HYPERTOWER_HOME: store, HYPERTOWER_ENGINE: "onnx-cpu" }, stdio: ["ignore", "pipe", "ignore"], detached: true });
  const told: number[] = [];
  createInterface({ input: child.stdout }).on("line", (text) => {
    const line = JSON.parse(text) as { type: string; step: number };
    if (line.type === "epoch") told.push(line.step);
  });
  return {
    told,
    ended: new Promise((resolve) => child.on("close", resolve)),
    strike(blow) {
      const pid = child.pid!;
      given[blow]++;
      if (blow === "trainer") for (const trainer of childrenOf(pid)) quietly(() => process.kill(trainer, "SIGKILL"));
      else if (blow === "host") quietly(() => process.kill(pid, "SIGKILL"));
      else if (blow === "everything") quietly(() => process.kill(-pid, "SIGKILL"));
      else {
        quietly(() => process.kill(pid, "SIGSTOP"));
        setTimeout(() => quietly(() => process.kill(pid, "SIGCONT")), 4_000);
      }
    },
  };
}

const numbersOf = ({ series, evaluations }: RunFacts) => ({
  // What a step took is no part of what was computed.
  series: Object.fromEntries(Object.entries(series).filter(([name]) => name !== "stepTime")),
  evaluations,
});

async function trained(store: string): Promise<{ facts: RunFacts; milliseconds: number }> {
  const begun = performance.now();
  const code = await start(store, ["train", ...experiment]).ended;
  if (code !== 0) throw new Error(`the undisturbed run ended with ${code}`);
  return { facts: storeFacts(store).runs[0]!, milliseconds: performance.now() - begun };
}

/** @returns what is wrong, if anything */
async function round(n: number, expected: unknown, whole: number): Promise<string | null> {
  const store = join(root, `round-${n}`);
  const told = new Set<number>();
  let args: readonly string[] = ["train", ...experiment];
  for (let blow = 0; ; blow++) {
    const command = start(store, args);
    const timer = blow < 3 ? setTimeout(() => command.strike(blows[Math.floor(random() * blows.length)]!), whole * (0.15 + 0.6 * random())) : undefined;
    const code = await command.ended;
    clearTimeout(timer);
    for (const step of command.told) told.add(step);
    // Killed before there was a store: then nothing was told of it either.
    const { integrity, runs } = existsSync(join(store, "hypertower.sqlite")) ? storeFacts(store) : { integrity: "ok", runs: [] };
    if (integrity !== "ok") return `the store is damaged: ${integrity}`;
    const [run] = runs;
    if (!run) {
      if (told.size > 0) return "the run is gone";
      continue;
    }
    const here = new Set(run.evaluations.map(({ step }) => step));
    const lost = [...told].filter((step) => !here.has(step));
    if (lost.length > 0) return `evaluations were told and are gone: after steps ${lost.join(", ")}`;
    if (code === 0 || run.status === "finished") {
      const found = numbersOf(run);
      rmSync(store, { recursive: true });
      return isDeepStrictEqual(found, expected) ? null : "numbers differ from those of the undisturbed run";
    }
    if (blow > 8) return `it does not come to its end: ${run.status}, ${run.reason}`;
    args = ["resume", run.id];
  }
}

const first = await trained(join(root, "undisturbed"));
const expected = numbersOf(first.facts);
console.log(`seed ${seed}; undisturbed: ${first.facts.series["loss"]!.length} steps in ${(first.milliseconds / 1000).toFixed(1)} s`);
let failed = 0;
for (let n = 1; n <= rounds; n++) {
  const problem = await round(n, expected, first.milliseconds).catch((error: unknown) => String(error));
  if (problem === null) continue;
  failed++;
  console.log(`round ${n}: ${problem} (${join(root, `round-${n}`)})`);
}
const counted = Object.entries(given).map(([blow, count]) => `${count} ${blow}`).join(", ");
console.log(`${rounds} rounds, ${counted}: ${failed} with something lost, damaged or different`);
if (failed === 0) rmSync(root, { recursive: true });
process.exitCode = failed > 0 ? 1 : 0;
