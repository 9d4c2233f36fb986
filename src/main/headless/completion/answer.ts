/** Answers a shell: `hypertower __complete INDEX WORD…`, with the index of the word under the cursor. */
import { resolve } from "node:path";
import type { Command } from "commander";
import { readNames, readTags } from "../../services/names.ts";
import { defaultStoreDir, storeDirAt } from "../../services/paths.ts";
import { folderOf, readConfig } from "../config/file.ts";
import { printable } from "../printable.ts";
import { complete, type Candidate, type StoreNames, type Subject } from "./complete.ts";

/** Names of each kind that are offered. */
const maxNames = 100;

const tables = { run: "runs", study: "studies" } as const;

/** Names of the store that the line, the environment or the configuration names. */
function namesOf(option: string | undefined): StoreNames {
  let folder: string | undefined;
  try {
    const configured = folderOf(readConfig(), "store");
    if (configured !== undefined) process.env["HYPERTOWER_HOME"] ||= configured;
    folder = option === undefined ? defaultStoreDir() : storeDirAt(resolve(option));
  } catch {
    // Without a store there are no names.
  }
  return {
    subjects: (subject, inBin) => (folder === undefined ? [] : candidatesOf(folder, subject, inBin)),
    tags: (subject) => (folder === undefined ? [] : readTags(folder, tables[subject])),
  };
}

/** Ids, and the names that only one has. */
function candidatesOf(folder: string, subject: Subject, inBin: boolean): Candidate[] {
  const found = readNames(folder, tables[subject], inBin, maxNames);
  const counts = new Map<string, number>();
  for (const { name } of found) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [
    ...found.flatMap(({ id, name, status }) => (name !== "" && counts.get(name) === 1 && name.length <= 60 ? [{ value: name, description: `${status}  ${id}` }] : [])),
    ...found.map(({ id, name, status }) => ({ value: id, description: `${status}  ${name}` })),
  ];
}

/** The first line says what the shell adds: files, folders or none. Then a candidate a line: value, tab, description. */
export function answer(program: Command, [index = "0", ...words]: readonly string[]): string {
  const at = Math.max(0, Number(index) || 0);
  const before = [...words.slice(0, at), words[at] ?? ""];
  const { candidates, fromShell } = complete(program, before, namesOf);
  const line = (text: string) => printable(text).replace(/[\t\n]/g, " ");
  // What a terminal would not show as it is cannot be typed either.
  const sound = candidates.filter(({ value }) => line(value) === value);
  return [fromShell, ...sound.map(({ value, description }) => `${value}\t${line(description)}`)].join("\n");
}
