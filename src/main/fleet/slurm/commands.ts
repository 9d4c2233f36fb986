/** Slurm's commands. The only place that starts them, so that tests answer with what a cluster once said. */
import { execFile } from "node:child_process";
import { FleetError } from "../fleet.ts";

export type SlurmProgram = "sbatch" | "squeue" | "scancel" | "scontrol";

export interface SlurmAnswer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** @throws FleetError where the program cannot be started, or does not answer */
export type RunSlurm = (program: SlurmProgram, args: readonly string[]) => Promise<SlurmAnswer>;

/** Milliseconds. */
const answerWithin = 60_000;

export const runSlurm: RunSlurm = (program, args) =>
  new Promise((resolve, reject) => {
    // Times, names and messages in one language.
    const env = { ...process.env, LC_ALL: "C", SLURM_TIME_FORMAT: "standard" };
    execFile(program, [...args], { env, timeout: answerWithin, maxBuffer: 256 << 20 }, (error, stdout, stderr) => {
      if (!error) return resolve({ code: 0, stdout, stderr });
      const { code } = error as { readonly code?: string | number | null };
      if (code === "ENOENT") return reject(new FleetError(`The program ${program} of Slurm was not found: start the coordinator on a login node of the cluster (hypertower serve), or put ${program} on the PATH.`, { retry: false, cause: error }));
      if (typeof code === "number") return resolve({ code, stdout, stderr });
      return reject(new FleetError(`${program} of Slurm did not answer: ${error.killed ? `it took longer than ${answerWithin / 1000} s` : error.message}`, { retry: true, cause: error }));
    });
  });

/** Problems that pass without a change. */
const passing = /unable to contact|connection (refused|timed out)|timed? ?out|temporar|try again|socket|communication|submit limit|MaxSubmit|QOSMaxSubmit|controller|Zero Bytes|retry/i;

/** Advice by what Slurm said. */
const advice: readonly (readonly [RegExp, string])[] = [
  [/configuration source|ClusterName needs|process configuration file/i, "this machine belongs to no cluster: start the coordinator on a login node (hypertower serve)"],
  [/partition/i, "correct the partition of the profile (sinfo lists them)"],
  [/account/i, "correct the account of the profile (sacctmgr show associations lists yours)"],
  [/qos/i, "correct the qos of the profile"],
  [/generic resource|gres/i, "correct gres of the profile, such as gpu:1 (sinfo -o %G lists them)"],
  [/memory specification/i, "lower the memory of the profile: no node has so much"],
  [/node configuration|cpu count/i, "no node has what the profile asks for: lower cpus, gres, memory or constraint"],
  [/time limit/i, "lower minutes of the profile"],
  [/feature/i, "correct the constraint of the profile (sinfo -o %f lists the features)"],
];

/** What a program said, as an error with what to do. */
export function slurmError(doing: string, { stderr, stdout, code }: SlurmAnswer): FleetError {
  const said = (stderr.trim() || stdout.trim() || `exit code ${code}`).split("\n").map((text) => text.replace(/^\w+: (error|fatal): /, "")).join("; ").slice(0, 2_000);
  const retry = passing.test(said);
  const what = retry ? undefined : advice.find(([pattern]) => pattern.test(said))?.[1];
  return new FleetError(`${doing}: Slurm says: ${said}${what === undefined ? "" : `; ${what}`}`, { retry });
}
