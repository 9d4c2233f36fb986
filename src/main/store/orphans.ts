/** Files that belong to a store whose database is missing or empty. */
import { readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { formatBytes } from "../../shared/format.ts";
import { listed, plural } from "../../shared/text.ts";
import { StoreError } from "./errors.ts";
import { readMark } from "./mark.ts";

export interface Orphans {
  /** Bytes of the write-ahead log. */
  readonly log: number;
  readonly checkpoints: number;
  readonly weights: number;
  readonly networks: number;
  readonly backups: number;
  /** Runs and steps that the store held, by its mark. */
  readonly runs: number;
  readonly steps: number;
}

export const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

function filesIn(folder: string, ending: string): number {
  try {
    return readdirSync(folder).filter((name) => name.endsWith(ending)).length;
  } catch {
    return 0;
  }
}

export function findOrphans(storeFile: string): Orphans {
  const folder = dirname(storeFile);
  const mark = readMark(storeFile);
  return {
    log: sizeOf(`${storeFile}-wal`),
    checkpoints: filesIn(join(folder, "checkpoints"), ".checkpoint"),
    weights: filesIn(join(folder, "weights"), ".weights"),
    networks: filesIn(join(folder, "networks"), ".network"),
    backups: filesIn(join(folder, "backups"), ".sqlite"),
    runs: mark?.runs ?? 0,
    steps: mark?.steps ?? 0,
  };
}

/** What lies there, in a sentence; empty for nothing. */
export function orphansInWords({ log, checkpoints, weights, networks, backups, runs, steps }: Orphans): string {
  return listed([
    ...(log > 0 ? [`a write-ahead log of ${formatBytes(log)}`] : []),
    ...(checkpoints > 0 ? [plural(checkpoints, "checkpoint")] : []),
    ...(weights > 0 ? [plural(weights, "file of weights", "files of weights")] : []),
    ...(networks > 0 ? [plural(networks, "imported network")] : []),
    ...(backups > 0 ? [plural(backups, "backup")] : []),
    ...(runs > 0 ? [`the record of a store of ${plural(runs, "run")} and ${plural(steps, "step")}`] : []),
  ]);
}

/**
 * Refuses to create a store where files of one lie: SQLite would delete the write-ahead log, and the runs would seem never to have been.
 * @param ignoreLog the database could be read, so the log beside it is not an orphan
 * @throws StoreError
 */
export function refuseOrphans(storeFile: string, state: "missing" | "empty", ignoreLog = false): void {
  const orphans = findOrphans(storeFile);
  const words = orphansInWords(ignoreLog ? { ...orphans, log: 0 } : orphans);
  if (words === "") return;
  throw new StoreError(
    storeFile,
    `${storeFile} is ${state}, but beside it lies what belongs to a store: ${words}. Nothing was changed. Put the database file back, ` +
      `${orphans.backups > 0 ? 'restore a backup with "hypertower doctor --restore latest", ' : ""}let "hypertower doctor" say what can be done, or choose another folder.`,
  );
}
