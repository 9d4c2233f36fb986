/** The commands of the command line. Each loads its own modules, so that --version and --help load none of them. */
import { join } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import packageJson from "../../../package.json" with { type: "json" };
import { layouts } from "../../shared/datasets.ts";
import { validationUses } from "../../shared/dataSplits.ts";
import { engineChoices, engineKinds } from "../../shared/engines.ts";
import { extraNames } from "../../shared/extras/index.ts";
import { textUnits } from "../../shared/alphabet.ts";
import { maxCohort, maxSeeds, maxWorkers } from "../../shared/limits.ts";
import { maxMinCount } from "../../shared/words.ts";
import { presets } from "../../shared/presets.ts";
import { bandNames, chartThemeNames } from "../../shared/reports.ts";
import { paperFigures } from "../../shared/study/paperFigures.ts";
import { studyMetricNames } from "../../shared/study/metric.ts";
import { studyPresetNames } from "../../shared/study/presets.ts";
import { defaultThinWidth, thinWidths } from "../../shared/thinning.ts";
import type { ArchiveOptions } from "./commands/archive.ts";
import type { AddOptions, DatasetsOptions } from "./commands/datasets.ts";
import type { DoctorOptions } from "./commands/doctor.ts";
import type { EvaluateOptions } from "./commands/evaluate.ts";
import type { EnginesOptions } from "./commands/engines.ts";
import type { GenerateOptions } from "./commands/generate.ts";
import type { ImportOptions } from "./commands/import.ts";
import type { LogsOptions } from "./commands/logs.ts";
import type { UpdatesOptions } from "./commands/updates.ts";
import type { MergeOptions } from "./commands/merge.ts";
import type { MoveOptions } from "./commands/move.ts";
import type { ReportOptions } from "./commands/report.ts";
import type { ReproduceOptions } from "./commands/reproduce.ts";
import type { RerunOptions } from "./commands/rerun.ts";
import type { ResumeOptions } from "./commands/resume.ts";
import type { SalvageCommandOptions } from "./commands/salvage.ts";
import type { ServeOptions } from "./commands/serve.ts";
import type { EraseOptions, StorageCommandOptions } from "./commands/storage.ts";
import type { StudyOptions } from "./commands/study.ts";
import type { SummaryOptions } from "./commands/summary.ts";
import type { Table1Options } from "./commands/table1.ts";
import type { ThinCommandOptions } from "./commands/thin.ts";
import type { TrainOptions } from "./commands/train.ts";
import type { VerifyCommandOptions } from "./commands/verify.ts";
import { finish } from "./finish.ts";
import { checkpointOption, collect, collectList, positiveNumber, runArgument, stepEventsOption, storeOption, wholeNumber } from "./options.ts";
import { addAttentionCommand } from "./tree/attention.ts";
import { addFleetCommands } from "./tree/fleet.ts";
import { addImportRunsCommand } from "./tree/importRuns.ts";
import { addModelHelper } from "./tree/modelHelper.ts";
import { addSettingsCommands } from "./tree/settings.ts";
import { addNetworkCommands } from "./tree/networks.ts";
import { addQueueCommands } from "./tree/queue.ts";
import { addSlurmCommands } from "./tree/slurm.ts";
import { addWorkerCommand } from "./tree/worker.ts";
import { addRunCommands, addStudyListCommands, exportRunCommand, showCommand } from "./tree/runs.ts";
import type { ProgramFiles } from "./session.ts";

/** In the build, all entries are in one folder; in the sources, each is in its own. */
function findProgramFiles(): ProgramFiles {
  const here = import.meta.dirname;
  const fromSources = import.meta.filename.endsWith(".ts");
  const root = fromSources ? join(here, "../../..") : join(here, "../..");
  return {
    trainer: fromSources ? join(here, "../trainer/trainer.ts") : join(here, "trainer.js"),
    importer: fromSources ? join(here, "../importing/importer.ts") : join(here, "importer.js"),
    integrityCheck: fromSources ? join(here, "../store/integrityCheck.ts") : join(here, "integrityCheck.js"),
    storeTask: fromSources ? join(here, "../store/storeTask.ts") : join(here, "storeTask.js"),
    rendererDir: join(root, "out/renderer"),
    version: packageJson.version,
  };
}

