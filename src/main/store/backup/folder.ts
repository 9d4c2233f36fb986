/**
 * Backups of a store, in `backups` beside it. `NAME.sqlite` is a copy of the database without a write-ahead log, `NAME.json` says what
 * it holds, `NAME.checkpoints` has hard links to the checkpoints of its runs, and `NAME.networks` to imported networks. Saved weights stay in their own folder alone: no later
 * run replaces them.
 */
import { readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import Database from "better-sqlite3";
import { z } from "zod";
import { createFolderSync } from "../../../core/durable/folders.ts";
import { backupName, backupReasons, backupSettings, type BackupInfo, type BackupReason, type BackupSettings } from "../../../shared/backups.ts";
import { replaceFile } from "../../../core/durable/files.ts";

export const backupFolderOf = (storeFile: string) => join(dirname(storeFile), "backups");

const record = z.object({
  at: z.number(),
  reason: z.enum(backupReasons),
  runs: z.number(),
  steps: z.number(),
  layout: z.number(),
  /** State of the store that was copied; equal states need no second backup. */
  state: z.string(),
});
export type BackupRecord = z.infer<typeof record>;

export class BackupFolder {
  readonly storeFile: string;
  readonly path: string;

  constructor(storeFile: string) {
    this.storeFile = storeFile;
    this.path = backupFolderOf(storeFile);
  }

  prepare(): void {
    createFolderSync(this.path, 0o700);
  }

  /** A name that no backup has. */
  newName(reason: BackupReason, at: number): string {
    const time = new Date(at).toISOString().replace(/[-:.]/g, "");
    for (let n = 0; ; n++) {
      const name = `${time}-${reason}${n === 0 ? "" : `-${n}`}.sqlite`;
      if (!statSync(this.fileOf(name), { throwIfNoEntry: false })) return name;
    }
  }

  fileOf(name: string): string {
    return join(this.path, name);
  }

  recordOf(name: string): string {
    return join(this.path, name.replace(/\.sqlite$/, ".json"));
  }

  checkpointsOf(name: string): string {
    return join(this.path, name.replace(/\.sqlite$/, ".checkpoints"));
  }

  networksOf(name: string): string {
    return join(this.path, name.replace(/\.sqlite$/, ".networks"));
  }

  /** Newest first. */
  list(): BackupInfo[] {
    return this.#names("").flatMap((name) => this.#info(name) ?? []).sort((a, b) => b.at - a.at);
  }

  latest(): (BackupInfo & { readonly state: string | null }) | undefined {
    const [latest] = this.list();
    return latest && { ...latest, state: this.#read(latest.name)?.state ?? null };
  }

  /** Removes a backup. @throws a file system error */
  remove(name: string): void {
    rmSync(this.fileOf(name), { force: true });
    rmSync(this.recordOf(name), { force: true });
    rmSync(this.checkpointsOf(name), { recursive: true, force: true });
    rmSync(this.networksOf(name), { recursive: true, force: true });
  }

  /** Removes what backups that were interrupted have left. Call while holding the lock of backups. */
  removePending(): void {
    for (const name of readdirSync(this.path)) if (/\.pending(-journal|-wal|-shm)?$/.test(name)) rmSync(join(this.path, name), { recursive: true, force: true });
  }

  settings(): BackupSettings {
    try {
      return backupSettings.parse(JSON.parse(readFileSync(this.#settingsFile(), "utf8")));
    } catch {
      return backupSettings.parse({});
    }
  }

  saveSettings(settings: BackupSettings): void {
    this.prepare();
    replaceFile(this.#settingsFile(), `${JSON.stringify(settings, undefined, 2)}\n`);
  }

  #settingsFile(): string {
    return join(this.path, "settings.json");
  }

  #names(ending: string): string[] {
    try {
      return readdirSync(this.path).filter((name) => backupName.safeParse(name.slice(0, name.length - ending.length)).success && name.endsWith(ending));
    } catch {
      return [];
    }
  }

  #info(name: string): BackupInfo | undefined {
    const stat = statSync(this.fileOf(name), { throwIfNoEntry: false });
    if (!stat?.isFile()) return undefined;
    const known = this.#read(name) ?? recordFromFile(this.fileOf(name));
    const checkpoints = this.checkpoints(name).map((file) => statSync(join(this.checkpointsOf(name), file)));
    const networks = this.networks(name).map((file) => statSync(join(this.networksOf(name), file)));
    return {
      name,
      at: known?.at ?? stat.mtimeMs,
      reason: known?.reason ?? backupReasons.find((reason) => name.includes(`-${reason}`)) ?? "manual",
      bytes: stat.size + [...checkpoints, ...networks].reduce((sum, { size, nlink }) => sum + (nlink > 1 ? 0 : size), 0),
      runs: known?.runs ?? null,
      steps: known?.steps ?? null,
      checkpoints: checkpoints.length,
    };
  }

  /** Names of the checkpoints that a backup has. */
  checkpoints(name: string): string[] {
    try {
      return readdirSync(this.checkpointsOf(name)).filter((file) => file.endsWith(".checkpoint"));
    } catch {
      return [];
    }
  }

  /** Names of the network files that a backup has. */
  networks(name: string): string[] {
    try {
      return readdirSync(this.networksOf(name)).filter((file) => file.endsWith(".network"));
    } catch {
      return [];
    }
  }

  #read(name: string): BackupRecord | undefined {
    try {
      return record.parse(JSON.parse(readFileSync(this.recordOf(name), "utf8")));
    } catch {
      return undefined;
    }
  }
}

/** What a backup without a record holds, such as one that was copied from elsewhere; undefined when it cannot be read. */
function recordFromFile(file: string): { readonly at: undefined; readonly reason: undefined; readonly runs: number; readonly steps: number } | undefined {
  let db: Database.Database | undefined;
  try {
    db = new Database(file, { readonly: true, fileMustExist: true });
    return { at: undefined, reason: undefined, ...contentOf(db) };
  } catch {
    return undefined;
  } finally {
    db?.close();
  }
}

/** Runs and logged steps of a store of any layout. */
export function contentOf(db: Database.Database): { runs: number; steps: number } {
  return db.prepare<[], { runs: number; steps: number }>("SELECT (SELECT count(*) FROM runs) AS runs, (SELECT total(count) FROM metrics WHERE position = 0) AS steps").get()!;
}
