/** Slurm as a cluster (22.05, Debian) once answered: for tests without one. */
import type { RunSlurm, SlurmAnswer, SlurmProgram } from "../../../src/main/fleet/slurm/commands.ts";
import { FleetError } from "../../../src/main/fleet/fleet.ts";

const ok = (stdout: string): SlurmAnswer => ({ code: 0, stdout, stderr: "" });
const no = (stderr: string): SlurmAnswer => ({ code: 1, stdout: "", stderr });

/** What sbatch says of jobs that it does not take. */
export const refusals = {
  array: no("sbatch: error: Batch job submission failed: Invalid job array specification\n"),
  partition: no("sbatch: error: invalid partition specified: nope\nsbatch: error: Batch job submission failed: Invalid partition name specified\n"),
  gres: no("sbatch: error: Invalid generic resource (gres) specification\n"),
  memory: no("sbatch: error: Memory specification can not be satisfied\nsbatch: error: Batch job submission failed: Requested node configuration is not available\n"),
  unreachable: no("sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)\n"),
} as const;

export const config = (arraySize: number) => ok(`Configuration data as of 2026-12-01T03:15:30\nKillWait                = 5 sec\nMaxArraySize            = ${arraySize}\nMaxJobCount             = 10000\nPreemptMode             = REQUEUE\n`);

/** `squeue --format=%i|%j|%T|%N|%r` of such a cluster. */
export const listed = `2_1|hypertower-a|CANCELLED|n2|None
7|other|FAILED||BadConstraints
1_2|hypertower-a|PENDING||JobArrayTaskLimit
8|other|PENDING||PartitionTimeLimit
9_0|hypertower-b|PENDING||JobHeldUser
1_0|hypertower-a|RUNNING|n1|None
11_0|hypertower-c|PENDING||launch failed requeued held
12_0|hypertower-d|NODE_FAIL|n3|NodeDown
`;

interface Recorded {
  readonly program: SlurmProgram;
  readonly args: readonly string[];
}

/** Answers as a cluster; the test says what state jobs are in. */
export class RecordedSlurm {
  readonly asked: Recorded[] = [];
  /** Lines of squeue by `JOB_INDEX`: state, node and reason. */
  readonly jobs = new Map<string, { name: string; state: string; node: string; reason: string }>();
  arraySize = 1_001;
  /** What sbatch says instead of taking a job. */
  refuses: SlurmAnswer | null = null;
  missing = false;
  readonly scripts: string[] = [];
  #next = 1;
  readonly #read: (path: string) => string;

  constructor(read: (path: string) => string) {
    this.#read = read;
  }

  readonly run: RunSlurm = (program, args) => {
    this.asked.push({ program, args });
    if (this.missing) return Promise.reject(new FleetError(`The program ${program} of Slurm was not found`, { retry: false }));
    return Promise.resolve(this.#answer(program, args));
  };

  set(job: string, state: string, node = "", reason = "None"): void {
    this.jobs.set(job, { ...this.jobs.get(job)!, state, node, reason });
  }

  #answer(program: SlurmProgram, args: readonly string[]): SlurmAnswer {
    if (program === "scontrol") return config(this.arraySize);
    if (program === "squeue") return ok([...this.jobs].map(([id, { name, state, node, reason }]) => `${id}|${name}|${state}|${node}|${reason}\n`).join(""));
    if (program === "scancel") {
      for (const id of args) this.set(id, "CANCELLED");
      return ok("");
    }
    if (this.refuses) return this.refuses;
    const script = this.#read(args.at(-1)!);
    if (args.includes("--test-only")) return { code: 0, stdout: "", stderr: "sbatch: Job 12 to start at 2026-12-01T03:30:00 using 1 processors on nodes n1 in partition main\n" };
    this.scripts.push(script);
    const option = (name: string) => new RegExp(`^#SBATCH --${name}=(.*)$`, "m").exec(script)?.[1];
    const array = option("array");
    if (array === undefined) {
      this.jobs.set(String(this.#next), { name: option("job-name")!, state: "PENDING", node: "", reason: "None" });
      return ok(`${this.#next++}\n`);
    }
    const last = Number(/^0-(\d+)/.exec(array)![1]);
    if (last >= this.arraySize) return refusals.array;
    for (let i = 0; i <= last; i++) this.jobs.set(`${this.#next}_${i}`, { name: option("job-name")!, state: "PENDING", node: "", reason: "None" });
    return ok(`${this.#next++}\n`);
  }
}
