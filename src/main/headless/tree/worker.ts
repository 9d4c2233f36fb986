/** The command `worker`. */
import type { Command } from "commander";
import { maxWorkers } from "../../../shared/limits.ts";
import type { WorkerCommandOptions } from "../commands/worker.ts";
import { finish } from "../finish.ts";
import { positiveNumber, wholeNumber } from "../options.ts";
import type { ProgramFiles } from "../session.ts";

export function addWorkerCommand(program: Command, programFiles: ProgramFiles): void {
  program
    .command("worker")
    .description("Train units of work for a coordinator on another machine. Needs no store.")
    .option("--unit <file>", "train this unit alone (JSON), as a job of Slurm does")
    .option("--results <folder>", "with --unit: folder of what is trained, shared with the coordinator")
    .option("--folder <folder>", "take units from this shared folder, until asked to end")
    .option("--queue [url]", "take units from this queue in PostgreSQL, until asked to end (default: $HYPERTOWER_QUEUE)")
    .option("--data <folder>", "folder of the datasets (default: HYPERTOWER_DATA, or the system's place)")
    .option("--places <number>", "units trained at the same time (default: one for each core)", wholeNumber(maxWorkers))
    .option("--limit <minutes>", "end after so many minutes, with checkpoints", positiveNumber)
    .option("--until-empty", "with --folder or --queue: end when there is no unit to train")
    .addHelpText(
      "after",
      "\nSIGTERM, SIGINT and SIGUSR2 end it with checkpoints, from which the next attempt goes on.\nExit codes: 0 all is handed in, 1 a unit failed or was taken away, 6 units were left to be continued, 7 this machine cannot train the unit (it says why).",
    )
    .action((options: WorkerCommandOptions) => finish(import("../commands/worker.ts").then(({ worker }) => worker(programFiles, options))));
}
