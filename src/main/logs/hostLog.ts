/**
 * The log of this process: on the console as it is, and in `logs/` beside the store without private things. Loads little,
 * because every command starts with it. Never throws.
 */
import { existsSync, realpathSync } from "node:fs";
import { homedir, hostname, tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { LogFile, type LogLimits } from "./logFile.ts";
import { Privacy, type FindNames } from "./privacy.ts";

export type LogLevel = "info" | "warn" | "error";
export type LogFields = Readonly<Record<string, unknown>>;

export interface OpenLog {
  readonly storeDir: string;
  /** Folder of the datasets. */
  readonly dataDir: string;
  /** Folder of the program. */
  readonly appDir: string;
  /** What this process is: `desktop`, or a command. */
  readonly where: string;
  readonly version: string;
  readonly limits?: LogLimits;
}

/** Lines kept until the store's folder exists. */
const maxWaiting = 50;
/** Lines per minute that are written; a page that misbehaves must not push everything else out. */
const maxPerMinute = 300;

let opened: { readonly options: OpenLog; readonly file: LogFile; readonly privacy: Privacy } | undefined;
let waiting: string[] = [];
let minute = { begun: 0, lines: 0, dropped: 0 };
let headed = false;
let find: FindNames = () => [];

/** Writes the log into `logs/` in the store's folder from now on, as soon as there is a store. */
export function openLog(options: OpenLog): void {
  const privacy = new Privacy(privateThings(options));
  privacy.names = (text) => find(text);
  opened = { options, privacy, file: new LogFile(join(options.storeDir, "logs"), options.limits) };
  headed = false;
}

/** Forgets the log that was opened; for tests. */
export function closeLog(): void {
  opened = undefined;
  [waiting, headed, find] = [[], false, () => []];
  minute = { begun: 0, lines: 0, dropped: 0 };
}

/** Has names of runs, studies and datasets taken out. Returns a function that undoes it. */
export function hideNames(findNames: FindNames): () => void {
  find = findNames;
  return () => {
    if (find === findNames) find = () => [];
  };
}

export function privateThings({ storeDir, dataDir, appDir }: Pick<OpenLog, "storeDir" | "dataDir" | "appDir">): ConstructorParameters<typeof Privacy>[0] {
  return {
    folders: { app: real(appDir), store: real(storeDir), dataset: real(dataDir), home: real(attempt(homedir)), temp: real(attempt(tmpdir)) },
    user: attempt(() => userInfo().username),
    host: attempt(hostname),
  };
}

/** Writes to the file alone. */
export function record(level: LogLevel, message: string, fields: LogFields = {}): void {
  if (!opened) return;
  try {
    const now = Date.now();
    if (!mayWrite(now)) return;
    const { options, privacy } = opened;
    const lines: string[] = [];
    const line = (at: LogLevel, text: string, more: LogFields) => lines.push(JSON.stringify({ time: new Date(now).toISOString(), level: at, where: options.where, pid: process.pid, message: clean(privacy, text, more), ...cleanFields(privacy, more) }));
    if (!headed) line("info", "process", { version: options.version, platform: `${process.platform} ${process.arch}`, node: process.versions.node, ...(process.versions["electron"] && { electron: process.versions["electron"] }) });
    headed = true;
    if (minute.dropped > 0) line("warn", `${minute.dropped} lines were dropped: more than ${maxPerMinute} in a minute`, {});
    minute.dropped = 0;
    line(level, message, fields);
    waiting = [...waiting, ...lines].slice(-maxWaiting);
    // Not before there is a store: a wrong folder must stay as it is.
    if (!existsSync(join(options.storeDir, "hypertower.sqlite"))) return;
    while (waiting.length > 0) {
      opened.file.append(waiting[0]!);
      waiting.shift();
    }
  } catch {
    // The console has it. A full disk or a read-only folder must not stop anything.
  }
}

/** Log of everything in the host: console and file. */
export const hostLog = {
  info(message: string, fields?: LogFields): void {
    record("info", message, fields);
  },
  warn(message: string, fields?: LogFields): void {
    console.warn(message);
    record("warn", message, fields);
  },
  error(message: string, error?: unknown, fields: LogFields = {}): void {
    if (error === undefined) console.error(message);
    else console.error(message, error);
    record("error", message, error === undefined ? fields : { ...fields, error });
  },
};

function mayWrite(now: number): boolean {
  if (Math.abs(now - minute.begun) >= 60_000) minute = { begun: now, lines: 0, dropped: minute.dropped };
  if (++minute.lines <= maxPerMinute) return true;
  minute.dropped++;
  return false;
}

function clean(privacy: Privacy, text: string, { error }: LogFields): string {
  return privacy.clean(text, pathsOf(error));
}

function cleanFields(privacy: Privacy, fields: LogFields): Record<string, unknown> {
  const { error, ...rest } = fields;
  const value = cleanValue(privacy, rest, 4) as Record<string, unknown>;
  return error === undefined ? value : { ...value, error: cleanError(privacy, error) };
}

function cleanError(privacy: Privacy, error: unknown, depth = 3): unknown {
  if (!(error instanceof Error)) return privacy.clean(String(error));
  const known = pathsOf(error);
  const { code } = error as NodeJS.ErrnoException;
  return {
    name: privacy.clean(error.name),
    message: privacy.clean(error.message, known),
    ...(typeof code === "string" && /^[A-Z][A-Z0-9_]{1,60}$/.test(code) && { code }),
    ...(error.stack !== undefined && { stack: privacy.clean(error.stack, known).split("\n").slice(0, 40) }),
    ...(error.cause !== undefined && depth > 0 && { cause: cleanError(privacy, error.cause, depth - 1) }),
  };
}

/** Paths that a failed system call names. */
function pathsOf(error: unknown): string[] {
  if (!(error instanceof Error)) return [];
  const { path, dest } = error as { path?: unknown; dest?: unknown };
  return [path, dest].filter((each) => typeof each === "string");
}

/** Texts in a value without private things. @param depth of objects within it that are kept */
export function cleanValue(privacy: Privacy, value: unknown, depth: number): unknown {
  if (typeof value === "string") return privacy.clean(value);
  if (typeof value === "number" || typeof value === "boolean" || value === null) return value;
  if (typeof value !== "object" || depth === 0) return privacy.clean(String(value));
  if (Array.isArray(value)) return value.slice(0, 50).map((each) => cleanValue(privacy, each, depth - 1));
  return Object.fromEntries(Object.entries(value).slice(0, 50).map(([key, each]) => [privacy.clean(key), cleanValue(privacy, each, depth - 1)]));
}

/** A folder, and what it is by its links. */
function real(folder: string): string[] {
  if (folder === "") return [];
  return [folder, attempt(() => realpathSync(folder))].filter((path, index, all) => path !== "" && all.indexOf(path) === index);
}

function attempt(find: () => string): string {
  try {
    return find();
  } catch {
    return "";
  }
}
