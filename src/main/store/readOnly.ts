/**
 * Opens a store that lies on a read-only file system, or where this account may not write. SQLite can read it there only
 * while another process has it open, for it needs the log of recent writes (-wal) and its index (-shm). Otherwise a copy in
 * the temporary folder is read.
 */
import { accessSync, chmodSync, constants, copyFileSync, mkdtempSync, rmSync, statfsSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import Database from "better-sqlite3";
import { formatBytes } from "../../shared/format.ts";
import { StoreError } from "./errors.ts";

export interface ReadOnlyConnections {
  readonly reader: Database.Database;
  /** Refuses every write. */
  readonly writer: Database.Database;
}

export interface ReadOnlyChecks {
  /** @throws StoreError when the database is no store that this version can read. Returns whether it is of an earlier version. */
  readonly isEarlier: (db: Database.Database) => boolean;
  readonly migrate: (db: Database.Database) => void;
}

/** Why an existing store can only be read; null when it can be written or is not there. */
export function whyReadOnly(file: string): string | null {
  try {
    if (!statSync(file).isFile()) return null;
  } catch {
    return null;
  }
  for (const path of [dirname(file), file]) {
    try {
      accessSync(path, constants.W_OK);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EROFS") return `${path} lies on a read-only file system`;
      if (code === "EACCES" || code === "EPERM") return `this account may not write to ${path}`;
    }
  }
  return null;
}

/** @throws StoreError or SqliteError */
export function openReadOnly(file: string, checks: ReadOnlyChecks): ReadOnlyConnections {
  const opened: Database.Database[] = [];
  const open = (path: string, options?: Database.Options) => {
    const db = connect(path, options);
    opened.push(db);
    return db;
  };
  try {
    const source = attempt(() => open(file));
    const earlier = source !== undefined && checks.isEarlier(source);
    if (source && !earlier) return { reader: source, writer: open(file) };
    const path = source ? join(folderForCopy(file), basename(file)) : copyOf(file);
    source?.prepare("VACUUM INTO ?").run(path);
    const writer = open(path, {});
    if (checks.isEarlier(writer)) checks.migrate(writer);
    writer.pragma("query_only = ON");
    return { reader: open(path), writer };
  } catch (error) {
    for (const db of opened) db.close();
    throw error;
  }
}

/** Opens a database only for reading, or a copy of it where SQLite cannot read it in its place. @throws SqliteError or StoreError */
export function openToRead(file: string): Database.Database {
  if (whyReadOnly(file) === null) return new Database(file, { readonly: true, fileMustExist: true });
  return attempt(() => connect(file)) ?? connect(copyOf(file));
}

function connect(path: string, options: Database.Options = { readonly: true, fileMustExist: true }): Database.Database {
  const db = new Database(path, options);
  try {
    // Opening reads nothing yet.
    db.pragma("schema_version");
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Undefined where SQLite cannot read the log of recent writes without writing its index. */
function attempt<T>(open: () => T): T | undefined {
  try {
    return open();
  } catch (error) {
    if (error instanceof Database.SqliteError && /^SQLITE_(CANTOPEN|READONLY)/.test(error.code)) return undefined;
    throw error;
  }
}

const sizeOf = (path: string) => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

const hasLog = (file: string): boolean => sizeOf(`${file}-wal`) > 0;

/** Copies made by this process, by file, size and time. */
const copies = new Map<string, string>();

/** Path of a copy, which is removed when the process ends. @throws StoreError when there is too little space */
function copyOf(file: string): string {
  const parts = hasLog(file) ? ["", "-wal"] : [""];
  const key = JSON.stringify(parts.map((part) => [file, part, sizeOf(`${file}${part}`), statSync(`${file}${part}`).mtimeMs]));
  const known = copies.get(key);
  if (known !== undefined) return known;
  const path = join(folderForCopy(file), basename(file));
  for (const part of parts) {
    copyFileSync(`${file}${part}`, `${path}${part}`, constants.COPYFILE_FICLONE);
    // The permissions are copied too.
    chmodSync(`${path}${part}`, 0o600);
  }
  copies.set(key, path);
  return path;
}

/** Creates a folder that is removed when the process ends. @throws StoreError when there is too little space for a copy */
function folderForCopy(file: string): string {
  const size = sizeOf(file) + sizeOf(`${file}-wal`);
  const { bavail, bsize } = statfsSync(tmpdir());
  // Half as much again: the copy's own log.
  if (size * 1.5 > bavail * bsize) {
    throw new StoreError(file, `${file} cannot be read where it is, and ${tmpdir()} has no space for a copy of ${formatBytes(size)}. Copy its folder to where you may write, and open that.`);
  }
  const folder = mkdtempSync(join(tmpdir(), "hypertower-reading-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