export const programFiles = findProgramFiles();

function port(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > 65535) throw new InvalidArgumentError("Allowed: 1 to 65535, or 0 for any free port.");
  return value;
}

function cohortSize(text: string): number | "auto" {
  return text === "auto" ? text : wholeNumber(maxCohort)(text);
}

function size(text: string): [number, number] {
  const [, width, height] = /^(\d{1,4})x(\d{1,4})$/.exec(text) ?? [];
  if (!width || !height) throw new InvalidArgumentError("Allowed: WIDTHxHEIGHT in pixels, e.g. 32x32.");
  return [Number(width), Number(height)];
}

export const program = new Command("hypertower")
  .description("An experiment workbench for towers of hyperoptimizers.")
  .version(programFiles.version)
  .showHelpAfterError("(for the options of a command, add --help)");

program
  .command("train")
  .description("Train one experiment and log every step. Default: the default experiment.")
  .argument("[experiment]", "experiment file (JSON)")
  .option("--preset <name>", `a ready-made experiment: ${presets.map(({ name }) => name).join(", ")}`)
  .option("--set <path=value>", "set a value, such as --set tower.0.alpha=1e-3; repeatable", collect, [])
  .addOption(new Option("--engine <engine>", "engine; auto is the fastest on this machine: see docs/engines.md").choices([...engineChoices]))
  .option("--safe", "apply the safe preset: see docs/guard.md")
  .option("--robust", "put the robust level, which needs no tuning, above the first: see docs/robust.md")
  .option("--name <name>", "name of the run")
  .option("--tag <tags>", "tags of the run; repeatable, or a list", collectList, [])
  .option("--weights <file>", "begin from the weights of a .safetensors or .npz file, by name and shape")
  .option("--partial", "with --weights: what the file lacks, or has in another shape, begins fresh")
  .option("--by-shape", "with --weights: take arrays of other names by their shapes, where each shape occurs once")
  .option(...stepEventsOption)
  .option(...storeOption)
  .option("--json", "one JSON object a line on standard output")
  .addHelpText("after", "\nExit codes: 0 finished, 1 error, 3 diverged, 130 stopped.")
  .action((file: string | undefined, options: TrainOptions) => finish(import("./commands/train.ts").then(({ train }) => train(programFiles, file, options)), options.json));

program
  .command("summary")
  .description("Show a model layer by layer: shapes, parameters, operations, memory, and the time of a step on this machine.")
  .argument("[experiment]", "experiment file (JSON)")
  .option("--preset <name>", `a ready-made experiment: ${presets.map(({ name }) => name).join(", ")}`)
  .option("--set <path=value>", "set a value, such as --set model.kind=cnn; repeatable", collect, [])
  .option("--no-measure", "do not measure the step time")
  .option(...storeOption)
  .option("--json", "one JSON object")
  .action((file: string | undefined, options: SummaryOptions) => finish(import("./commands/summary.ts").then(({ summary }) => summary(programFiles, file, options)), options.json));

program
  .command("engines")
  .description("List the engines with device and speed, or why they are unavailable.")
  .argument("[experiment]", "experiment file (JSON) to measure; default: the default experiment")
  .option("--preset <name>", `a ready-made experiment: ${presets.map(({ name }) => name).join(", ")}`)
  .option("--calibrate", "measure a few dozen steps on each engine, in separate processes")
  .addOption(new Option("--retry <engine>", "retry an engine that crashed or was missing").choices([...engineKinds]))
  .addOption(new Option("--install <extra>", "install an optional package, with pinned versions and checksums, into your own folder").choices([...extraNames]))
  .addOption(new Option("--remove <extra>", "remove an optional package").choices([...extraNames]))
  .option(...storeOption)
  .option("--json", "one JSON object on standard output")
  .action((file: string | undefined, options: EnginesOptions) => finish(import("./commands/engines.ts").then(({ enginesCommand }) => enginesCommand(programFiles, file, options)), options.json));

