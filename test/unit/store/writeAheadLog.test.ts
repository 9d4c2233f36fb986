/** SQLite's write-ahead log, read without SQLite. */
import { copyFileSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect, it } from "vitest";
import { foldLog, inspectLog } from "../../../src/main/store/verify/writeAheadLog.ts";
import { freshFolder } from "../../support/storeFixtures.ts";

const frame = 24 + 4_096;

/** A database whose last commits are in its log alone. */
function logged(): { database: string; log: string; sound: Buffer } {
  const folder = freshFolder();
  const made = join(folder, "made");
  const db = new Database(made);
  db.pragma("journal_mode = WAL");
  db.exec("CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT)");
  for (let i = 0; i < 20; i++) db.prepare("INSERT INTO t (text) VALUES (?)").run("x".repeat(700 + i));
  const [database, log] = [join(folder, "copy"), join(folder, "copy-wal")];
  copyFileSync(made, database);
  copyFileSync(`${made}-wal`, log);
  db.close();
  return { database, log, sound: readFileSync(log) };
}

function folded(database: string, log: string): number {
  foldLog(database, log, 4_096);
  const bytes = readFileSync(database);
  // Without a log.
  bytes.set([1, 1], 18);
  writeFileSync(database, bytes);
  truncateSync(log, 0);
  const db = new Database(database);
  try {
    expect(db.pragma("integrity_check", { simple: true })).toBe("ok");
    return db.prepare<[], number>("SELECT count(*) FROM t").pluck().get()!;
  } finally {
    db.close();
  }
}

it("a sound log is read to its end", () => {
  const { database, log, sound } = logged();
  const frames = (sound.length - 32) / frame;
  expect(inspectLog(log, 4_096)).toEqual({ frames, readable: frames, ignored: 0, torn: false });
  expect(inspectLog(join(database, "..", "none"), 4_096)).toBeUndefined();
  expect(folded(database, log)).toBe(20);
});

it.each([
  ["in the header", 9],
  ["in a salt of the header", 17],
  ["in the number of a page", 32 + 2 * frame + 3],
  ["in a salt", 32 + 3 * frame + 9],
  ["in a checksum", 32 + 3 * frame + 18],
  ["at the beginning of a page", 32 + 5 * frame + 24],
  ["at the end of a page", 32 + 6 * frame - 1],
  ["in the highest byte of a word", 32 + 5 * frame + 24 + 4_003],
])("a byte changed %s makes SQLite ignore commits, is noticed, and is mended", (_, at) => {
  const { database, log, sound } = logged();
  const bytes = Buffer.from(sound);
  bytes[at] = bytes[at]! ^ 0x41;
  writeFileSync(log, bytes);
  expect(inspectLog(log, 4_096)!.ignored).toBeGreaterThan(0);
  expect(folded(database, log)).toBe(20);
});

it("a log that was cut within a page is noticed, and read up to its last whole commit", () => {
  const { database, log, sound } = logged();
  truncateSync(log, sound.length - 1_000);
  expect(inspectLog(log, 4_096)).toMatchObject({ ignored: 0, torn: true });
  expect(folded(database, log)).toBeGreaterThan(10);
});
