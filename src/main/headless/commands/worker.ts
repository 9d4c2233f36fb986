/** `hypertower worker`: trains units of work for a coordinator elsewhere. */
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { plural } from "../../../shared/text.ts";
import { engineFacts } from "../../../shared/engines.ts";
import { formatBytes } from "../../../shared/format.ts";
import type { WorkerMachine } from "../../../shared/fleet/worker.ts";
import { FleetError } from "../../fleet/fleet.ts";
import { OneUnit } from "../../fleet/folder/oneUnit.ts";
import { FolderSource } from "../../fleet/folder/source.ts";
import { chosenUrl, queueVariable } from "../../fleet/queue/address.ts";
import { QueueSource } from "../../fleet/queue/queueSource.ts";
import { findMachine } from "../../fleet/worker/machine.ts";
import type { WorkSource } from "../../fleet/worker/source.ts";
import { newWorkerId, Worker } from "../../fleet/worker/worker.ts";
import type { UnitTrained } from "../../fleet/worker/unitTraining.ts";
import { nodeLauncher } from "../../hosting/nodeLauncher.ts";
import { UserError } from "../../services/services.ts";
import { exitCodes } from "../exitCodes.ts";
import { onInterrupt } from "../interrupt.ts";
import type { ProgramFiles } from "../session.ts";

export interface WorkerCommandOptions {
  readonly unit?: string;
  readonly results?: string;
  readonly folder?: string;
  /** URL; true for that of the environment. */
  readonly queue?: string | true;
  readonly data?: string;
  readonly places?: number;
  readonly limit?: number;
  readonly untilEmpty?: boolean;
}

const say = (line: string) => process.stderr.write(`${new Date().toISOString()} ${line}\n`);

export async function worker(programFiles: ProgramFiles, options: WorkerCommandOptions): Promise<number> {
  // Trainers read it too.
  if (options.data !== undefined) process.env["HYPERTOWER_DATA"] = resolve(options.data);
  try {
    const { source, one } = await openSource(options);
    return await work(programFiles, options, source, one);
  } catch (error) {
    if (error instanceof FleetError) throw new UserError(error.message, undefined, { cause: error });
    throw error;
  }
}

async function openSource({ unit, results, folder, queue, untilEmpty }: WorkerCommandOptions): Promise<{ source: WorkSource; one: OneUnit | null }> {
  const given = [unit, folder, queue].filter((option) => option !== undefined).length;
  if (given !== 1) throw new UserError("name where the units come from: --unit FILE with --results DIR, --folder DIR, or --queue URL");
  if (queue !== undefined) return { source: await openQueueSource(queue === true ? undefined : queue, untilEmpty ?? false), one: null };
  if (folder !== undefined) return { source: new FolderSource({ root: resolve(folder), untilEmpty: untilEmpty ?? false, say }), one: null };
  if (results === undefined) throw new UserError("--unit needs --results DIR, the folder of what is trained");
  const job = process.env["SLURM_ARRAY_JOB_ID"] === undefined ? (process.env["SLURM_JOB_ID"] ?? null) : `${process.env["SLURM_ARRAY_JOB_ID"]}_${process.env["SLURM_ARRAY_TASK_ID"]}`;
  const node = process.env["SLURMD_NODENAME"];
  const one = await OneUnit.open({ file: resolve(unit!), results, job, ...(node !== undefined && { host: node }) });
  return { source: one, one };
}

async function openQueueSource(given: string | undefined, untilEmpty: boolean): Promise<WorkSource> {
  const url = chosenUrl(given);
  // The password is for this process alone: lists of processes show the title, and trainers inherit the environment.
  process.title = "hypertower worker";
  delete process.env[queueVariable];
  return QueueSource.open(url, {
    networks: join(workerFolder(), "networks"),
    untilEmpty,
    onProblem: (problem) => say(problem === null ? "the queue can be reached again" : `${problem} The worker goes on, and tries again.`),
  });
}

/** Folder for what workers of this user keep on this machine. */
const workerFolder = () => join(process.env["TMPDIR"] ?? tmpdir(), `hypertower-worker-${process.getuid?.() ?? "user"}`);

async function work(programFiles: ProgramFiles, options: WorkerCommandOptions, source: WorkSource, one: OneUnit | null): Promise<number> {
  const launch = nodeLauncher(programFiles.trainer);
  const id = newWorkerId();
  // Trying an engine takes a moment: for one unit, only its own.
  const found = await findMachine({ launch, version: programFiles.version, ...(one && { kinds: [one.unit.needs.engine] }) });
  say(`worker ${id}`);
  for (const line of machineLines(found.machine)) say(line);
  if (!one) for (const [kind, problem] of found.problems) say(`cannot use ${engineFacts[kind].title}: ${problem}`);
  const training = new Worker({
    source,
    id,
    found,
    launch,
    places: one ? 1 : (options.places ?? found.machine.cores),
    spoolFolder: workerFolder(),
    say,
  });
  const timer = options.limit !== undefined && setTimeout(() => training.leave("the worker's time limit is near"), options.limit * 60_000);
  const stopListening = onInterrupt(() => training.leave("the worker was asked to end (by a signal)"));
  const onUser = () => training.leave("the job's time limit is near, or it is preempted (signal USR2)");
  if (process.platform !== "win32") process.on("SIGUSR2", onUser);
  try {
    const trained = await training.done;
    if (one?.refused) {
      say(`this machine cannot train the unit: ${one.refused}`);
      return exitCodes.unable;
    }
    return codeOf(trained);
  } finally {
    if (timer) clearTimeout(timer);
    stopListening();
    process.off("SIGUSR2", onUser);
  }
}

/** `left` means that it is to be continued: a script may queue the job again. */
function codeOf(trained: readonly UnitTrained[]): number {
  if (trained.some(({ type }) => type === "failed" || type === "lost")) return exitCodes.error;
  return trained.some((how) => how.type === "left" && !how.asked) ? exitCodes.left : exitCodes.ok;
}

export function machineLines({ host, platform, processor, cores, memory, engines, versions }: WorkerMachine): string[] {
  return [
    `${host}: ${plural(cores, "core")} of ${processor}, ${formatBytes(memory)}, ${platform}; Hypertower ${versions.hypertower}, Node ${versions.node}`,
    ...engines.map(({ kind, device, memory: own }) => `engine ${kind}: ${device}${own === null ? "" : `, ${formatBytes(own)}`}`),
  ];
}