addRunCommands(program, programFiles);

showCommand(program, programFiles);

program
  .command("table1")
  .description("Reproduce the paper's Table 1 as a study: 18 stacks on MNIST, and the plain optimizer at what each learned.")
  .option("--rows <list>", "rows as printed, e.g. 1,5-7 (default: all)")
  .option("--seeds <number>", "runs for each figure (default: 3, with --quick 1)", wholeNumber(maxSeeds))
  .option("--workers <number>", "runs trained at the same time (default: what a short calibration finds best)", wholeNumber(maxWorkers))
  .option("--quick", "two epochs for every row: which stacks learn at all, in minutes")
  .option("--paper-values", "also train the plain optimizers at the values that the paper's towers learned")
  .option("--markdown <file>", "write the table and every run there too")
  .option(...storeOption)
  .option("--json", "one JSON object for each run, then one for the table")
  .addHelpText("after", "\nThe store's latest study of Table 1 is continued: rows and seeds that it lacks are added, runs that it has are not trained again.\nAfter an interruption the same command goes on. Exit codes: 0 complete, 1 some run has no result, 130 stopped.")
  .action((options: Table1Options) => finish(import("./commands/table1.ts").then(({ table1 }) => table1(programFiles, options)), options.json));

program
  .command("resume")
  .description("Resume a stopped, failed or interrupted run from its checkpoint.")
  .argument("<run>", runArgument)
  .option("--from-start", "restart at the first step and compare with the log")
  .option(...stepEventsOption)
  .option(...storeOption)
  .option("--json", "one JSON object a line on standard output")
  .addHelpText("after", "\nExit codes: 0 finished, 1 error, 3 diverged, 130 stopped.")
  .action((run: string, options: ResumeOptions) => finish(import("./commands/resume.ts").then(({ resume }) => resume(programFiles, run, options)), options.json));

program
  .command("study")
  .description("Train a study: one experiment from many initial hyperparameters, under towers of several heights, with several seeds.")
  .argument("[study]", "study file (JSON), or the name of a preset")
  .option("--preset <name>", `a ready-made study: ${studyPresetNames.join(", ")}`)
  .option("--quick", "the preset's quick edition, such as methods-mlp-quick for methods-mlp")
  .option("--set <path=value>", "set a value, such as --set base.budget.epochs=3; repeatable", collect, [])
  .option("--seeds <list>", "a number of seeds, or a list of them: 3, or 0,4,7")
  .option("--safe", "apply the safe preset to every run: see docs/guard.md")
  .option("--workers <number>", "parallel runs (default: chosen by a short calibration)", wholeNumber(maxWorkers))
  .option("--cohort <number>", "runs trained as one program; auto measures the fastest (default: the study's setting, auto)", cohortSize)
  .option("--on <fleet>", "where to train: local, slurm:PROFILE, folder:DIR, queue, or queue:URL (default: local)")
  .option("--unit-minutes <number>", "at a fleet: minutes that a unit of work should take at least (default: 10)", positiveNumber)
  .option("--dry-run", "show the runs and their estimated cost, without training")
  .option("--resume <study>", 'resume a stopped or interrupted study: its id, its beginning, or "last"')
  .option("--extend <study>", "extend a study by --seeds and --set, and train the new runs; keeps its runs")
  .option("--retry", "with --resume: also train failed and deleted runs again")
  .option("--tag <tags>", "tags of a new study; repeatable, or a list", collectList, [])
  .option(...stepEventsOption)
  .option(...storeOption)
  .option("--json", "one JSON object a line on standard output")
  .addHelpText("after", "\nExit codes: 0 every run has a result (diverged is one), 1 some have none, 130 stopped; --resume goes on from there.")
  .action((file: string | undefined, options: StudyOptions) => finish(import("./commands/study.ts").then(({ study }) => study(programFiles, file, options)), options.json));

