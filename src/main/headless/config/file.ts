/** The configuration file: JSON with comments, validated as a whole. */
import { mkdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import envPaths from "env-paths";
import { applyEdits, modify, parseTree, printParseErrorCode, type Node, type ParseError } from "jsonc-parser";
import { replaceFile } from "../../../core/durable/files.ts";
import { messageOf } from "../../../shared/errors.ts";
import { UserError } from "../../services/services.ts";
import { closest } from "../nearest.ts";
import { findSetting, settingKeys } from "./settings.ts";

/** Bytes of the largest file that is read. */
const maxBytes = 1 << 20;

/** Path of the file: HYPERTOWER_CONFIG, or the system's place for configuration. */
export function configPath(env: NodeJS.ProcessEnv = process.env): string {
  const named = env["HYPERTOWER_CONFIG"]?.trim();
  return named ? resolve(named) : join(envPaths("hypertower", { suffix: "" }).config, "config.json");
}

export interface ConfigFile {
  readonly path: string;
  /** Undefined where there is no file. */
  readonly text: string | undefined;
  /** Values by key. */
  readonly values: ReadonlyMap<string, unknown>;
}

/** @throws UserError naming each mistake with its line and column */
export function readConfig(path = configPath()): ConfigFile {
  const text = readText(path);
  if (text === undefined) return { path, text, values: new Map() };
  const { values, problems } = parseConfig(text);
  if (problems.length > 0) throw new UserError(`the configuration file is not valid:`, problems.map(({ at, message }) => ({ path: `${path}:${at}`, message })));
  return { path, text, values };
}

/** A folder that the file names: relative to the file, `~` for the account's own. Undefined where it names none. */
export function folderOf({ path, values }: ConfigFile, key: string): string | undefined {
  const named = values.get(key);
  return typeof named === "string" ? resolve(dirname(path), named.replace(/^~(?=$|[\\/])/, () => homedir())) : undefined;
}

function readText(path: string): string | undefined {
  try {
    const { size } = statSync(path);
    if (size > maxBytes) throw new UserError(`the configuration file ${path} has ${size} bytes; at most ${maxBytes} are allowed`);
    return readFileSync(path, "utf8").replace(/^\uFEFF/, "");
  } catch (error) {
    if (error instanceof UserError) throw error;
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR")) return undefined;
    throw new UserError(`cannot read the configuration file ${path}: ${messageOf(error)}`, undefined, { cause: error });
  }
}

export interface Problem {
  /** `LINE:COLUMN` */
  readonly at: string;
  readonly message: string;
}

export function parseConfig(text: string): { values: Map<string, unknown>; problems: Problem[] } {
  const values = new Map<string, unknown>();
  const problems: Problem[] = [];
  const errors: ParseError[] = [];
  const add = (offset: number, message: string) => problems.push({ at: positionIn(text, offset), message });
  const root = text.trim() === "" ? undefined : parseTree(text, errors, { allowTrailingComma: true });
  for (const { error, offset } of errors) add(offset, `not valid JSON: ${words(printParseErrorCode(error))}`);
  if (errors.length > 0 || !root) return { values, problems };
  if (root.type !== "object") add(root.offset, `an object is needed: { "runs": { "limit": 20 } }`);
  else readObject(root, "", values, add);
  return { values, problems };
}

/** `PropertyNameExpected` as words. */
const words = (code: string) => code.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();

const sections = new Set(settingKeys.flatMap((key) => (key.includes(".") ? [key.slice(0, key.indexOf("."))] : [])));

function readObject(node: Node, prefix: string, values: Map<string, unknown>, add: (offset: number, message: string) => void): void {
  for (const { children: [name, value] = [] } of node.children ?? []) {
    if (!name || !value) continue;
    const key = `${prefix}${String(name.value)}`;
    const setting = findSetting(key);
    if (setting) {
      const parsed = setting.schema.safeParse(valueOf(value));
      if (parsed.success) values.set(key, parsed.data);
      else add(value.offset, `${key} cannot be ${textAt(value)}; allowed: ${setting.allowed}`);
    } else if (prefix === "" && sections.has(key)) {
      if (value.type === "object") readObject(value, `${key}.`, values, add);
      else add(value.offset, `${key} is a section and needs an object: ${settingKeys.filter((one) => one.startsWith(`${key}.`)).join(", ")}`);
    } else if (key !== "$schema") add(name.offset, unknownKey(key));
  }
}

export function unknownKey(key: string): string {
  const [near] = closest(key, settingKeys);
  return `there is no setting ${key}${near ? `; did you mean ${near}?` : `; known: ${settingKeys.join(", ")}`}`;
}

const valueOf = (node: Node): unknown =>
  node.type === "array" ? (node.children ?? []).map(valueOf) : node.type === "object" ? Object.fromEntries((node.children ?? []).map(({ children: [name, value] = [] }) => [name?.value, value && valueOf(value)])) : node.value;

const textAt = (node: Node): string => JSON.stringify(valueOf(node)).slice(0, 60);

function positionIn(text: string, offset: number): string {
  const before = text.slice(0, offset).split("\n");
  return `${before.length}:${before.at(-1)!.length + 1}`;
}

/** Writes a value into the file, or removes it, and leaves comments and everything else as it is. @throws UserError where the result is not valid */
export function writeSetting(path: string, key: string, value: unknown): void {
  const found = readText(path);
  const text = found ?? "{}\n";
  const before = parseConfig(text);
  if (before.problems.some(({ message }) => message.startsWith("not valid JSON"))) readConfig(path);
  const changed = applyEdits(text, modify(text.trim() === "" ? "{}\n" : text, key.split("."), value, { formattingOptions: { insertSpaces: true, tabSize: 2 } }));
  const after = parseConfig(changed);
  const others = after.problems.filter(({ message }) => message.startsWith(key));
  if (others.length > 0) throw new UserError(`${path} was not changed: ${others[0]!.message}`);
  try {
    mkdirSync(dirname(path), { recursive: true });
    // A link stays one.
    replaceFile(found !== undefined ? realpathSync(path) : path, changed.endsWith("\n") ? changed : `${changed}\n`, 0o666);
  } catch (error) {
    throw new UserError(`${path} cannot be written: ${messageOf(error)}`, undefined, { cause: error });
  }
}
