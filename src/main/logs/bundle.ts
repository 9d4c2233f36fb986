/** Logs and facts as one file that a person can look into and send. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { strToU8, zipSync } from "fflate";
import { cleanValue } from "./hostLog.ts";
import { logFileNames } from "./logFile.ts";
import type { Privacy } from "./privacy.ts";

export interface BundleFile {
  readonly name: string;
  /** What it holds, for people. */
  readonly what: string;
  readonly content: Uint8Array;
}

export interface BundleOptions {
  readonly logsDir: string;
  /** Takes out what was not known to be private when it was written. */
  readonly privacy: Privacy;
  /** Facts by name; texts in them are cleaned. */
  readonly facts: Readonly<Record<string, unknown>>;
}

export function bundleFiles({ logsDir, privacy, facts }: BundleOptions): BundleFile[] {
  const about = {
    name: "about.json",
    what: "Version, platform, processor, engines, the number of runs and studies by status, and the last check of the store",
    content: strToU8(`${JSON.stringify(cleanValue(privacy, facts, 8), null, 2)}\n`),
  };
  const logs = logFileNames().flatMap((name, index) => {
    const lines = readLines(join(logsDir, name));
    const what = index === 0 ? "What Hypertower reported last" : "Earlier reports";
    return lines.length === 0 ? [] : [{ name: `logs/${name}`, what, content: strToU8(`${lines.map((line) => cleanLine(privacy, line)).join("\n")}\n`) }];
  });
  return [about, ...logs];
}

export function zipOf(files: readonly BundleFile[]): Uint8Array {
  return zipSync(Object.fromEntries(files.map(({ name, content }) => [name, content])), { mtime: new Date() });
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, "utf8").split("\n").filter((line) => line.trim() !== "");
  } catch {
    return [];
  }
}

/** Cleans a line again; a torn one is only counted as such. */
function cleanLine(privacy: Privacy, line: string): string {
  try {
    const parsed = JSON.parse(line) as Record<string, unknown>;
    const { time, level, where, ...rest } = parsed;
    return JSON.stringify({ time, level, where, ...(cleanValue(privacy, rest, 8) as object) });
  } catch {
    return JSON.stringify({ level: "warn", message: "this line cannot be read" });
  }
}
