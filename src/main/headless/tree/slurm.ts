/** The commands below `slurm`. */
import type { Command } from "commander";
import { maxWorkers } from "../../../shared/limits.ts";
import type { SlurmScriptOptions } from "../commands/slurm.ts";
import { finish } from "../finish.ts";
import { oneJsonOption, wholeNumber } from "../options.ts";

const profileArgument = "name of a profile: see hypertower slurm profiles";
const threadsOption = ["--threads <number>", "threads of a unit", wholeNumber(maxWorkers), 1] as const;

export function addSlurmCommands(program: Command): void {
  const slurm = program.command("slurm").description("Profiles of clusters with Slurm, kept in a file.");

  slurm
    .command("profiles")
    .description("List the profiles, and the file that they are in.")
    .option(...oneJsonOption)
    .action((options: { json?: boolean }) => finish(import("../commands/slurm.ts").then(({ profiles }) => profiles(options)), options.json));

  slurm
    .command("script")
    .description("Print the script that would be given to sbatch. Submits nothing.")
    .argument("<profile>", profileArgument)
    .option("--units <number>", "units of the array", wholeNumber(100_000), 10)
    .option(...threadsOption)
    .action((profile: string, options: SlurmScriptOptions) => finish(import("../commands/slurm.ts").then(({ script }) => script(profile, options))));

  slurm
    .command("check")
    .description("Ask Slurm whether it takes jobs of a profile, and when one would start. Submits nothing.")
    .argument("<profile>", profileArgument)
    .option(...threadsOption)
    .action((profile: string, options: SlurmScriptOptions) => finish(import("../commands/slurm.ts").then(({ check }) => check(profile, options))));
}
