/** Jobs as squeue lists them, with what their states and reasons mean. */
import type { RunSlurm } from "./commands.ts";
import { slurmError } from "./commands.ts";

export interface SlurmJob {
  /** `12_3`, or `12` for a job of its own. */
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly node: string | null;
  readonly reason: string | null;
}

/** `over`: it will not run again. */
export type JobPhase = "waiting" | "running" | "over";

const waitingStates = new Set(["PENDING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "SPECIAL_EXIT", "CONFIGURING"]);
const overStates = new Set(["COMPLETED", "CANCELLED", "FAILED", "TIMEOUT", "NODE_FAIL", "PREEMPTED", "BOOT_FAIL", "DEADLINE", "OUT_OF_MEMORY", "REVOKED"]);

export const phaseOf = ({ state }: Pick<SlurmJob, "state">): JobPhase => (waitingStates.has(state) ? "waiting" : overStates.has(state) ? "over" : "running");

const format = "%i|%j|%T|%N|%r";

/** Jobs of this account whose names begin so, those that ended in the last minutes too. @throws FleetError */
export async function listJobs(run: RunSlurm, user: string, beginning: string): Promise<SlurmJob[]> {
  const answer = await run("squeue", ["--noheader", "--array", "--states=all", `--user=${user}`, `--format=${format}`]);
  if (answer.code !== 0) throw slurmError("The jobs could not be listed", answer);
  return parseJobs(answer.stdout).filter(({ name }) => name.startsWith(beginning));
}

export function parseJobs(text: string): SlurmJob[] {
  return text.split("\n").flatMap((line) => {
    const [id, name, state, node, ...reason] = line.trim().split("|");
    if (id === undefined || name === undefined || state === undefined || !/^\d+(_\d+)?$/.test(id)) return [];
    const said = reason.join("|");
    return [{ id, name, state: state.toUpperCase(), node: node || null, reason: said === "" || said === "None" ? null : said }];
  });
}

const waitsBecause: readonly (readonly [RegExp, string])[] = [
  [/^Resources$/, "the nodes are busy"],
  [/^Priority$/, "jobs of higher priority are before it"],
  [/^JobArrayTaskLimit$/, "so many jobs at once as the profile allows are running"],
  [/^BeginTime$/, "Slurm waits a while before it starts a job again"],
  [/^Cleaning$/, "its last attempt is being cleaned up"],
  [/^PartitionTimeLimit$/, "the partition does not let jobs run so long: lower minutes of the profile"],
  [/^PartitionNodeLimit$|^PartitionConfig$/, "the partition has no such node: lower cpus, memory or gres of the profile"],
  [/^PartitionDown$|^PartitionInactive$/, "the partition is down"],
  [/^ReqNodeNotAvail|^NodeDown$|^Nodes required/i, "its nodes are down, drained or reserved"],
  [/^JobHeldUser$/, "it is held; scontrol release lets it go"],
  [/^JobHeldAdmin$/, "an administrator holds it"],
  [/^launch failed/i, "its node could not start it, and Slurm holds it; scontrol release lets it go"],
  [/^BadConstraints$/, "no node has what the profile asks for: correct constraint, cpus, memory or gres"],
  [/^(QOS|Assoc)/, "a limit of your account or QOS is reached"],
  [/^Licenses$/, "licenses are in use"],
  [/^Reservation/, "its reservation has not begun"],
];

/** Why a job waits. */
export function waitingReason({ reason, state }: Pick<SlurmJob, "reason" | "state">): string {
  if (reason === null) return state === "CONFIGURING" ? "its node is being set up" : "Slurm has not looked at it yet";
  const words = waitsBecause.find(([pattern]) => pattern.test(reason))?.[1];
  return words === undefined ? `Slurm says: ${reason}` : `${words} (${reason})`;
}

/** How a job ended that did not hand in its unit. */
export function endedReason({ id, state, node, reason }: SlurmJob): string {
  const where = node === null ? "" : ` on ${node}`;
  switch (state) {
    case "TIMEOUT":
      return `its job ${id} reached its time limit${where} before it could leave`;
    case "NODE_FAIL":
    case "BOOT_FAIL":
      return `the node of its job ${id} failed${node === null ? "" : ` (${node})`}`;
    case "PREEMPTED":
      return `its job ${id} was preempted${where}`;
    case "OUT_OF_MEMORY":
      return `its job ${id} ran out of memory${where}; raise memory of the profile`;
    case "CANCELLED":
      return `its job ${id} was canceled in Slurm`;
    default:
      return `its job ${id} ended${where} (${[state, reason].filter(Boolean).join(", ")})`;
  }
}
