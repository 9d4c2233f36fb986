/** Fills in options that were not given: from the environment, then from the configuration file. */
import type { Command } from "commander";
import { UserError } from "../../services/services.ts";
import { folderOf, readConfig } from "./file.ts";
import { concerns, parseTyped, settings, type Setting } from "./settings.ts";

export type Source = "environment" | "file" | "default";

export interface Resolved {
  readonly setting: Setting;
  /** Undefined for the default. */
  readonly value: unknown;
  readonly source: Source;
}

/** @throws UserError for a value that is not allowed */
export function resolveSetting(setting: Setting, file: ReadonlyMap<string, unknown>, env: NodeJS.ProcessEnv = process.env): Resolved {
  const typed = env[setting.environment]?.trim();
  if (typed) {
    const value = parseTyped(setting, typed);
    if (value === undefined) throw new UserError(`${setting.environment} is ${typed}; allowed: ${setting.allowed}`);
    return { setting, value, source: "environment" };
  }
  return file.has(setting.key) ? { setting, value: file.get(setting.key), source: "file" } : { setting, value: undefined, source: "default" };
}

/** Names of a command and its parents, without the program's: `runs list`. */
export function pathOf(command: Command): string {
  return command.parent?.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name();
}

/** Call before a command's action. Precedence: option, environment, file, default. @throws UserError */
export function applyConfig(command: Command): void {
  const path = pathOf(command);
  if (path.startsWith("config")) return;
  const config = readConfig();
  const { values } = config;
  // These are read from the environment wherever they are needed, in other processes too.
  const [data, store] = [folderOf(config, "data"), folderOf(config, "store")];
  if (data !== undefined) process.env["HYPERTOWER_DATA"] ||= data;
  if (store !== undefined) process.env["HYPERTOWER_HOME"] ||= store;
  for (const setting of settings) {
    if (!concerns(setting, path)) continue;
    const { option } = setting;
    const source = command.getOptionValueSource(option);
    if (source === "cli") continue;
    // A study that is there goes on as it was started.
    if (setting.key.startsWith("study.") && path === "study" && ["resume", "extend"].some((name) => command.getOptionValue(name) !== undefined)) continue;
    // HYPERTOWER_ENGINE fixes what `auto` chooses, and is not an option.
    if (setting.environment === "HYPERTOWER_ENGINE" && process.env[setting.environment]?.trim()) continue;
    const resolved = resolveSetting(setting, values);
    if (resolved.source !== "default") command.setOptionValueWithSource(option, resolved.value, resolved.source === "file" ? "config" : "env");
  }
}

/** Every setting with its value and where that comes from. */
export function resolveAll(values: ReadonlyMap<string, unknown>): Resolved[] {
  return settings.map((setting) => resolveSetting(setting, values));
}