addStudyListCommands(program, programFiles);

program
  .command("rerun")
  .description("Retrain a run's experiment with level 0 alone, from the values that its tower learned.")
  .argument("<run>", 'id of a finished run, its beginning, or "last"')
  .option(...stepEventsOption)
  .option(...storeOption)
  .option("--json", "one JSON object a line on standard output")
  .addHelpText("after", "\nExit codes: 0 finished, 1 error, 3 diverged, 130 stopped.")
  .action((run: string, options: RerunOptions) => finish(import("./commands/rerun.ts").then(({ rerun }) => rerun(programFiles, run, options)), options.json));

exportRunCommand(program, programFiles);

program
  .command("archive")
  .description("Write runs and studies as one checked file: every step, checkpoints and weights, without the data.")
  .argument("<run|study...>", 'ids of runs or studies, or their beginnings; "last" is the last run')
  .option("-o, --out <file>", "file to write (default: named after the run or study, here)")
  .option("--force", "replace an existing file")
  .option("--damaged-anyway", "export runs whose log is damaged: see hypertower verify")
  .option(...storeOption)
  .addHelpText("after", "\nA run that is being trained is archived up to its last committed step, as an interrupted run.")
  .action((wanted: string[], options: ArchiveOptions) => finish(import("./commands/archive.ts").then(({ archiveCommand }) => archiveCommand(programFiles, wanted, options))));

program
  .command("import")
  .description("Import an archive of runs and studies: all of it, or nothing.")
  .argument("<file>", "archive (.hypertower)")
  .option(...storeOption)
  .option("--json", "one JSON object")
  .action((file: string, options: ImportOptions) => finish(import("./commands/import.ts").then(({ importCommand }) => importCommand(file, options)), options.json));

program
  .command("merge")
  .description("Copy the runs and studies of another store into this one. What is here already is skipped; the other store is only read.")
  .argument("<folder>", "folder of the other store")
  .option(...storeOption)
  .option("--json", "one JSON object")
  .addHelpText("after", "\nEach study or single run is copied completely or not at all; repeat the command after an interruption.")
  .action((folder: string, options: MergeOptions) => finish(import("./commands/merge.ts").then(({ mergeCommand }) => mergeCommand(folder, options)), options.json));

program
  .command("move")
  .description("Move the store, with datasets and everything else in its folder, to a new folder. No program may have it open.")
  .argument("<folder>", "new folder; missing or empty")
  .option("--remove-old", "remove the old files once the copies are compared (default: they are left, unused)")
  .option(...storeOption)
  .action((folder: string, options: MoveOptions) => finish(import("./commands/move.ts").then(({ moveCommand }) => moveCommand(folder, options))));

program
  .command("evaluate")
  .description("Evaluate a run's saved weights on the test examples: metrics, and the confusion matrix or residuals.")
  .argument("<run>", runArgument)
  .addOption(checkpointOption())
  .option(...storeOption)
  .option("--json", "one JSON object")
  .action((run: string, options: EvaluateOptions) => finish(import("./commands/evaluate.ts").then(({ evaluate }) => evaluate(programFiles, run, options)), options.json));

program
  .command("generate")
  .description("Generate text with a character model from a beginning; the same seed gives the same text.")
  .argument("<run>", runArgument)
  .requiredOption("--prime <text>", "beginning, in characters of the training text")
  .option("--length <number>", "characters to add (default: 500)", Number)
  .option("--temperature <number>", "1 as trained, lower is more conservative, 0 always takes the most probable character (default: 0.8)", Number)
  .option("--seed <number>", "seed of the sampling (default: 0)", Number)
  .addOption(checkpointOption())
  .option(...storeOption)
  .option("--json", "one JSON object")
  .action((run: string, options: GenerateOptions) => finish(import("./commands/generate.ts").then(({ generateCommand }) => generateCommand(programFiles, run, options)), options.json));

addAttentionCommand(program, programFiles);

