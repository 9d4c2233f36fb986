/** The commands `runs` and `studies`, with `show` and `export` as short forms. */
import { Option, type Command } from "commander";
import { weightsFormatNames } from "../../../shared/kept.ts";
import { chartThemeNames } from "../../../shared/reports.ts";
import { runStatuses } from "../../../shared/run.ts";
import { studyStatuses } from "../../../shared/study/result.ts";
import type { CompareOptions } from "../commands/compare.ts";
import type { ExportOptions } from "../commands/export.ts";
import type { ManageOptions } from "../commands/manage.ts";
import type { RunsOptions } from "../commands/runs.ts";
import type { ShowOptions } from "../commands/show.ts";
import type { StudiesOptions } from "../commands/studies.ts";
import { exportFormats, exportFormatNames } from "../../../shared/exports.ts";
import { finish } from "../finish.ts";
import { checkpointOption, collect, collectList, jsonLinesOption, oneJsonOption, runArgument, storeOption, studyArgument, wholeNumber, yesOption } from "../options.ts";
import type { ProgramFiles } from "../session.ts";

const maxLimit = 1_000_000;

/** Options of both lists. */
function listOptions(command: Command, statuses: readonly string[], where: string, keys: string): Command {
  return command
    .option("--status <status>", `only with this status: ${statuses.join(", ")}; repeatable, or a list`, collectList, [])
    .option("--tag <tag>", "only with this tag; repeated: with all of them", collectList, [])
    .option("--name <pattern>", "only with a name that matches; * and ? stand for any characters")
    .option("--since <time>", "only created since then: 2h, 3d, today, 2026-11-30")
    .option("--until <time>", "only created until then")
    .option("--where <condition>", `only where this holds: ${where}; repeatable`, collect, [])
    .option("--sort <key>", `order: KEY, or KEY:desc (default: created:desc); keys: ${keys}`)
    .option("-n, --limit <number>", "at most so many", wholeNumber(maxLimit))
    .option("--columns <keys>", "columns, as a list of keys", (text: string) => collectList(text, []))
    .option("--bin", "those in the bin")
    .option("--csv", "CSV with exact values")
    .option(...storeOption)
    .option(...jsonLinesOption);
}

export function addRunCommands(program: Command, programFiles: ProgramFiles): void {
  const runs = program.command("runs").description("List, show, compare, tag, rename, delete, restore and export runs.");
  listOptions(
    runs.command("list", { isDefault: true }).description("List the single runs, or those of a study, newest first."),
    runStatuses,
    'a hyperparameter ("alpha<0.01", "L1.alpha>1e-6"), a metric ("testError<=3") or a setting ("model.kind=cnn") against a value, with < <= > >= = != or ~ (a pattern)',
    "run, status, created, duration, steps, loss, result, stack, seed, name, a metric, a hyperparameter or a setting",
  )
    .option("--study <study>", studyArgument)
    .option("-a, --all", "single runs and those of studies")
    .action((options: RunsOptions) => finish(import("../commands/runs.ts").then(({ runs: list }) => list(programFiles, options)), options.json));
  showCommand(runs, programFiles);
  compareOptions(runs.command("compare").description("Compare runs: settings that differ, results, and their curves as a picture.").argument("<runs...>", `ids, beginnings of ids, or names of at least two runs; "last" is the last run`), ".csv, .json, .md, .html, .svg or .png")
    .addOption(new Option("--theme <theme>", "theme of the picture").choices([...chartThemeNames]).default("light"))
    .action((wanted: string[], options: CompareOptions) => finish(import("../commands/compare.ts").then(({ compare }) => compare(programFiles, "run", wanted, options)), options.json));
  manageCommands(runs, programFiles, "run");
  exportRunCommand(runs, programFiles);
}

export function addStudyListCommands(program: Command, programFiles: ProgramFiles): void {
  const studies = program.command("studies").description("List, show, compare, tag, rename, delete, restore and export studies.");
  listOptions(studies.command("list", { isDefault: true }).description("List the studies, newest first."), studyStatuses, 'a count or name against a value, such as "diverged>0" or "name~*warm*"', "study, status, created, duration, runs, finished, diverged, failed, name")
    .action((options: StudiesOptions) => finish(import("../commands/studies.ts").then(({ studies: list }) => list(programFiles, options)), options.json));
  studies
    .command("show")
    .description("Show one study: its results as a table.")
    .argument("<study>", studyArgument)
    .option(...storeOption)
    .option(...oneJsonOption)
    .action((study: string, options: ShowOptions) => finish(import("../commands/studies.ts").then(({ showStudy }) => showStudy(programFiles, study, options)), options.json));
  compareOptions(studies.command("compare").description("Compare studies: settings that differ, and results.").argument("<studies...>", "ids, beginnings of ids, or names of at least two studies"), ".csv, .json, .md or .html")
    .action((wanted: string[], options: CompareOptions) => finish(import("../commands/compare.ts").then(({ compare }) => compare(programFiles, "study", wanted, options)), options.json));
  manageCommands(studies, programFiles, "study");
  studies
    .command("export")
    .description("Write the runs of a study as a table, its page, its main figure, or all of it as an archive.")
    .argument("<study>", studyArgument)
    .addOption(new Option("--format <format>", "format (default: by the ending of --out)").choices(["csv", "json", "html", "svg", "png", "hypertower"]))
    .option("-o, --out <file>", "file to write: .csv, .json, .html, .svg, .png or .hypertower (default: standard output)")
    .option("--force", "replace an existing file")
    .option("--damaged-anyway", "export a study whose log is damaged: see hypertower verify")
    .option(...storeOption)
    .action((study: string, options: ExportOptions) => finish(import("../commands/export.ts").then(({ exportStudy }) => exportStudy(programFiles, study, options))));
}

