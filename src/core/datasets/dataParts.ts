/** Finds the files of a dataset in a folder, with their parts, as the Hugging Face hub lays them. */
import { readdir } from "node:fs/promises";
import { extname, join, relative, sep } from "node:path";
import { splitNamed, type SplitName } from "../../shared/dataSplits.ts";

export interface DataPart {
  readonly path: string;
  readonly split: SplitName;
}

/** Folders that are searched below the given one, and files that are looked at. */
const maxDepth = 3;
const maxFiles = 10_000;

async function filesBelow(folder: string, endings: readonly string[], depth = 0): Promise<string[]> {
  const entries = (await readdir(folder, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1));
  const found = entries.filter((entry) => entry.isFile() && endings.includes(extname(entry.name).toLowerCase())).map(({ name }) => join(folder, name));
  if (depth < maxDepth) for (const entry of entries) if (entry.isDirectory() && !entry.name.startsWith(".")) found.push(...(await filesBelow(join(folder, entry.name), endings, depth + 1)));
  if (found.length > maxFiles) throw new Error(`${folder} has more than ${maxFiles} files; give one of them`);
  return found;
}

/** Part of a file by its name, else by the folders that it is in. */
function splitOf(path: string): SplitName | null {
  const names = path.split(sep).reverse();
  return names.map(splitNamed).find((split) => split !== null) ?? null;
}

const order = { train: 0, validation: 1, test: 2 } as const;

/**
 * Files of a folder with these endings, training files first; empty where there are none.
 * @throws Error naming the datasets where the folder holds several, or a folder without training files
 */
export async function dataPartsIn(folder: string, endings: readonly string[]): Promise<DataPart[]> {
  const files = await filesBelow(folder, endings);
  if (files.length === 0) return [];
  const relativeTo = files.map((path) => relative(folder, path));
  const splits = relativeTo.map(splitOf);
  if (splits.every((split) => split === null)) {
    if (files.length > 1) throw new Error(`${folder} has ${files.length} files whose names do not say train or test: ${relativeTo.slice(0, 10).join(", ")}; give one file, and the test file by itself`);
    return [{ path: files[0]!, split: "train" }];
  }
  const groups = new Set(relativeTo.map((path) => path.split(sep).slice(0, -1).filter((name) => splitNamed(name) === null).join(sep)));
  if (groups.size > 1) throw new Error(`${folder} holds several datasets, in the folders ${[...groups].map((name) => name || ".").join(", ")}; give one of them`);
  const unclear = relativeTo.find((_, i) => splits[i] === null);
  if (unclear !== undefined) throw new Error(`${folder}: the name of ${unclear} does not say train, validation or test, as those of other files do`);
  const parts = files.map((path, i) => ({ path, split: splits[i]! })).sort((a, b) => order[a.split] - order[b.split]);
  if (parts[0]!.split !== "train") throw new Error(`${folder} has no file for training`);
  return parts;
}
