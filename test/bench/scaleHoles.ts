/**
 * Enlarges a closed store's file to any size without filling the disk: SQLite's list of unused pages is extended by pages that are holes in
 * the file. Only the pages of that list and of the pointer map (https://sqlite.org/fileformat2.html) are written, a 450th of the size. It is the
 * store of someone who has erased much; SQLite finds it sound.
 */
import { closeSync, fsyncSync, ftruncateSync, openSync, readSync, writeSync } from "node:fs";
import Database from "better-sqlite3";

/** Offset of the bytes that locks are held on; their page is never used. */
const lockByte = 2 ** 30;
const unusedPage = 2;
const entrySize = 5;

interface Layout {
  readonly pageSize: number;
  /** Number of the page that maps a page. */
  mapOf(page: number): number;
  isUsable(page: number): boolean;
}

function layoutOf(pageSize: number): Layout {
  const stride = Math.floor(pageSize / entrySize) + 1;
  const lockPage = lockByte / pageSize + 1;
  const mapOf = (page: number) => {
    const map = Math.floor((page - 2) / stride) * stride + 2;
    return map === lockPage ? map + 1 : map;
  };
  return { pageSize, mapOf, isUsable: (page) => page !== lockPage && mapOf(page) !== page };
}

/** @param bytes of the file afterwards, at least */
export function enlargeWithHoles(path: string, bytes: number): void {
  const db = new Database(path);
  const [pageSize, pages, mode, isLogged] = ["page_size", "page_count", "auto_vacuum", "wal_checkpoint(TRUNCATE)"].map((name) => db.pragma(name, { simple: true })) as [number, number, number, number];
  db.close();
  if (mode !== 2 || isLogged !== 0) throw new Error(`${path} must be closed, and able to give space back`);
  const file = openSync(path, "r+");
  try {
    const header = Buffer.alloc(100);
    readSync(file, header, 0, 100, 0);
    const end = Math.ceil(bytes / pageSize);
    const { first, count } = writeUnusedPages(file, layoutOf(pageSize), pages, end, header.readUInt32BE(32));
    header.writeUInt32BE(end, 28);
    header.writeUInt32BE(first, 32);
    header.writeUInt32BE(header.readUInt32BE(36) + count, 36);
    writeSync(file, header, 0, 100, 0);
    ftruncateSync(file, end * pageSize);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Returns the first page of the list, and how many pages were added to it. */
function writeUnusedPages(file: number, { pageSize, mapOf, isUsable }: Layout, pages: number, end: number, listed: number): { first: number; count: number } {
  const write = (page: number, content: Buffer) => writeSync(file, content, 0, pageSize, (page - 1) * pageSize);
  const read = (page: number, content: Buffer) => content.fill(0) && readSync(file, content, 0, pageSize, (page - 1) * pageSize);
  const leavesPerPage = pageSize / 4 - 8;
  const map = Buffer.alloc(pageSize);
  let mapped = mapOf(pages + 1);
  read(mapped, map);
  let [first, count] = [listed, 0];
  let leaves: number[] = [];
  const finishList = () => {
    const page = leaves.shift();
    if (page === undefined) return;
    const content = Buffer.alloc(pageSize);
    content.writeUInt32BE(first, 0);
    content.writeUInt32BE(leaves.length, 4);
    leaves.forEach((leaf, i) => content.writeUInt32BE(leaf, 8 + 4 * i));
    write(page, content);
    first = page;
    leaves = [];
  };
  for (let page = pages + 1; page <= end; page++) {
    if (!isUsable(page)) continue;
    if (mapOf(page) !== mapped) {
      write(mapped, map);
      map.fill(0);
      mapped = mapOf(page);
    }
    map[entrySize * (page - mapped - 1)] = unusedPage;
    leaves.push(page);
    count++;
    if (leaves.length > leavesPerPage) finishList();
  }
  finishList();
  write(mapped, map);
  return { first, count };
}
