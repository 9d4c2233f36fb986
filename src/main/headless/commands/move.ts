/** `hypertower move FOLDER`: moves the store. */
import { resolve } from "node:path";
import { formatBytes } from "../../../shared/format.ts";
import { plural } from "../../../shared/text.ts";
import { moveStoreTo } from "../../services/archives.ts";
import { exitCodes, storeDirOf } from "../session.ts";

export interface MoveOptions {
  readonly removeOld?: boolean;
  readonly store?: string;
}

export function moveCommand(folder: string, options: MoveOptions): number {
  const from = storeDirOf(options.store);
  const { folder: to, files, bytes } = moveStoreTo(from, resolve(folder), options.removeOld ?? false);
  console.log(`The store is in ${to} now: ${plural(files, "file")}, ${formatBytes(bytes)}. ${from} names it, so every program finds it there.`);
  if (!options.removeOld) console.log(`The old files are still in ${from}; they are not used any more.`);
  return exitCodes.ok;
}
