/** A move of the store that a person has asked for while it is open: done at the next start, before anything opens it. */
import { readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { z } from "zod";
import { messageOf } from "../../shared/errors.ts";
import { storeFileName } from "../store/database.ts";
import { livingHosts } from "../store/backup/restore.ts";
import { replaceFile } from "../../core/durable/files.ts";
import { moveNextFile, moveStore, requireTarget } from "./move.ts";

/** `problem`: why the move was not done; null before it is tried. */
const request = z.object({ folder: z.string(), removeOld: z.boolean(), problem: z.string().nullable() });
export type MoveRequest = z.infer<typeof request>;

const fileOf = (storeDir: string) => join(storeDir, moveNextFile);
const note = (storeDir: string, what: MoveRequest) => replaceFile(fileOf(storeDir), `${JSON.stringify(what)}\n`);

/** Has the store moved at the next start. @throws ArchiveError when it could not be moved there */
export function requestMove(storeDir: string, folder: string, removeOld: boolean): void {
  const target = resolve(folder);
  requireTarget(resolve(storeDir), target);
  note(storeDir, { folder: target, removeOld, problem: null });
}

/** The move that was asked for; null for none. */
export function requestedMove(storeDir: string): MoveRequest | null {
  try {
    return request.parse(JSON.parse(readFileSync(fileOf(storeDir), "utf8")));
  } catch {
    return null;
  }
}

export function cancelMove(storeDir: string): void {
  rmSync(fileOf(storeDir), { force: true });
}

/**
 * Does the requested move, unless a process uses the store or it has failed before. Call before the store is opened.
 * @returns where the store is now
 */
export function applyRequestedMove(storeDir: string): string {
  const wanted = requestedMove(storeDir);
  if (wanted === null || wanted.problem !== null || livingHosts(join(storeDir, storeFileName)) > 0) return storeDir;
  // Not part of what is moved.
  cancelMove(storeDir);
  try {
    return moveStore(storeDir, wanted.folder, wanted.removeOld).folder;
  } catch (error) {
    note(storeDir, { ...wanted, problem: messageOf(error) });
    return storeDir;
  }
}
