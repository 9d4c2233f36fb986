/** A copy of a damaged database, repaired enough for SQLite to read what is left. The original is only read. */
import { closeSync, constants, copyFileSync, existsSync, fstatSync, ftruncateSync, mkdirSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { storeFileName } from "../database.ts";
import { applicationId } from "../layout.ts";
import { migrations } from "../migrations.ts";
import { foldLog } from "../verify/writeAheadLog.ts";

/** Page size of every store. */
const pageSize = 4_096;

export interface WorkingCopy {
  readonly db: Database.Database;
  /** What was repaired, as messages to the user. */
  readonly repairs: readonly string[];
  /** Whether SQLite ignores part of the log. */
  readonly hasDamagedLog: boolean;
  close(): void;
}

/** @param aside folder for the copy, which is removed when it is closed @param past whether to read the log after its first damaged page @throws when the database cannot be copied, or nothing of it can be read */
export function workingCopy(folder: string, aside: string, past = true): WorkingCopy {
  const path = join(folder, storeFileName);
  const copy = join(aside, storeFileName);
  const repairs: string[] = [];
  mkdirSync(aside, { recursive: true });
  try {
    if (existsSync(path)) copyFileSync(path, copy, constants.COPYFILE_FICLONE);
    else closeSync(openSync(copy, "w"));
    const ignored = foldLog(copy, `${path}-wal`, pageSize, past);
    if (ignored > 0) repairs.push(`${ignored} pages of the log ${path}-wal that SQLite ignores were read all the same`);
    const db = openMended(copy, mendHeader(copy, repairs), repairs);
    return {
      db,
      repairs,
      hasDamagedLog: ignored > 0,
      close() {
        db.close();
        rmSync(aside, { recursive: true, force: true });
      },
    };
  } catch (error) {
    rmSync(aside, { recursive: true, force: true });
    throw error;
  }
}

/** Restores the fields of the header that are the same in every store. Returns the layout version, and whether the file has pages of incremental vacuum. */
function mendHeader(copy: string, repairs: string[]): { version: number; vacuums: boolean } {
  const file = openSync(copy, "r+");
  try {
    const header = Buffer.alloc(100);
    readSync(file, header, 0, 100, 0);
    const before = Buffer.from(header);
    header.write("SQLite format 3\0", 0, "latin1");
    header.writeUInt16BE(pageSize, 16);
    // 18, 19: without a write-ahead log, which was folded in.
    header.set([1, 1, 0, 64, 32, 32], 18);
    header.writeUInt32BE(4, 44);
    header.writeUInt32BE(1, 56);
    header.writeUInt32BE(applicationId, 68);
    const found = header.readUInt32BE(60);
    const vacuums = before.readUInt32BE(52) !== 0 || changedMagic(before);
    const version = found >= 1 && found <= migrations.length ? found : migrations.length;
    header.writeUInt32BE(version, 60);
    const { size } = fstatSync(file);
    const pages = Math.max(1, Math.ceil(size / pageSize));
    const sizeWas = header.readUInt32BE(28);
    header.writeUInt32BE(pages, 28);
    header.writeUInt32BE(header.readUInt32BE(24), 92);
    // Neither the free list nor automatic vacuum is needed to read.
    header.fill(0, 32, 40);
    header.fill(0, 52, 56);
    header.fill(0, 64, 68);
    header.fill(0, 72, 92);
    if (size % pageSize !== 0) ftruncateSync(file, pages * pageSize);
    writeSync(file, header, 0, 100, 0);
    const constant = [[0, 18], [20, 24], [44, 48], [56, 64], [68, 72]] as const;
    const changed = constant.some(([from, to]) => !header.subarray(from, to).equals(before.subarray(from, to)));
    if (changed) repairs.push("the header of the database was restored");
    if (sizeWas !== pages || size % pageSize !== 0) repairs.push(`the database has ${pages} pages; its header says ${sizeWas}`);
    return { version, vacuums };
  } finally {
    closeSync(file);
  }
}

const changedMagic = (header: Buffer) => header.toString("latin1", 0, 16) !== "SQLite format 3\0";

interface SchemaRow {
  readonly rowid: number;
  readonly type: string;
  readonly name: string;
  readonly tbl_name: string;
  readonly rootpage: number;
  readonly sql: string | null;
}

const schemaRows = "SELECT rowid, type, name, tbl_name, rootpage, sql FROM sqlite_schema";

/** A new store of a layout version: what the schema should be. @param vacuums whether its file has the pages of incremental vacuum, as those of older versions have not */
function freshStore(version: number, vacuums = false): Database.Database {
  const db = new Database(":memory:");
  if (vacuums) db.pragma("auto_vacuum = INCREMENTAL");
  for (const { sql } of migrations.slice(0, version)) db.exec(sql);
  return db;
}

function openMended(copy: string, { version, vacuums }: { version: number; vacuums: boolean }, repairs: string[]): Database.Database {
  const fresh = freshStore(version, vacuums);
  try {
    const expected = fresh.prepare<[], SchemaRow>(schemaRows).all();
    try {
      mendSchema(copy, expected, repairs);
    } catch {
      transplantSchema(copy, fresh);
      repairs.push("the list of tables was restored from that of a new store");
      mendSchema(copy, expected, repairs);
    }
  } finally {
    fresh.close();
  }
  const db = new Database(copy);
  try {
    completeLayout(db);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Restores descriptions of tables and indexes that differ from those of a new store. @throws where the schema cannot be read */
function mendSchema(copy: string, expected: readonly SchemaRow[], repairs: string[]): void {
  const db = new Database(copy);
  try {
    db.unsafeMode(true);
    db.pragma("writable_schema = ON");
    const rows = new Map(db.prepare<[], SchemaRow>(schemaRows).all().map((row) => [row.rowid, row]));
    if (rows.size < expected.length) throw new Error("descriptions of tables are missing");
    const roots = new Set([...rows.values()].map(({ rootpage }) => rootpage));
    const put = db.prepare("UPDATE sqlite_schema SET type = ?, name = ?, tbl_name = ?, rootpage = ?, sql = ? WHERE rowid = ?");
    let restored = 0;
    for (const { rowid, type, name, tbl_name: table, rootpage, sql } of expected) {
      const found = rows.get(rowid);
      if (!found) throw new Error(`the description of ${name} is missing`);
      const isRoot = typeof found.rootpage === "number" && (type === "trigger" || type === "view" ? found.rootpage === 0 : found.rootpage > 1 && hasRoot(copy, found.rootpage, type, sql));
      if (isRoot && found.type === type && found.name === name && found.tbl_name === table && found.sql === sql) continue;
      put.run(type, name, table, isRoot ? found.rootpage : roots.has(rootpage) && rootpage !== 0 ? 0 : rootpage, sql, rowid);
      restored++;
    }
    if (restored > 0) repairs.push(`${restored} descriptions of tables were restored`);
  } finally {
    db.close();
  }
}

/** Whether a page begins a tree of the right kind. */
function hasRoot(copy: string, page: number, type: string, sql: string | null): boolean {
  const file = openSync(copy, "r");
  try {
    const kind = Buffer.alloc(1);
    if (readSync(file, kind, 0, 1, (page - 1) * pageSize) === 0) return false;
    const isIndex = type === "index" || /WITHOUT ROWID/.test(sql ?? "");
    // A damaged root must not make the table disappear: its neighbors are checked row by row.
    return (isIndex ? [2, 10] : [5, 13]).includes(kind[0]!) || ![2, 5, 10, 13].includes(kind[0]!);
  } finally {
    closeSync(file);
  }
}

/** Replaces the pages of the schema by those of a new store, whose tables begin at the same pages if this version created the store. */
function transplantSchema(copy: string, fresh: Database.Database): void {
  const image = fresh.serialize();
  const file = openSync(copy, "r+");
  try {
    const write = (page: number) => {
      const from = page === 1 ? 100 : 0;
      const at = (page - 1) * pageSize;
      writeSync(file, image, at + from, pageSize - from, at + from);
    };
    for (const page of schemaPages(image)) write(page);
  } finally {
    closeSync(file);
  }
}

/** Pages of the schema's tree, with the overflow pages of long descriptions. */
function schemaPages(image: Buffer): number[] {
  const pages: number[] = [];
  const visit = (page: number): void => {
    pages.push(page);
    const at = (page - 1) * pageSize;
    const header = at + (page === 1 ? 100 : 0);
    const cells = image.readUInt16BE(header + 3);
    const isInterior = image[header] === 5;
    for (let cell = 0; cell < cells; cell++) {
      const pointer = at + image.readUInt16BE(header + (isInterior ? 12 : 8) + 2 * cell);
      if (isInterior) visit(image.readUInt32BE(pointer));
      else overflowOf(image, pointer).forEach((overflow) => pages.push(overflow));
    }
    if (isInterior) visit(image.readUInt32BE(header + 8));
  };
  visit(1);
  return pages;
}

/** Overflow pages of a cell of a table's leaf. */
function overflowOf(image: Buffer, cell: number): number[] {
  const [length, afterLength] = varint(image, cell);
  const [, start] = varint(image, afterLength);
  const most = pageSize - 35;
  if (length <= most) return [];
  const least = Math.floor(((pageSize - 12) * 32) / 255) - 23;
  const surplus = least + ((length - least) % (pageSize - 4));
  const local = surplus <= most ? surplus : least;
  const pages: number[] = [];
  for (let next = image.readUInt32BE(start + local); next !== 0; next = image.readUInt32BE((next - 1) * pageSize)) pages.push(next);
  return pages;
}

function varint(bytes: Buffer, at: number): [value: number, next: number] {
  let value = 0;
  for (let i = 0; i < 8; i++) {
    const byte = bytes[at + i] as number;
    value = value * 128 + (byte & 127);
    if (byte < 128) return [value, at + i + 1];
  }
  return [value * 256 + (bytes[at + 8] as number), at + 9];
}

/** Adds the tables and columns of later layouts, empty, so that one set of queries reads every version. */
function completeLayout(db: Database.Database): void {
  const newest = freshStore(migrations.length);
  try {
    for (const { name, sql } of newest.prepare<[], { name: string; sql: string }>("SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").all()) {
      const columns = (from: Database.Database) => from.prepare<[string], string>("SELECT name FROM pragma_table_info(?)").pluck().all(name);
      const found = columns(db);
      if (found.length === 0) db.exec(sql);
      else for (const column of columns(newest)) if (!found.includes(column)) db.exec(`ALTER TABLE ${name} ADD COLUMN ${column}${/ STRICT/.test(sql) ? " ANY" : ""}`);
    }
  } finally {
    newest.close();
  }
}
