/** Reads a store to copy from. Its folder is not changed. */
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import Database from "better-sqlite3";
import type { RunDetail } from "../../shared/run.ts";
import { openConnections, storeFileName } from "./database.ts";
import { explain, StoreError } from "./errors.ts";
import { applicationId } from "./layout.ts";
import { consoleLog, type Log } from "./log.ts";
import { migrations, refuseNewer, versionOf } from "./migrations.ts";
import { PortableReader } from "./portableReader.ts";
import { RunReader } from "./runReader.ts";
import { readStudy, type StoredStudy } from "./studyRows.ts";

export class OtherStore {
  readonly path: string;
  readonly portable: PortableReader;
  readonly #db: Database.Database;
  readonly #runs: RunReader;
  /** Folder of the copy that is read instead of a store with an older layout. */
  readonly #copy: string | undefined;

  /**
   * @param scratch folder for a copy, which a store with an older layout needs
   * @throws StoreError when there is no store, or one that cannot be read
   */
  static async open(folder: string, scratch: string, log: Log = consoleLog): Promise<OtherStore> {
    const path = join(resolve(folder), storeFileName);
    if (!statSync(path, { throwIfNoEntry: false })?.isFile()) throw new StoreError(path, `There is no store in ${folder}: ${path} is missing.`);
    let db: Database.Database | undefined;
    let copy: string | undefined;
    try {
      db = new Database(path, { readonly: true, fileMustExist: true });
      if (db.pragma("application_id", { simple: true }) !== applicationId) throw new StoreError(path, `${path} is not a Hypertower store.`);
      const version = versionOf(db);
      refuseNewer(path, version, migrations.length);
      if (version === migrations.length) return new OtherStore(db, path, log);
      copy = mkdtempSync(join(scratch, "merge-"));
      await db.backup(join(copy, storeFileName));
      db.close();
      const { reader, writer } = openConnections(copy);
      writer.close();
      db = reader;
      return new OtherStore(db, path, log, copy);
    } catch (error) {
      db?.close();
      if (copy !== undefined) rmSync(copy, { recursive: true, force: true });
      throw explain(error, path);
    }
  }

  private constructor(db: Database.Database, path: string, log: Log, copy?: string) {
    this.#db = db;
    this.path = path;
    this.#copy = copy;
    this.#runs = new RunReader(db, path, log);
    this.portable = new PortableReader(db, path);
  }

  run(id: string): RunDetail | undefined {
    return this.#runs.get(id);
  }

  study(id: string): StoredStudy | undefined {
    return readStudy(this.#db, this.path, id);
  }

  close(): void {
    this.#db.close();
    if (this.#copy !== undefined) rmSync(this.#copy, { recursive: true, force: true });
  }
}

/** A store that no other process has open, and none can open until it is released. */
export class LoneStore {
  readonly #db: Database.Database;

  /** @throws StoreError when there is no store, or a process uses it */
  constructor(folder: string) {
    const path = join(resolve(folder), storeFileName);
    if (!existsSync(path)) throw new StoreError(path, `There is no store in ${folder}: ${path} is missing.`);
    let db: Database.Database | undefined;
    try {
      db = new Database(path, { fileMustExist: true, timeout: 0 });
      if (db.pragma("application_id", { simple: true }) !== applicationId) throw new StoreError(path, `${path} is not a Hypertower store.`);
      // Folds the write-ahead log in. Fails while another connection, even one that only reads, is open.
      db.pragma("journal_mode = DELETE");
      db.exec("BEGIN EXCLUSIVE");
      this.#db = db;
    } catch (error) {
      db?.close();
      const isBusy = error instanceof Database.SqliteError && error.code.startsWith("SQLITE_BUSY");
      throw isBusy ? new StoreError(path, `${path} is open in another process. Close every workbench and command that uses it, then try again.`, { cause: error }) : explain(error, path);
    }
  }

  /** Closes the store; others may open it again. */
  release(): void {
    this.#db.close();
  }
}
