/** Candidates for the word under the cursor, from the tree of commands and the store. */
import type { Argument, Command, Option } from "commander";
import { catalog } from "../../../shared/catalog/index.ts";
import { presetNames } from "../../../shared/presets.ts";
import { studyPresetNames } from "../../../shared/study/presets.ts";
import { settingKeys } from "../config/settings.ts";
import { runKeys, studyKeys } from "../listing/columns.ts";

export interface Candidate {
  readonly value: string;
  readonly description: string;
}

/** What the shell adds of its own: files, folders or nothing. */
export type FromShell = "files" | "folders" | "none";

export interface Completion {
  readonly candidates: readonly Candidate[];
  readonly fromShell: FromShell;
}

export type Subject = "run" | "study";

/** Names in the store, the newest first. */
export interface StoreNames {
  subjects(subject: Subject, inBin: boolean): readonly Candidate[];
  tags(subject: Subject): readonly string[];
}

const nothing: Completion = { candidates: [], fromShell: "none" };
const plain = (values: readonly string[]): Completion => ({ candidates: values.map((value) => ({ value, description: "" })), fromShell: "none" });

/** The first sentence of a description, short enough for a line. */
function brief(text: string): string {
  const sentence = text.split(/[.:;(]/, 1)[0]!.trim();
  return sentence.length <= 70 ? sentence : `${sentence.slice(0, sentence.lastIndexOf(" ", 69))} …`;
}

/**
 * @param words words of the line before the cursor, without the program's name; the last one is completed
 * @param names opened only where names are asked for, for the store that the line names
 */
export function complete(program: Command, words: readonly string[], names: (storeFolder: string | undefined) => StoreNames): Completion {
  const current = words.at(-1) ?? "";
  const line = read(program, words.slice(0, -1));
  const found = candidatesAt(line, current, () => names(line.values.get("--store")));
  const lower = current.toLowerCase();
  return { ...found, candidates: found.candidates.filter(({ value }) => value.toLowerCase().startsWith(lower)) };
}

interface Line {
  readonly command: Command;
  /** Names of the command and its parents: `runs list`. */
  readonly path: string;
  /** Arguments so far. */
  readonly given: readonly string[];
  /** The option whose value comes next. */
  readonly pending: Option | undefined;
  readonly used: ReadonlySet<Option>;
  readonly values: ReadonlyMap<string, string>;
  /** After `--`, words are arguments. */
  readonly literal: boolean;
}

const named = (command: Command, word: string) => command.commands.find((child) => child.name() === word || child.aliases().includes(word));
const findOption = (command: Command, flag: string) => command.options.find(({ long, short }) => long === flag || short === flag);

/** A group's own command, that runs when none is named: `runs` is `runs list`. */
function defaultOf(command: Command): Command | undefined {
  const name = (command as unknown as { _defaultCommandName?: string | null })._defaultCommandName;
  return name ? named(command, name) : undefined;
}

function read(program: Command, words: readonly string[]): Line {
  let command = program;
  let path = "";
  let pending: Option | undefined;
  let literal = false;
  const given: string[] = [];
  const used = new Set<Option>();
  const values = new Map<string, string>();
  const enter = (child: Command) => {
    command = child;
    path = path === "" ? child.name() : `${path} ${child.name()}`;
  };
  for (const word of words) {
    if (pending && !word.startsWith("-")) {
      values.set(pending.long ?? "", word);
      if (!pending.variadic) pending = undefined;
      continue;
    }
    pending = undefined;
    if (literal || !word.startsWith("-") || word === "-") {
      const child = given.length === 0 ? named(command, word) : undefined;
      if (child) enter(child);
      else {
        const fallback = defaultOf(command);
        if (fallback) enter(fallback);
        given.push(word);
      }
      continue;
    }
    if (word === "--") {
      literal = true;
      continue;
    }
    const [flag = word, value] = word.split(/=(.*)/s, 2);
    let option = findOption(command, flag);
    const fallback = option ? undefined : defaultOf(command);
    if (fallback && findOption(fallback, flag)) {
      enter(fallback);
      option = findOption(command, flag);
    }
    if (!option) continue;
    used.add(option);
    if (value !== undefined) values.set(option.long ?? "", value);
    else if (option.required) pending = option;
  }
  return { command, path, given, pending, used, values, literal };
}

function candidatesAt({ command, path, given, pending, used, literal }: Line, current: string, names: () => StoreNames): Completion {
  if (pending) {
    const found = optionValues(pending, command, path, names);
    // A list of values ends where an option begins.
    if (!(pending.variadic && current.startsWith("-"))) return found;
  }
  const fallback = defaultOf(command);
  const target = fallback ?? command;
  const targetPath = fallback ? `${path} ${fallback.name()}` : path;
  const equals = current.indexOf("=");
  if (!literal && current.startsWith("-") && equals > 0) {
    const option = findOption(target, current.slice(0, equals));
    if (!option?.required) return nothing;
    const { candidates, fromShell } = optionValues(option, target, targetPath, names);
    return { fromShell, candidates: candidates.map(({ value, description }) => ({ value: `${current.slice(0, equals + 1)}${value}`, description })) };
  }
  if (!literal && current.startsWith("-")) return { candidates: flags(target, used), fromShell: "none" };
  const children = given.length === 0 ? command.commands.filter((child) => !child.name().startsWith("_")).map((child) => ({ value: child.name(), description: brief(child.description()) })) : [];
  const found = argumentValues(target, targetPath, given.length, names, given);
  return { candidates: [...children, ...found.candidates], fromShell: found.fromShell };
}

function flags(command: Command, used: ReadonlySet<Option>): Candidate[] {
  const repeatable = (option: Option) => option.variadic || Array.isArray(option.defaultValue);
  const own = command.options.filter((option) => option.long && !option.hidden && (!used.has(option) || repeatable(option)));
  return [...own.map(({ long, description }) => ({ value: long!, description: brief(description) })), { value: "--help", description: "display help" }];
}

/** The placeholder in `--store <folder>`. */
const placeholder = ({ flags: text }: Option) => /[<[]([^>\].]+)/.exec(text)?.[1] ?? "";

function optionValues(option: Option, command: Command, path: string, names: () => StoreNames): Completion {
  if (option.argChoices) return plain(option.argChoices);
  if (option.long === "--preset") return plain(command.name() === "study" ? studyPresetNames : presetNames);
  if (path === "study" && (option.long === "--resume" || option.long === "--extend")) return subjects(names(), "study", false);
  const subject: Subject = path.startsWith("studies") || path === "study" ? "study" : "run";
  if (option.long === "--sort" || option.long === "--columns") return plain(subject === "run" ? runKeys : studyKeys);
  return values(placeholder(option), path, names, subject);
}

function argumentValues(command: Command, path: string, at: number, names: () => StoreNames, given: readonly string[]): Completion {
  const known: readonly Argument[] = command.registeredArguments;
  const argument = known[at] ?? (known.at(-1)?.variadic ? known.at(-1) : undefined);
  if (!argument) return nothing;
  if (argument.argChoices) return plain(argument.argChoices);
  const found = values(argument.name(), path, names, "run");
  return { ...found, candidates: found.candidates.filter(({ value }) => !given.includes(value)) };
}

function values(kind: string, path: string, names: () => StoreNames, subject: Subject): Completion {
  switch (kind) {
    case "folder":
      return { candidates: [], fromShell: "folders" };
    case "file":
    case "path":
    case "experiment":
      return { candidates: [], fromShell: "files" };
    case "run":
    case "runs":
      return subjects(names(), "run", path.endsWith("restore"));
    case "study":
    case "studies":
      return path === "study" ? { candidates: [], fromShell: "files" } : subjects(names(), "study", path.endsWith("restore"));
    case "study|run":
    case "run|study":
      return { candidates: [...names().subjects("study", false), ...names().subjects("run", false)], fromShell: "none" };
    case "tag":
    case "tags":
      return plain(names().tags(subject));
    case "dataset":
      return plain(catalog.map(({ id }) => id));
    case "key":
      return path.startsWith("config") ? plain(settingKeys) : nothing;
    default:
      return nothing;
  }
}

const subjects = (names: StoreNames, subject: Subject, inBin: boolean): Completion => ({
  candidates: [...(inBin ? [] : [{ value: "last", description: subject === "run" ? "the latest run" : "the latest study" }]), ...names.subjects(subject, inBin)],
  fromShell: "none",
});
