/** Paths of a published dataset's files, and whether the files are intact. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import type { DatasetEntry, KeptFile } from "../../shared/catalog/entry.ts";
import { messageOf } from "../../shared/errors.ts";
import { resourcePath } from "../resources/index.ts";
import { fileProblem, packedEnding } from "./digest.ts";
import { dataFolder } from "../folders/folder.ts";

/** The part of a catalog entry that is about files. */
export type FiledEntry = Pick<DatasetEntry, "id" | "files">;

/** Folder of a package's files: the one that its variable names, or one that an installation brings instead of the package, or the package's own. */
function packageFolder(id: string, files: Extract<FiledEntry["files"], { from: "package" }>): string {
  const named = process.env[files.variable];
  if (named) return named;
  const brought = join(resourcePath("datasets"), id);
  if (existsSync(brought)) return brought;
  return join(dirname(createRequire(import.meta.url).resolve(`${files.package}/package.json`)), files.folder);
}

/** @param data the data folder, which has downloads and imports */
export function folderOf({ id, files }: FiledEntry, data = dataFolder()): string {
  switch (files.from) {
    case "archives":
      return join(data, id);
    case "package":
      return packageFolder(id, files);
    case "program":
      return resourcePath("datasets");
  }
}

export function keptFiles({ files }: FiledEntry): readonly KeptFile[] {
  return files.from === "archives" ? files.archives.flatMap(({ contents }) => contents) : files.files;
}

/** Path of a kept file, which an installation may carry packed by gzip. */
export function keptPath(folder: string, name: string): string {
  const path = join(folder, name);
  const packed = `${path}${packedEnding}`;
  return !existsSync(path) && existsSync(packed) ? packed : path;
}

/** Contents of a kept file, unpacked. */
export async function readKept(path: string): Promise<Buffer> {
  const bytes = await readFile(path);
  return path.endsWith(packedEnding) ? promisify(gunzip)(bytes) : bytes;
}

/** Advice for damaged files that come with the program; empty for others. */
function remedy({ files }: FiledEntry): string {
  if (files.from === "package") return `; run npm ci again, or set ${files.variable} to a folder with its ${files.files.length} files`;
  return files.from === "program" ? "; install Hypertower again" : "";
}

/** Why a dataset cannot be used, naming the first file that is missing or wrong; null when it is ready. */
export async function entryProblem(entry: FiledEntry, data = dataFolder()): Promise<string | null> {
  try {
    const folder = folderOf(entry, data);
    for (const file of keptFiles(entry)) {
      const problem = await fileProblem(keptPath(folder, file.name), file);
      if (problem) return `${problem}${remedy(entry)}`;
    }
    return null;
  } catch (error) {
    return messageOf(error);
  }
}
