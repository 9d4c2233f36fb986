/** `hypertower config`: reads and writes the configuration file. */
import { UserError } from "../../services/services.ts";
import { resolveAll, resolveSetting } from "../config/apply.ts";
import { configPath, readConfig, unknownKey, writeSetting } from "../config/file.ts";
import { findSetting, parseTyped, type Setting } from "../config/settings.ts";
import { exitCodes } from "../exitCodes.ts";
import { printTable } from "../listing/fit.ts";

const shown = (value: unknown) => (value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value));

function known(key: string): Setting {
  const setting = findSetting(key);
  if (!setting) throw new UserError(unknownKey(key));
  return setting;
}

/** Prints the value in force; nothing, and exit code 1, where none is set. */
export function configGet(key: string, { json }: { readonly json?: boolean }): number {
  const { value, source } = resolveSetting(known(key), readConfig().values);
  if (json) console.log(JSON.stringify({ key, value: value ?? null, source }));
  else if (value !== undefined) console.log(shown(value));
  return value === undefined ? exitCodes.error : exitCodes.ok;
}

export function configSet(key: string, typed: string): number {
  const setting = known(key);
  const value = parseTyped(setting, typed);
  if (value === undefined) throw new UserError(`${key} cannot be ${typed}; allowed: ${setting.allowed}`);
  const path = configPath();
  writeSetting(path, key, value);
  console.error(`set ${key} to ${shown(value)} in ${path}`);
  return exitCodes.ok;
}

export function configUnset(key: string): number {
  known(key);
  const path = configPath();
  const { values } = readConfig(path);
  if (!values.has(key)) throw new UserError(`${key} is not set in ${path}`);
  writeSetting(path, key, undefined);
  console.error(`removed ${key} from ${path}`);
  return exitCodes.ok;
}

/** Every setting, its value, and where that comes from. */
export function configList({ json }: { readonly json?: boolean }): number {
  const { path, text, values } = readConfig();
  const all = resolveAll(values);
  if (json) {
    console.log(JSON.stringify({ path, exists: text !== undefined, settings: all.map(({ setting: { key, environment, help }, value, source }) => ({ key, value: value ?? null, source, environment, help })) }));
    return exitCodes.ok;
  }
  printTable(
    ["KEY", "VALUE", "FROM", "MEANING"],
    all.map(({ setting: { key, environment, help }, value, source }) => [key, shown(value), source === "environment" ? environment : source === "file" ? path : "default", help]),
    ["VALUE", "FROM", "MEANING"],
  );
  return exitCodes.ok;
}

export function configPathCommand(): number {
  console.log(configPath());
  return exitCodes.ok;
}