program
  .command("report")
  .description("Write a report of a study or a run into a folder: tables of every step, figures, and an HTML page.")
  .argument("<study|run>", 'id of a study or run, its beginning, or "last" for the latest study')
  .option("--out <folder>", "output folder (default: report-ID in the current folder)")
  .option("--run", '"last" is the latest run')
  .option("--theme <theme>", `theme of the figures: ${chartThemeNames.join(", ")} (default: light)`)
  .option("--width <pixels>", "width of the figures (default: each its own)", Number)
  .option("--height <pixels>", "height of the figures (default: each its own)", Number)
  .option("--scale <factor>", "PNG pixels per figure pixel (default: 2)", Number)
  .option("--metric <metric>", `metric: ${studyMetricNames.join(", ")} (default: the headline metric)`)
  .option("--at <moment>", "evaluation: final, best, or the first at or after epoch:N or step:N (default: final)")
  .option("--band <band>", `band around a mean: ${bandNames.join(", ")} (default: standardError)`)
  .option("--y-log", "a logarithmic vertical axis for the headline picture")
  .option("--reference <figure>", `overlay the paper's values: ${paperFigures.map(({ name }) => name).join(", ")}`)
  .option("--force", "replace existing files")
  .option("--damaged-anyway", "export a run whose log is damaged: see hypertower verify")
  .option(...storeOption)
  .option("--json", "one JSON object on standard output")
  .action((wanted: string, options: ReportOptions) => finish(import("./commands/report.ts").then(({ report }) => report(programFiles, wanted, options)), options.json));

program
  .command("reproduce")
  .description("Train a run's experiment again and compare every step.")
  .argument("<run>", 'id of an ended run, its beginning, or "last"')
  .option(...storeOption)
  .option("--json", "one JSON object a line on standard output")
  .addHelpText("after", "\nExit codes: 0 identical, 4 different, 1 error, 130 stopped. The repetition is kept as a run.")
  .action((run: string, options: ReproduceOptions) => finish(import("./commands/reproduce.ts").then(({ reproduce }) => reproduce(programFiles, run, options)), options.json));

const datasets = program.command("datasets").description("List, download, import, add and remove datasets. They are stored in HYPERTOWER_DATA, or next to the default store.");
const jsonOption = ["--json", "one JSON object a line"] as const;
datasets
  .command("list", { isDefault: true })
  .description("List the datasets and their state.")
  .option(...storeOption)
  .option(...jsonOption)
  .action((options: DatasetsOptions) => finish(import("./commands/datasets.ts").then(({ listDatasetsCommand }) => listDatasetsCommand(programFiles, options)), options.json));
datasets
  .command("download")
  .description("Download a published dataset, verified by SHA-256; resumes a partial download.")
  .argument("<dataset>", "e.g. fashion-mnist")
  .option(...storeOption)
  .option(...jsonOption)
  .action((kind: string, options: DatasetsOptions) => finish(import("./commands/datasets.ts").then(({ downloadDatasetCommand }) => downloadDatasetCommand(programFiles, kind, options)), options.json));
datasets
  .command("import")
  .description("Import a local copy of a published dataset, with the same checks.")
  .argument("<dataset>", "e.g. cifar10")
  .argument("<path>", "the archive, or a folder with the files")
  .option(...storeOption)
  .option(...jsonOption)
  .action((kind: string, path: string, options: DatasetsOptions) => finish(import("./commands/datasets.ts").then(({ importDatasetCommand }) => importDatasetCommand(programFiles, kind, path, options)), options.json));
datasets
  .command("remove")
  .description("Delete the files of a dataset.")
  .argument("<dataset>", "name of the dataset")
  .option(...storeOption)
  .option(...jsonOption)
  .action((kind: string, options: DatasetsOptions) => finish(import("./commands/datasets.ts").then(({ removeDatasetCommand }) => removeDatasetCommand(programFiles, kind, options)), options.json));
