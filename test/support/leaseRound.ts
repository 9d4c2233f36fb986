/**
 * One round of the lease test. A host trains two runs and is stopped, like a machine that sleeps; another host takes
 * over one of the runs; the first host continues. Then all rows are compared with those of undisturbed runs.
 */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import type { ExperimentInput } from "../../src/shared/experiment.ts";
import { Store } from "../../src/main/store/store.ts";
import type { LeaseNews, LeaseOrder } from "./leaseHost.ts";
import { recordedLog } from "./storeFixtures.ts";
import { processFile } from "./processes.ts";

const entry = processFile("leaseHost");

export interface LeaseRound {
  /** Number of steps missing from both runs. */
  readonly lost: number;
  /** Number of duplicate rows (more than one per step and metric) in both runs. */
  readonly double: number;
  /** Number of values that differ from those of an undisturbed run. */
  readonly different: number;
  /** Statuses of the run taken over and of the other run, and kinds of the first run's events. */
  readonly taken: string;
  readonly kept: string;
  readonly events: readonly string[];
  /** Message of the first host about its lost lease. */
  readonly notice: string;
  /** Longest time between two commits of the other run, before the stop and after the continuation (milliseconds). */
  readonly before: number;
  readonly after: number;
  /** Time from the continuation to the other run's next commit (milliseconds). */
  readonly first: number;
}

/** Values by step of every metric except the step time. */
export type Rows = readonly (readonly number[])[];

type Named<T extends LeaseNews["is"]> = Extract<LeaseNews, { readonly is: T }>;

function startHost(storeDir: string, machine: string) {
  const child = spawn(process.execPath, [entry, storeDir, machine], { stdio: ["pipe", "pipe", "inherit"] });
  const heard: (LeaseNews & { at: number })[] = [];
  const waiting = new Set<() => void>();
  const wake = () => {
    for (const check of [...waiting]) check();
  };
  createInterface({ input: child.stdout }).on("line", (line) => {
    heard.push({ ...(JSON.parse(line) as LeaseNews), at: performance.now() });
    wake();
  });
  let gone = false;
  child.once("close", () => {
    gone = true;
    wake();
  });
  return {
    heard,
    signal: (name: "SIGCONT" | "SIGKILL") => child.kill(name),
    /** Resolves once the process is stopped. */
    stopped: async () => {
      while (!/^State:\s+T/m.test(readFileSync(`/proc/${child.pid}/status`, "utf8"))) await delay(5);
    },
    order: (order: LeaseOrder) => child.stdin.write(`${JSON.stringify(order)}\n`),
    /** The first matching message, already received or future. */
    until: <T extends LeaseNews["is"]>(is: T, fits: (news: Named<T>) => boolean = () => true) =>
      new Promise<Named<T>>((resolve, reject) => {
        const check = () => {
          const found = heard.find((news): news is Named<T> & { at: number } => news.is === is && fits(news as unknown as Named<T>));
          if (!found && !gone) return;
          waiting.delete(check);
          if (found) resolve(found);
          else reject(new Error(`the host ${machine} ended before "${is}"`));
        };
        waiting.add(check);
        check();
      }),
  };
}

/** Rows of a run without the step time, and the number of duplicate rows. */
function rowsOf(storeDir: string, runs: readonly string[]) {
  const store = new Store(storeDir, { log: recordedLog(), machine: "reader" });
  try {
    return runs.map((id) => {
      const run = store.getRun(id)!;
      const steps = [...store.readSteps(id)];
      const kept = run.metrics.map((name) => name !== "stepTime");
      const { series } = store.readSeries({ run: id, metrics: [...run.metrics], after: -1, width: 1, maxBuckets: 100_000 });
      const stored = series.map(({ buckets }) => buckets.reduce((sum, { count }) => sum + count, 0));
      return {
        run,
        rows: steps.map(({ values }) => values.filter((_, i) => kept[i])),
        double: stored.reduce((sum, count) => sum + Math.max(0, count - steps.length), 0) + (steps.length - new Set(steps.map(({ step }) => step)).size),
      };
    });
  } finally {
    store.close();
  }
}

/** Rows of an undisturbed run of an experiment. */
export async function undisturbed(storeDir: string, experiment: ExperimentInput): Promise<Rows> {
  const host = startHost(storeDir, "alone");
  await host.until("ready");
  host.order({ start: experiment });
  const { run } = await host.until("started");
  await host.until("changed", (news) => news.run === run && news.status === "finished");
  host.order({ close: true });
  await host.until("closed");
  return rowsOf(storeDir, [run])[0]!.rows;
}

export async function leaseRound(storeDir: string, experiment: ExperimentInput, expected: Rows): Promise<LeaseRound> {
  const sleeper = startHost(storeDir, "laptop");
  let taker: ReturnType<typeof startHost> | undefined;
  try {
    await sleeper.until("ready");
    sleeper.order({ start: experiment });
    const { run: taken } = await sleeper.until("started");
    sleeper.order({ start: experiment });
    const { run: kept } = await sleeper.until("started", ({ run }) => run !== taken);
    const early = expected.length / 8;
    for (const run of [taken, kept]) await sleeper.until("changed", (news) => news.run === run && news.steps > early);
    const stopped = performance.now();
    sleeper.order({ sleep: true });
    await sleeper.stopped();
    taker = startHost(storeDir, "server");
    await taker.until("ready");
    taker.order({ take: taken });
    await taker.until("changed", (news) => news.run === taken && news.status === "running");
    const continued = performance.now();
    sleeper.signal("SIGCONT");
    const { message: notice } = await sleeper.until("noted", (news) => news.run === taken && news.kind === "takenOver");
    await Promise.all([taker.until("changed", (news) => news.run === taken && news.status === "finished"), sleeper.until("changed", (news) => news.run === kept && news.status === "finished")]);
    for (const host of [sleeper, taker]) {
      host.order({ close: true });
      await host.until("closed");
    }
    const commits = sleeper.heard.flatMap((news) => (news.is === "committed" && news.runs.includes(kept) ? [news.at] : []));
    const longest = (times: readonly number[]) => times.slice(1).reduce((gap, at, i) => Math.max(gap, at - times[i]!), 0);
    const later = commits.filter((at) => at > continued);
    const found = rowsOf(storeDir, [taken, kept]);
    const each = found.map(({ rows, double }) => ({
      lost: Math.max(0, expected.length - rows.length),
      double: double + Math.max(0, rows.length - expected.length),
      different: rows.reduce((sum, row, step) => sum + row.filter((value, i) => !Object.is(value, expected[step]?.[i])).length, 0),
    }));
    const sum = (of: "lost" | "double" | "different") => each.reduce((total, one) => total + one[of], 0);
    return {
      lost: sum("lost"), double: sum("double"), different: sum("different"),
      taken: found[0]!.run.status, kept: found[1]!.run.status, events: found[0]!.run.events.map(({ kind }) => kind), notice,
      before: longest(commits.filter((at) => at < stopped)), after: longest(later), first: later[0]! - continued,
    };
  } finally {
    sleeper.signal("SIGKILL");
    taker?.signal("SIGKILL");
  }
}
