/** Paths of the user's folders; the program's own folder is never written. */
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import envPaths from "env-paths";
import { replaceFile } from "../durable/files.ts";

/** Note in a folder whose files were moved: `{"folder": "/where"}`. */
export const movedFile = "moved.json";

/** Maximum number of moves to follow. */
const maxMoves = 32;

/** A folder was moved to one that is not there; a new one must not be made in its place. */
export class MovedFolderMissing extends Error {
  constructor(folder: string, from: string) {
    super(`The store was moved to ${folder}, which is not there. Connect its disk, or remove ${join(from, movedFile)} to use ${from} again.`);
    this.name = "MovedFolderMissing";
  }
}

/** Where a folder's files are: the folder itself, or where they were moved. @throws MovedFolderMissing */
export function followMoves(folder: string): string {
  let at = folder;
  for (let moves = 0; moves < maxMoves; moves++) {
    const next = movedTo(at);
    if (next === undefined) return at;
    if (!existsSync(next)) throw new MovedFolderMissing(next, at);
    at = next;
  }
  return at;
}

function movedTo(folder: string): string | undefined {
  try {
    const note = JSON.parse(readFileSync(join(folder, movedFile), "utf8")) as { folder?: unknown } | null;
    return typeof note?.folder === "string" ? resolve(note.folder) : undefined;
  } catch {
    return undefined;
  }
}

/** Notes in a folder that its files were moved, at once or not at all. */
export function writeMoved(folder: string, to: string): void {
  replaceFile(join(folder, movedFile), `${JSON.stringify({ folder: to })}\n`, 0o666);
}

/** `HYPERTOWER_HOME`, or the platform's folder for application data, also where its files were moved. */
export function homeFolder(env: NodeJS.ProcessEnv = process.env): string {
  const home = env["HYPERTOWER_HOME"]?.trim();
  return home ? resolve(home) : envPaths("hypertower", { suffix: "" }).data;
}

/** The user's folder: `HYPERTOWER_HOME`, or the platform's folder for application data, or where it was moved. Not created here. */
export function userFolder(env: NodeJS.ProcessEnv = process.env): string {
  return followMoves(homeFolder(env));
}

/** The data folder: `HYPERTOWER_DATA`, or `datasets` in the user's folder. Not created here. */
export function dataFolder(env: NodeJS.ProcessEnv = process.env): string {
  const data = env["HYPERTOWER_DATA"]?.trim();
  return data ? resolve(data) : join(userFolder(env), "datasets");
}
