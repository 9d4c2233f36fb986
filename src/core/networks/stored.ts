/** Files of imported networks beside a store: written aside, put in place by a rename, checked by their names. */
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, statSync, writeSync } from "node:fs";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { syncFolderSync } from "../durable/folders.ts";
import { isProcessAlive } from "../durable/alive.ts";
import { networkFile, networksFolder, networkSuffix } from "./folder.ts";
import { networkHash } from "../../shared/models/network.ts";

const pendingName = /^[0-9a-f]{64}\.(\d+)\.pending$/;

/** Where a process writes a network before it is put in place. */
export function pendingNetwork(storeFolder: string, hash: string, pid: number = process.pid): string {
  return `${networkFile(networksFolder(storeFolder), hash).slice(0, -networkSuffix.length)}.${pid}.pending`;
}

/** Writes a network's file aside and syncs it. Returns its path. @throws Error where the bytes are not what the hash says; nothing is left then */
export function writePending(storeFolder: string, hash: string, pieces: Iterable<Uint8Array>): string {
  const folder = networksFolder(storeFolder);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const pending = pendingNetwork(storeFolder, hash);
  const sum = createHash("sha256");
  const descriptor = openSync(pending, "w", 0o600);
  try {
    try {
      for (const piece of pieces) {
        sum.update(piece);
        for (let at = 0; at < piece.length; ) at += writeSync(descriptor, piece, at);
      }
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    if (sum.digest("hex") !== hash) throw new Error(`the file of the network ${hash.slice(0, 12)} is damaged: its SHA-256 is not its name`);
  } catch (error) {
    rmSync(pending, { force: true });
    throw error;
  }
  return pending;
}

/** Puts a file in place; one that is there is the same. */
export function placeNetwork(storeFolder: string, hash: string, pending: string): void {
  renameSync(pending, networkFile(networksFolder(storeFolder), hash));
  syncFolderSync(networksFolder(storeFolder));
}

/** Hashes of the network files in a store's folder. */
export function networkFilesIn(storeFolder: string): string[] {
  let names: string[];
  try {
    names = readdirSync(networksFolder(storeFolder));
  } catch {
    return [];
  }
  return names.flatMap((name) => (name.endsWith(networkSuffix) && networkHash.test(name.slice(0, -networkSuffix.length)) ? [name.slice(0, -networkSuffix.length)] : [])).sort();
}

/** Removes what imports of processes that have ended left. */
export function removePendingNetworks(storeFolder: string): void {
  const folder = networksFolder(storeFolder);
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return;
  }
  for (const name of names) {
    const pid = pendingName.exec(name)?.[1];
    if (pid !== undefined && Number(pid) !== process.pid && !isProcessAlive(Number(pid))) rmSync(join(folder, name), { force: true });
  }
}

/** Size of a network's file; undefined where it is missing. */
export const networkBytes = (storeFolder: string, hash: string): number | undefined => statSync(networkFile(networksFolder(storeFolder), hash), { throwIfNoEntry: false })?.size;
