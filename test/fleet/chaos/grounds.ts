/** Fleets on this machine with what can be killed of them. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { writeProfiles } from "../../../src/main/fleet/slurm/profiles.ts";
import { slurmProfile } from "../../../src/shared/fleet/profile.ts";
import { processFile } from "../../support/processes.ts";
import { startQueueServer } from "../../support/queueServer.ts";
import { Cluster, clusterProblem } from "../slurm/cluster.ts";

/** Something that is killed, and how often it is chosen. */
export interface Kill {
  readonly name: string;
  readonly weight: number;
  /** @param random between 0 and 1. Resolves with false where there was nothing to kill. */
  kill(random: () => number): Promise<boolean>;
}

export interface Ground {
  /** As in `--on`. */
  readonly on: string;
  readonly queue?: string;
  readonly kills: readonly Kill[];
  stop(): Promise<void>;
}

/** Seconds of silence after which a worker counts as lost. */
export const lostAfter = 8;

/** Keeps so many workers running: one that has ended is followed by another. */
class Workers {
  readonly #start: () => ChildProcess;
  readonly #running: (ChildProcess | null)[];
  #over = false;

  constructor(count: number, start: () => ChildProcess) {
    this.#start = start;
    this.#running = Array.from({ length: count }, () => null);
    for (const seat of this.#running.keys()) this.#keep(seat);
  }

  #keep(seat: number): void {
    if (this.#over) return;
    const child = this.#start();
    this.#running[seat] = child;
    child.once("exit", () => this.#keep(seat));
  }

  async kill(random: () => number, signal: "SIGKILL" | "SIGTERM"): Promise<boolean> {
    const child = this.#running[Math.floor(random() * this.#running.length)]!;
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return false;
    const exited = once(child, "exit");
    if (signal === "SIGTERM") child.kill(signal);
    else {
      // With its trainers, as a machine that loses its power.
      process.kill(-child.pid, signal);
      await exited;
    }
    return true;
  }

  stop(): void {
    this.#over = true;
    for (const child of this.#running) if (child?.pid !== undefined && child.exitCode === null && child.signalCode === null) process.kill(-child.pid, "SIGKILL");
  }

  get kills(): Kill[] {
    return [
      { name: "worker, SIGKILL", weight: 5, kill: (random) => this.kill(random, "SIGKILL") },
      { name: "worker, SIGTERM", weight: 3, kill: (random) => this.kill(random, "SIGTERM") },
    ];
  }
}

function startWorker(folder: string, kind: "folder" | "queue", where: string): ChildProcess {
  return spawn(process.execPath, [processFile("chaosWorker"), kind, where, join(folder, "spool"), String(lostAfter)], { stdio: ["ignore", "ignore", process.env["CHAOS_VERBOSE"] ? "inherit" : "ignore"], detached: true });
}

async function folderGround(folder: string, workers: number): Promise<Ground> {
  const shared = join(folder, "shared");
  mkdirSync(shared);
  const running = new Workers(workers, () => startWorker(folder, "folder", shared));
  return { on: `folder:${shared}`, kills: running.kills, stop: async () => running.stop() };
}

async function queueGround(folder: string, workers: number): Promise<Ground> {
  const server = await startQueueServer();
  const running = new Workers(workers, () => startWorker(folder, "queue", server.worker));
  let restarts = Promise.resolve();
  const restart = async (mode: "fast" | "immediate") => {
    await (restarts = restarts.then(() => server.restart(mode)));
    return true;
  };
  return {
    on: `queue:${server.coordinator}`,
    queue: server.coordinator,
    kills: [...running.kills, { name: "PostgreSQL, restart", weight: 1, kill: () => restart("fast") }, { name: "PostgreSQL, crash", weight: 1, kill: () => restart("immediate") }],
    stop: async () => {
      running.stop();
      await server.remove();
    },
  };
}

/** Processes of workers with a unit in a folder; Linux only. */
function workersIn(folder: string): number[] {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
    try {
      const args = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
      return args[0] === process.execPath && args.includes("worker") && args.some((arg) => arg.startsWith(folder)) ? [Number(pid)] : [];
    } catch {
      return [];
    }
  });
}

async function slurmGround(folder: string, nodes: number): Promise<Ground> {
  const problem = clusterProblem();
  if (problem !== null) throw new Error(`Slurm cannot be tried here: ${problem}`);
  const cluster = await Cluster.start({ nodes });
  const shared = join(folder, "shared");
  mkdirSync(shared);
  process.env["HYPERTOWER_SLURM"] = join(folder, "slurm.json");
  const profile = slurmProfile.parse({ folder: shared, command: `'${process.execPath}' '${processFile("headless")}'`, minutes: 30, attempts: 20, prologue: [`export TMPDIR='${folder}'`] });
  writeProfiles({ profiles: { here: profile } }, process.env["HYPERTOWER_SLURM"]);
  const jobs = (states: string) => cluster.run("squeue", "--noheader", "--array", `--states=${states}`, "--format=%i|%N|%r").split("\n").filter(Boolean).map((line) => line.split("|") as [id: string, node: string, reason: string]);
  // Slurm delays jobs that are started again by two minutes; a person may start them earlier.
  const timer = setInterval(() => {
    try {
      for (const [id, , reason] of jobs("PENDING")) if (reason === "BeginTime") cluster.tryTo("scontrol", "update", `jobid=${id}`, "starttime=now");
    } catch {
      // The controller is busy; the next tick tries again.
    }
  }, 2_000);
  const signaled = (...args: readonly string[]) => async (random: () => number) => {
    const running = jobs("RUNNING");
    if (running.length === 0) return false;
    cluster.tryTo(args[0]!, ...args.slice(1), running[Math.floor(random() * running.length)]![0]);
    return true;
  };
  return {
    on: "slurm:here",
    kills: [
      {
        name: "node, power lost",
        weight: 3,
        kill: async (random) => {
          const node = cluster.nodes[Math.floor(random() * cluster.nodes.length)]!;
          cluster.killNode(node);
          await pause(1_000);
          cluster.startNode(node);
          return true;
        },
      },
      // By scancel it would be the cancellation of a person, after which a unit's runs are stopped.
      {
        name: "worker, SIGKILL",
        weight: 3,
        kill: (random) => {
          const running = workersIn(shared);
          if (running.length === 0) return Promise.resolve(false);
          try {
            process.kill(running[Math.floor(random() * running.length)]!, "SIGKILL");
            return Promise.resolve(true);
          } catch {
            // It has just ended.
            return Promise.resolve(false);
          }
        },
      },
      { name: "job, SIGUSR2", weight: 2, kill: signaled("scancel", "--batch", "--signal=USR2") },
      { name: "job, requeue", weight: 2, kill: signaled("scontrol", "requeue") },
    ],
    stop: async () => {
      clearInterval(timer);
      await cluster.stop();
    },
  };
}

export const grounds = { folder: folderGround, queue: queueGround, slurm: slurmGround } as const;
export type GroundKind = keyof typeof grounds;
