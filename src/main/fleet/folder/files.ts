/** Reads and writes the files of a shared folder. A failure says whether it may pass. */
import { randomBytes } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { z } from "zod";
import { syncFolder } from "../../../core/durable/folders.ts";
import { messageOf } from "../../../shared/errors.ts";
import { FleetError } from "../fleet.ts";
import { partial } from "./layout.ts";

export const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException | null)?.code;

/** Errors that do not pass by themselves. */
const lasting = new Set(["EACCES", "EPERM", "EROFS", "ENAMETOOLONG"]);

/** Message for a file system error. */
export function folderError(doing: string, error: unknown): FleetError {
  if (error instanceof FleetError) return error;
  const code = codeOf(error);
  const why =
    code === "ENOSPC" || code === "EDQUOT" ? "its disk, or your quota there, is full; free space there"
    : code === "ESTALE" ? "its file server has restarted"
    : messageOf(error);
  return new FleetError(`${doing}: ${why}`, { retry: code === undefined || !lasting.has(code), cause: error });
}

/** @throws FleetError */
export async function attempted<T>(doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw folderError(doing, error);
  }
}

/** Writes a file whole and durably, or not at all; replaces an earlier one. @throws a file system error */
export async function writeWhole(path: string, contents: Uint8Array | string): Promise<void> {
  const part = join(dirname(path), `${partial}${randomBytes(6).toString("hex")}-${basename(path)}`.slice(0, 200));
  try {
    const handle = await open(part, "wx");
    try {
      await handle.writeFile(contents);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true }).catch(() => undefined);
    throw error;
  }
  await syncFolder(dirname(path));
}

/** Names in a folder without files that are being written; none where it does not exist. @throws a file system error */
export async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => !name.startsWith("."));
  } catch (error) {
    if (codeOf(error) === "ENOENT") return [];
    throw error;
  }
}

/** Contents of a JSON file; undefined where there is none, or where it is not what it should be. @throws a file system error */
export async function readJson<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

export async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return false;
    throw error;
  }
}

/** Writes a sign of life: by writing, so that its time is that of the file server. @throws a file system error */
export async function touch(path: string, contents = "\n"): Promise<void> {
  const handle = await open(path, "w");
  try {
    await handle.writeFile(contents);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Time of a file's last change in milliseconds by the file server's clock; null where there is none. @throws a file system error */
export async function changedAt(path: string): Promise<number | null> {
  try {
    return (await stat(path)).mtimeMs;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw error;
  }
}

/** The file server's time. @param folder in which a file may be written @throws a file system error */
export async function timeAt(folder: string): Promise<number> {
  const path = join(folder, `${partial}clock-${process.pid}-${randomBytes(3).toString("hex")}`);
  try {
    await touch(path);
    return (await stat(path)).mtimeMs;
  } finally {
    await rm(path, { force: true }).catch(() => undefined);
  }
}

/** Creates a folder that may exist. @throws a file system error */
export async function ensureFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true });
}