/** `hypertower show` and `hypertower runs show`. */
export function showCommand(parent: Command, programFiles: ProgramFiles): void {
  parent
    .command("show")
    .description("Show one run: configuration, evaluations, hyperparameters.")
    .argument("<run>", runArgument)
    .option(...storeOption)
    .option(...oneJsonOption)
    .action((run: string, options: ShowOptions) => finish(import("../commands/show.ts").then(({ show }) => show(programFiles, run, options)), options.json));
}

const runFormats = [...exportFormatNames, ...weightsFormatNames, "html", "svg", "png", "hypertower"];

const formatHelp: readonly (readonly [name: string, help: string])[] = [
  ...exportFormats.map(({ name, help }) => [name, help] as const),
  ["safetensors", "Weights and running statistics under PyTorch's names; load_state_dict(strict=True) takes them."],
  ["npz", "The same arrays for numpy.load."],
  ["onnx", "The model for inference, for any batch size, with the scale of its inputs inside."],
  ["html", "The page of its report."],
  ["svg, png", "Its loss and evaluations as a picture."],
  ["hypertower", "An archive: every step, checkpoints and weights."],
];

/** Maximum symbols that an exported model reads at once. */
const maxOnnxSteps = 4096;

/** `hypertower export` and `hypertower runs export`. */
export function exportRunCommand(parent: Command, programFiles: ProgramFiles): void {
  parent
    .command("export")
    .description("Write what a run learned, as a table or as code; its weights, or its model as ONNX; or its page, picture or archive.")
    .argument("<run>", runArgument)
    .addOption(new Option("--format <format>", "format (default: by the ending of --out)").choices(runFormats))
    .addOption(checkpointOption("npz, safetensors, onnx: weights of the best or the last evaluation"))
    .option("-o, --out <file>", "file to write: .csv, .json, .py, .npz, .safetensors, .onnx, .html, .svg, .png or .hypertower (default: standard output)")
    .option("--steps <n>", "onnx: symbols of a text that the model reads at once (default: as in training)", wholeNumber(maxOnnxSteps))
    .option("--states", "onnx: the states of recurrent layers as inputs and outputs, to read a text piece by piece")
    .option("--force", "replace an existing file")
    .option("--damaged-anyway", "export a run whose log is damaged: see hypertower verify")
    .option(...storeOption)
    .addHelpText("after", `\nFormats:\n${formatHelp.map(([name, help]) => `  ${name.padEnd(13)}${help}`).join("\n")}`)
    .action((run: string, options: ExportOptions) => finish(import("../commands/export.ts").then(({ exportCommand }) => exportCommand(programFiles, run, options))));
}

function compareOptions(command: Command, endings: string): Command {
  return command
    .option("-o, --out <file>", `file to write: ${endings}`)
    .option("--force", "replace an existing file")
    .option("--csv", "CSV with exact values")
    .option(...storeOption)
    .option(...oneJsonOption);
}

function manageCommands(parent: Command, programFiles: ProgramFiles, kind: "run" | "study"): void {
  const [many, one] = kind === "run" ? (["runs", runArgument] as const) : (["studies", studyArgument] as const);
  const several = `ids, beginnings of ids, or names of ${many}`;
  const manage = () => import("../commands/manage.ts");
  const remove = parent.command("delete").alias("rm").description(`Move ${many} to the bin, after a confirmation. Nothing is erased.`).argument(`<${many}...>`, several).option(...yesOption);
  if (kind === "study") remove.option("--with-runs", "with their runs");
  remove
    .option(...storeOption)
    .option(...oneJsonOption)
    .action((wanted: string[], options: ManageOptions & { yes?: boolean; withRuns?: boolean }) => finish(manage().then((m) => m.remove(programFiles, kind, wanted, options)), options.json));
  parent
    .command("restore")
    .description(`Bring ${many} back from the bin.`)
    .argument(`<${many}...>`, several)
    .option(...storeOption)
    .option(...oneJsonOption)
    .action((wanted: string[], options: ManageOptions) => finish(manage().then((m) => m.restore(programFiles, kind, wanted, options)), options.json));
  parent
    .command("rename")
    .description(`Rename a ${kind}.`)
    .argument(`<${kind}>`, one)
    .argument("<name>", "new name")
    .option(...storeOption)
    .option(...oneJsonOption)
    .action((wanted: string, name: string, options: ManageOptions) => finish(manage().then((m) => m.rename(programFiles, kind, wanted, name, options)), options.json));
  parent
    .command("tag")
    .description(`Add and remove tags of ${many}; without --add and --remove, show them.`)
    .argument(`<${many}...>`, several)
    .option("--add <tags>", "tags to add; repeatable, or a list", collectList, [])
    .option("--remove <tags>", "tags to remove; repeatable, or a list", collectList, [])
    .option(...storeOption)
    .option(...oneJsonOption)
    .action((wanted: string[], options: ManageOptions & { add: string[]; remove: string[] }) => finish(manage().then((m) => m.tag(programFiles, kind, wanted, options)), options.json));
}
