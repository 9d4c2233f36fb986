/** The command `import-runs`. */
import type { Command } from "commander";
import { finish } from "../finish.ts";
import { jsonLinesOption, storeOption } from "../options.ts";
import type { ImportRunsOptions } from "../commands/importRuns.ts";
import type { ProgramFiles } from "../session.ts";

export function addImportRunsCommand(program: Command, programFiles: ProgramFiles): void {
  program
    .command("import-runs")
    .description("Import runs that other programs recorded, to compare them: TensorBoard, W&B offline files, trackio, CSV, JSON lines. Importing a record again updates its run.")
    .argument("<paths...>", "event files, *.wandb, a trackio project (*.db), .csv, .tsv, .jsonl, or folders of these")
    .option("--watch", "go on reading what is appended, until Ctrl+C")
    .option("--step <column>", "CSV, JSON lines: column with the step (default: recognized by its name, such as step or iteration; else the number of the row)")
    .option("--time <column>", "CSV, JSON lines: column with the wall time (default: such as time or timestamp)")
    .option("--epoch <column>", "CSV, JSON lines: column with the epoch (default: epoch)")
    .option(...storeOption)
    .option(...jsonLinesOption)
    .action((paths: string[], options: ImportRunsOptions) => finish(import("../commands/importRuns.ts").then(({ importRuns }) => importRuns(programFiles, paths, options)), options.json));
}
