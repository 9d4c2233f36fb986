/** The script of a job array: each of its jobs trains one unit. */
import type { SlurmProfile } from "../../../shared/fleet/profile.ts";
import { exitCodeLeft } from "../../../shared/fleet/exitCodes.ts";

export interface ArrayPlan {
  readonly profile: SlurmProfile;
  /** Name of the array, from which its jobs are found again. */
  readonly name: string;
  /** Folder of the array: its list of units, its script and its output. */
  readonly folder: string;
  readonly units: number;
  /** Threads of a unit at most. */
  readonly threads: number;
  /** Jobs of the array at the same time; null for no limit of its own. */
  readonly throttle: number | null;
  /** Nodes that cannot train these units. */
  readonly exclude: readonly string[];
  /** Whether the cluster has no arrays. */
  readonly single?: boolean;
}

export const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

const duration = (minutes: number) => `${Math.floor(minutes / 1_440)}-${String(Math.floor(minutes / 60) % 24).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}:00`;

export function scriptOf({ profile, name, folder, units, threads, throttle, exclude, single = false }: ArrayPlan): string {
  const { partition, account, qos, gres, constraint, memory, cpus, minutes, warning, command, data, prologue, options } = profile;
  const settings: (readonly [option: string, value: string | undefined])[] = [
    ["job-name", name],
    ["array", single ? undefined : `0-${units - 1}${throttle === null ? "" : `%${throttle}`}`],
    ["partition", partition],
    ["account", account],
    ["qos", qos],
    ["gres", gres],
    ["constraint", constraint],
    ["mem", memory],
    ["nodes", "1"],
    ["ntasks", "1"],
    ["cpus-per-task", String(cpus ?? threads)],
    ["time", duration(minutes)],
    // To the shell below alone, which passes it on.
    ["signal", `B:USR2@${Math.min(warning, 30 * minutes)}`],
    ["exclude", exclude.length === 0 ? undefined : exclude.join(",")],
    ["output", `"${folder}/${single ? "%j" : "%a"}.log"`],
    ["open-mode", "append"],
  ];
  return [
    "#!/bin/bash",
    ...settings.flatMap(([option, given]) => (given === undefined ? [] : [`#SBATCH --${option}=${given}`])),
    "#SBATCH --requeue",
    ...options.map((option) => `#SBATCH ${option}`),
    "",
    ...prologue,
    ...(prologue.length === 0 ? [] : [""]),
    `unit=$(sed -n "$((\${SLURM_ARRAY_TASK_ID:-0} + 1))p" ${quoted(`${folder}/units`)})`,
    `results=${quoted(folder.replace(/\/arrays\/[^/]*$/, "/units"))}/"$unit"`,
    `${command} worker --unit "$results/unit.json" --results "$results"${data === undefined ? "" : ` --data ${quoted(data)}`} &`,
    "worker=$!",
    'for signal in USR2 TERM INT; do trap "kill -$signal $worker 2>/dev/null" "$signal"; done',
    "# A signal interrupts wait; the worker then ends with checkpoints.",
    'wait "$worker"',
    'while kill -0 "$worker" 2>/dev/null; do wait "$worker"; done',
    'wait "$worker"',
    "code=$?",
    "# Left to be continued: the same job again. Without scontrol on the node, the coordinator submits another.",
    `if [ "$code" -eq ${exitCodeLeft} ] && command -v scontrol >/dev/null; then scontrol requeue "$SLURM_JOB_ID" && sleep 60; fi`,
    'exit "$code"',
    "",
  ].join("\n");
}