datasets
  .command("add")
  .description("Import your own data: a table (.csv, .tsv, .jsonl, .json, .parquet), a text (.txt), arrays (.npy, .npz, idx), or a folder of them or with a folder of images per class; or a dataset of the Hugging Face hub.")
  .argument("<path>", "file or folder, or hf://OWNER/NAME[@REVISION][/CONFIG], or the dataset's address on the hub")
  .option("--title <title>", "title (default: the file's name)")
  .option("--target <column>", "table: the column to predict, by name or number from 1 (default: the last)")
  .option("--ignore <column>", "table: a column to ignore; repeatable", collect, [])
  .option("--category <column>", "table: a numeric column to treat as categories; repeatable", collect, [])
  .addOption(new Option("--task <task>", "task (default: inferred from the target)").choices(["classification", "regression"]))
  .addOption(new Option("--missing <rule>", "table: rows with missing values").choices(["refuse", "drop", "fill"]).default("refuse"))
  .option("--column <column>", "table: the column that holds a text, or encoded images")
  .option("--split <column>", "table: the column that says which rows are for testing (train, test, validation; or 0 and 1)")
  .addOption(new Option("--validation <use>", "validation examples beside test examples: train on them, or leave them out (default: train)").choices(validationUses))
  .option("--test <file>", "test examples of their own, from a file or folder of the same form")
  .option("--targets <file>", "arrays: targets file")
  .option("--test-targets <file>", "arrays: targets file of the test examples")
  .option("--array <role=name>", "arrays: features, targets, test-features or test-targets (default: by their names); repeatable", collect, [])
  .addOption(new Option("--layout <axes>", "arrays: axes of images (default: recognized by their sizes)").choices(layouts))
  .option("--size <width>x<height>", "images: size to scale to (default: the first image's)", size)
  .option("--gray", "images: grayscale")
  .option("--bytes", "read any file as a text of bytes: 256 symbols, no encoding")
  .addOption(new Option("--symbols <kind>", "text: what a symbol is (default: characters)").choices(textUnits))
  .option("--min-count <number>", "words: times that one must occur in the training text to have a symbol; others are <unk> (default: 2)", wholeNumber(maxMinCount))
  .option(...storeOption)
  .option(...jsonOption)
  .action((path: string, options: AddOptions) => finish(import("./commands/datasets.ts").then(({ addDatasetCommand }) => addDatasetCommand(programFiles, path, options)), options.json));

addNetworkCommands(program, programFiles);
addImportRunsCommand(program, programFiles);
addQueueCommands(program);

const doctor = program.command("doctor").description("Check, repair, restore and back up the store.");
doctor
  .command("check", { isDefault: true })
  .description("Check the store, its files, datasets, backups and disk, and say what to do. Changes nothing without an option.")
  .option("--repair", "repair what can be repaired safely; damaged files are set aside, never overwritten")
  .option("--restore <backup>", 'restore a backup by its name, or "latest"; the replaced files are set aside')
  .option("--acknowledge", "end the warning about lost steps")
  .option(...storeOption)
  .option("--json", "one JSON object")
  .addHelpText("after", "\nExit codes: 0 no problem, 1 a problem is left.")
  .action((options: DoctorOptions) => finish(import("./commands/doctor.ts").then(({ doctor: run }) => run(options)), options.json));
doctor
  .command("backups")
  .description("List the backups.")
  .option(...storeOption)
  .option(...jsonOption)
  .action((options: DoctorOptions) => finish(import("./commands/doctor.ts").then(({ doctorBackups }) => doctorBackups(options)), options.json));
doctor
  .command("backup")
  .description("Make a backup now. It is kept until it is erased.")
  .option(...storeOption)
  .option("--json", "one JSON object")
  .action((options: DoctorOptions) => finish(import("./commands/doctor.ts").then(({ doctorBackup }) => doctorBackup(options)), options.json));

program
  .command("storage")
  .description("Show what takes the store's space: steps, checkpoints, weights, imported networks, datasets, backups, the bin, the largest runs.")
  .option("--vacuum", "give unused space of the database back to the disk")
  .option(...storeOption)
  .option("--json", "one JSON object")
  .action((options: StorageCommandOptions) => finish(import("./commands/storage.ts").then(({ storage }) => storage(programFiles, options)), options.json));

