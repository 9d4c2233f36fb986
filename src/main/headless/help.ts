/** What every `--help` says beyond the options: examples, environment variables, exit codes. */
import type { Command } from "commander";
import { concerns, settings } from "./config/settings.ts";
import { examples } from "./examples.ts";

/** Commands that print nothing but what they did: `--quiet` silences their standard output, too. */
const doing = new Set([
  "train", "resume", "rerun", "reproduce", "study", "table1", "archive", "import", "merge", "move", "salvage", "report", "erase", "thin",
  "runs delete", "runs restore", "runs rename", "studies delete", "studies restore", "studies rename",
  "datasets download", "datasets import", "datasets remove", "datasets add", "import-model", "import-runs", "models rename", "models remove", "doctor backup", "config set", "config unset",
]);

/** Whether what a command prints is what was asked for, also under `--quiet`. */
export const answers = (path: string, json: boolean): boolean => json || !doing.has(path);

const listing = new Set(["runs list", "studies list", "runs compare", "studies compare", "config list"]);

/** Environment variables that a command reads, with their meaning. */
export function environmentOf(command: Command, path: string): readonly (readonly [name: string, meaning: string])[] {
  const usesStore = command.options.some(({ long }) => long === "--store");
  return [
    ...(usesStore ? ([["HYPERTOWER_HOME", "folder of the store, where --store names none"], ["HYPERTOWER_DATA", "folder of the datasets"]] as const) : []),
    ...settings.filter((setting) => concerns(setting, path)).map(({ environment, help }) => [environment, help] as const),
    ["HYPERTOWER_CONFIG", "path of the configuration file"] as const,
    ...(path === "datasets add" ? ([["HF_ENDPOINT", "base address of the Hugging Face hub (default: https://huggingface.co)"]] as const) : []),
    ...(path.startsWith("queue ") || path === "worker" ? ([["HYPERTOWER_QUEUE", "URL of the queue, where none is given"]] as const) : []),
    ...(listing.has(path) ? ([["NO_COLOR", "no colors; FORCE_COLOR: colors, also in a pipe"]] as const) : []),
  ];
}

export interface Leaf {
  readonly path: string;
  readonly command: Command;
}

/** Every command that does something, with its path (`runs list`), in the order of the help. */
export function leaves(program: Command, prefix = ""): Leaf[] {
  return program.commands.flatMap((command) => {
    const path = prefix === "" ? command.name() : `${prefix} ${command.name()}`;
    return command.commands.length > 0 ? leaves(command, path) : [{ path, command }];
  });
}

const columns = (rows: readonly (readonly [string, string])[]) => {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, meaning]) => `  ${name.padEnd(width)}  ${meaning}`).join("\n");
};

const generalExamples = ["hypertower train", "hypertower runs", "hypertower show last", "hypertower report last --run", "hypertower serve --open"];

const done = new WeakSet<Command>();

/** Adds `--quiet` to every command, and examples and environment variables to every help. Once for a program. */
export function addHelp(program: Command): void {
  if (done.has(program)) return;
  done.add(program);
  for (const { path, command } of leaves(program)) {
    command.option("-q, --quiet", "print errors and what was asked for, nothing else");
    command.addHelpText("after", () => `\nExamples:\n${(examples[path] ?? []).map((line) => `  ${line}`).join("\n")}\n\nEnvironment (a --option comes first, then these, then the configuration file):\n${columns(environmentOf(command, path))}`);
  }
  for (const group of program.commands) {
    if (group.commands.length === 0) continue;
    const lines = group.commands.flatMap((command) => (examples[`${group.name()} ${command.name()}`] ?? []).slice(0, 1));
    group.addHelpText("after", () => `\nExamples:\n${lines.map((line) => `  ${line}`).join("\n")}\n\nEnvironment:\n${columns([["HYPERTOWER_HOME", "folder of the store"], ["HYPERTOWER_CONFIG", "path of the configuration file"]])}`);
  }
  program.addHelpText(
    "after",
    () => `\nExamples:\n${generalExamples.map((line) => `  ${line}`).join("\n")}\n\nEnvironment:\n${columns([
      ["HYPERTOWER_HOME", "folder of the store"],
      ["HYPERTOWER_DATA", "folder of the datasets"],
      ["HYPERTOWER_CONFIG", "path of the configuration file; hypertower config list shows what it sets"],
      ["NO_COLOR", "no colors; FORCE_COLOR: colors, also in a pipe"],
    ])}\n\nExit codes: 0 done, 1 error, 3 a run diverged, 4 a reproduction differs, 5 damage was found, 130 interrupted.\nMore: docs/cli.md.`,
  );
}
