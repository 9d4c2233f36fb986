/**
 * A real Slurm with several nodes on this machine, without systemd: for root on Debian and Ubuntu, which install what is
 * missing. Everything is in one temporary folder, on ports of its own, and is taken down again.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

const programs = ["munged", "slurmctld", "slurmd", "sbatch"];
const isThere = (program: string) => spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;

/** Why no cluster can be started here; null where it can. */
export function clusterProblem(): string | null {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "Slurm's daemons need root on Linux";
  if (programs.every(isThere)) return null;
  if (!isThere("apt-get")) return "slurm-wlm and munge are not installed, and there is no apt-get";
  const install = spawnSync("apt-get", ["install", "-y", "-q", "slurm-wlm", "munge"], { env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" }, encoding: "utf8" });
  return install.status === 0 && programs.every(isThere) ? null : `slurm-wlm and munge could not be installed: ${install.stderr.slice(-500)}`;
}

async function freePorts(count: number): Promise<number> {
  const isFree = (port: number) => new Promise<boolean>((resolve) => createServer().once("error", () => resolve(false)).listen(port, "127.0.0.1", function (this: ReturnType<typeof createServer>) {
    this.close(() => resolve(true));
  }));
  for (let first = 17_000 + (process.pid % 400) * 20; first < 60_000; first += 20) {
    const free = await Promise.all(Array.from({ length: count }, (_, i) => isFree(first + i)));
    if (free.every(Boolean)) return first;
  }
  throw new Error("no free ports");
}

export class Cluster {
  readonly root: string;
  readonly conf: string;
  readonly nodes: readonly string[];

  private constructor(root: string, nodes: readonly string[]) {
    this.root = root;
    this.conf = join(root, "slurm.conf");
    this.nodes = nodes;
  }

  /** @param arraySize jobs that an array may have */
  static async start({ nodes: count = 3, arraySize = 1_001 } = {}): Promise<Cluster> {
    const root = mkdtempSync(join(tmpdir(), "slurm-"));
    chmodSync(root, 0o755);
    for (const name of ["state", "log", "run"]) mkdirSync(join(root, name), { mode: 0o755 });
    const cluster = new Cluster(root, Array.from({ length: count }, (_, i) => `n${i + 1}`));
    const key = join(root, "munge.key");
    writeFileSync(key, randomBytes(1_024), { mode: 0o600 });
    execFileSync("munged", ["--force", `--key-file=${key}`, `--socket=${root}/run/munge.sock`, `--pid-file=${root}/run/munged.pid`, `--log-file=${root}/log/munged.log`, `--seed-file=${root}/munge.seed`], { stdio: "ignore" });
    const port = await freePorts(count + 1);
    const [host] = hostname().split(".");
    writeFileSync(
      cluster.conf,
      `ClusterName=test
SlurmctldHost=${host}(127.0.0.1)
SlurmctldPort=${port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=${root}/run/munge.sock
CredType=cred/munge
StateSaveLocation=${root}/state
SlurmdSpoolDir=${root}/spool-%n
SlurmctldPidFile=${root}/run/slurmctld.pid
SlurmdPidFile=${root}/run/slurmd-%n.pid
SlurmctldLogFile=${root}/log/slurmctld.log
SlurmdLogFile=${root}/log/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,sched_min_interval=100000,batch_sched_delay=0,bf_interval=1
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
MaxArraySize=${arraySize}
MinJobAge=300
KillWait=2
SlurmdTimeout=6
MessageTimeout=5
JobRequeue=1
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
RebootProgram=/bin/true
NodeName=n[1-${count}] NodeHostname=${host} NodeAddr=127.0.0.1 Port=[${port + 1}-${port + count}] CPUs=1 RealMemory=500
PartitionName=main Nodes=n[1-${count}] Default=YES MaxTime=60 State=UP PriorityTier=1 PreemptMode=REQUEUE
PartitionName=urgent Nodes=n[1-${count}] MaxTime=60 State=UP PriorityTier=10
`,
    );
    // For every command of Slurm that this process starts.
    process.env["SLURM_CONF"] = cluster.conf;
    execFileSync("slurmctld", ["-f", cluster.conf], { stdio: "ignore" });
    for (const node of cluster.nodes) cluster.startNode(node);
    for (let tries = 0; ; tries++) {
      const idle = spawnSync("sinfo", ["--noheader", "--partition=main", "--states=idle", "--format=%D"], { encoding: "utf8" });
      if (Number(idle.stdout.trim()) === count) return cluster;
      if (tries > 200) throw new Error(`the nodes do not come up: ${idle.stdout}${idle.stderr}\n${readFileSync(join(root, "log/slurmctld.log"), "utf8").slice(-2_000)}`);
      await delay(200);
    }
  }

  startNode(node: string): void {
    execFileSync("slurmd", ["-f", this.conf, "-N", node], { stdio: "ignore" });
  }

  /** As if the node lost its power: its daemon and all that its jobs started are gone at once. */
  killNode(node: string): void {
    const daemon = this.#pid(`slurmd-${node}.pid`);
    if (daemon === null) throw new Error(`${node} does not run`);
    const jobs = processesWith("SLURMD_NODENAME", node);
    for (const pid of [daemon, ...jobs]) kill(pid);
    // Its job's watcher, which has no such variable, ends with the job.
    for (const pid of [...processesNamed("slurmstepd").filter((one) => jobs.some((job) => parentOf(job) === one)), ...processesWith("SLURMD_NODENAME", node)]) kill(pid);
  }

  run(program: string, ...args: string[]): string {
    const { stdout, stderr, status } = spawnSync(program, args, { encoding: "utf8" });
    if (status !== 0) throw new Error(`${program} ${args.join(" ")}: ${stderr}`);
    return stdout;
  }

  /** Where the state may have changed meanwhile. */
  tryTo(program: string, ...args: string[]): void {
    spawnSync(program, args);
  }

  async stop(): Promise<void> {
    spawnSync("scancel", ["--user=root", "--signal=KILL"]);
    spawnSync("scancel", ["--user=root"]);
    await delay(500);
    for (const name of readdirSync(join(this.root, "run")).filter((each) => each.endsWith(".pid"))) {
      const pid = this.#pid(name);
      if (pid !== null) kill(pid, name === "munged.pid" ? "SIGTERM" : "SIGKILL");
    }
    for (const pid of processesWith("SLURM_CONF", this.conf)) if (pid !== process.pid && pid !== process.ppid) kill(pid);
    delete process.env["SLURM_CONF"];
    await delay(200);
    rmSync(this.root, { recursive: true, force: true });
  }

  #pid(name: string): number | null {
    try {
      return Number(readFileSync(join(this.root, "run", name), "utf8").trim()) || null;
    } catch {
      return null;
    }
  }
}

function kill(pid: number, signal: NodeJS.Signals = "SIGKILL"): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended.
  }
}

const pids = () => readdirSync("/proc").map(Number).filter(Number.isInteger);

function readProc(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "utf8");
  } catch {
    return "";
  }
}

const processesWith = (variable: string, value: string) => pids().filter((pid) => readProc(pid, "environ").split("\0").includes(`${variable}=${value}`));
const processesNamed = (name: string) => pids().filter((pid) => readProc(pid, "comm").trim() === name);
const parentOf = (pid: number) => Number(/^PPid:\s+(\d+)/m.exec(readProc(pid, "status"))?.[1]);
