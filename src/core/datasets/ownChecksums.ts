/** Checksums of the files of an own dataset, in a file beside them. Datasets of earlier versions have none. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { messageOf } from "../../shared/errors.ts";
import { chunksOf } from "./chunks.ts";

export const checksumsName = "checksums.json";

/** SHA-256 by file name, in hexadecimal. */
const checksums = z.strictObject({ "features.bin": z.string(), "labels.bin": z.string(), "dataset.json": z.string() });
type Checksums = z.infer<typeof checksums>;

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

export function checksumsOf(files: Readonly<Record<keyof Checksums, Uint8Array>>): Checksums {
  return { "features.bin": sha256(files["features.bin"]), "labels.bin": sha256(files["labels.bin"]), "dataset.json": sha256(files["dataset.json"]) };
}

/** Null for a dataset of an earlier version. @throws when they cannot be read */
async function readChecksums(folder: string): Promise<Checksums | null> {
  try {
    return checksums.parse(JSON.parse(await readFile(join(folder, checksumsName), "utf8")));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

/** @throws Error naming a file that is not what was imported */
export async function requireSame(folder: string, files: Readonly<Partial<Record<keyof Checksums, Uint8Array>>>): Promise<void> {
  // Damaged checksums say nothing about the data: a check of the store reports them.
  const wanted = await readChecksums(folder).catch(() => null);
  for (const [name, bytes] of Object.entries(files)) {
    if (wanted && wanted[name as keyof Checksums] !== sha256(bytes)) throw new Error(`${join(folder, name)} is damaged: it does not match its checksum. Import the dataset again`);
  }
}

/** Compares every file with its checksum. */
export async function damagedFiles(folder: string): Promise<{ readonly path: string; readonly problem: string }[]> {
  let wanted: Checksums | null;
  try {
    wanted = await readChecksums(folder);
  } catch (error) {
    return [{ path: join(folder, checksumsName), problem: `it cannot be read: ${messageOf(error)}` }];
  }
  const found: { path: string; problem: string }[] = [];
  for (const [name, expected] of Object.entries(wanted ?? {})) {
    const path = join(folder, name);
    try {
      const hash = createHash("sha256");
      for await (const piece of chunksOf(path)) hash.update(piece);
      if (hash.digest("hex") !== expected) found.push({ path, problem: "it does not match its checksum" });
    } catch (error) {
      found.push({ path, problem: messageOf(error) });
    }
  }
  return found;
}
