/** The command `attention`. */
import { Option, type Command } from "commander";
import { attentionFormats, readSets } from "../../../shared/reading.ts";
import { chartThemeNames } from "../../../shared/reports.ts";
import type { AttentionOptions } from "../commands/attention.ts";
import { finish } from "../finish.ts";
import { checkpointOption, oneJsonOption, runArgument, storeOption } from "../options.ts";
import type { ProgramFiles } from "../session.ts";

export function addAttentionCommand(program: Command, programFiles: ProgramFiles): void {
  program
    .command("attention")
    .description("Show what a run's saved weights predict of one example, symbol by symbol for a text, and write their attention.")
    .argument("<run>", runArgument)
    .option("--position <n>", "position in the text where reading begins (default: 0)", Number)
    .addOption(new Option("--set <set>", "text to read: validation if the run has any, else test").choices([...readSets]))
    .option("--text <text>", "a text of your own")
    .option("--example <n>", "a test example by its index from 0", Number)
    .option("--module <name>", "pictures: attention by its name, or its number from 1 (default: the first)")
    .option("--head <head>", "pictures: a head from 1, mean or all (default: all)")
    .addOption(checkpointOption())
    .option("-o, --out <file>", "file with the attention: .npz, .csv or .json (all modules), .svg or .png (one)")
    .addOption(new Option("--format <format>", "format (default: by the ending of --out)").choices([...attentionFormats]))
    .addOption(new Option("--theme <theme>", "theme of a picture").choices([...chartThemeNames]))
    .option("--force", "replace an existing file")
    .option(...storeOption)
    .option(...oneJsonOption)
    .addHelpText("after", "\nWithout --out and --format, a table of the predictions. Weights are [heads, queries, keys]; rows sum to 1.")
    .action((run: string, options: AttentionOptions) => finish(import("../commands/attention.ts").then(({ attention }) => attention(programFiles, run, options)), options.json));
}