program
  .command("erase")
  .description("Erase something for good, after a confirmation that says what.")
  .option("--bin", "all runs and studies in the bin, with their steps, checkpoints and weights")
  .option("--checkpoints <run...>", "checkpoints of runs that are not active")
  .option("--weights <run...>", "saved weights of runs that are not active")
  .option("--networks", "imported networks that no run and no study uses, those in the bin included")
  .option("--backups <name...>", "backups")
  .option("--yes", "do not ask")
  .option(...storeOption)
  .option("--json", "one JSON object")
  .action((options: EraseOptions) => finish(import("./commands/storage.ts").then(({ erase }) => erase(programFiles, options)), options.json));

program
  .command("thin")
  .description("Erase the values of every step of ended runs for good, and keep summaries of some steps each, evaluations, events, first and last values.")
  .argument("<runs...>", 'ids of runs, their beginnings, or "last"')
  .addOption(new Option("--keep <steps>", "steps per kept summary").choices(thinWidths.map(String)).default(String(defaultThinWidth)))
  .option("--yes", "do not ask")
  .option(...storeOption)
  .option("--json", "one JSON object")
  .action((runs: string[], options: ThinCommandOptions) => finish(import("./commands/thin.ts").then(({ thin }) => thin(programFiles, runs, options)), options.json));

program
  .command("verify")
  .description("Check the store, or some of its runs, against their checksums: what is damaged, where, and what to do. Writes nothing.")
  .argument("[runs...]", 'ids of runs, their beginnings, or "last" (default: the whole store)')
  .option(...storeOption)
  .option("--json", "one JSON object")
  .addHelpText("after", "\nExit codes: 0 no damage, 5 damage, 1 error.")
  .action((runs: string[], options: VerifyCommandOptions) => finish(import("./commands/verify.ts").then(({ verify }) => verify(runs, options)), options.json));

program
  .command("salvage")
  .description("Save what is readable of a damaged store into a new one: runs, studies, checkpoints and weights. The damaged store is only read.")
  .argument("<folder>", "folder of the damaged store")
  .requiredOption("--into <folder>", "folder of the new store; needs space for a copy of the damaged one, too, while it works")
  .option("--json", "one JSON object")
  .action((folder: string, options: SalvageCommandOptions) => finish(import("./commands/salvage.ts").then(({ salvage }) => salvage(folder, options)), options.json));

program
  .command("logs")
  .description("List what Hypertower has reported about itself, or write it into a file to send. Private things are taken out, nothing is sent.")
  .option("-o, --out <file>", "file to write (.zip)")
  .option("--force", "replace an existing file")
  .option(...storeOption)
  .option("--json", "one JSON object")
  .action((options: LogsOptions) => finish(import("./commands/logs.ts").then(({ logs }) => logs(programFiles, options)), options.json));

program
  .command("updates")
  .description("Ask for a newer version. Nothing is looked for by itself, and nothing is installed.")
  .option("--download <name>", "download this package of the newest release, verify it, and print its path")
  .option(...storeOption)
  .option("--json", "one JSON object")
  .action((options: UpdatesOptions) => finish(import("./commands/updates.ts").then(({ updates }) => updates(programFiles.version, options)), options.json));

program
  .command("serve")
  .description("Serve the workbench to a browser on this machine.")
  .option("--port <number>", "port on 127.0.0.1 (default: the standard port, or a free one if it is in use)", port)
  .option("--open", "open the link in a browser if there is a display")
  .option("--data-root <folder...>", "let windows import files of these folders only (default: any that this account may read)")
  .option(...storeOption)
  .action((options: ServeOptions) => finish(import("./commands/serve.ts").then(({ serve }) => serve(programFiles, options))));

addWorkerCommand(program, programFiles);
addFleetCommands(program, programFiles);
addSlurmCommands(program);
addModelHelper(program);
addSettingsCommands(program);
