/** Writes a file completely, or not at all. */
import { createWriteStream } from "node:fs";
import { access, link, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { syncFolder } from "../../core/durable/folders.ts";
import { UserError, type ExportFile } from "../services/services.ts";

/** Writes a temporary file, then gives it its name: no partial file, and no existing file replaced without --force. */
export async function writeWhole(path: string, { pieces }: Pick<ExportFile, "pieces">, replace: boolean): Promise<void> {
  const taken = new UserError(`${path} already exists; to replace it, add --force`);
  if (!replace && (await exists(path))) throw taken;
  const part = `${path}.${process.pid}.part`;
  try {
    await pipeline(Readable.from(pieces), createWriteStream(part, { flags: "wx", flush: true }));
    if (replace) await rename(part, path);
    // Unlike rename, link fails if another process has just created the file.
    else await link(part, path);
    await syncFolder(dirname(path));
  } catch (error) {
    if (!(error instanceof Error && "code" in error)) throw error;
    if (error.code === "EEXIST") throw taken;
    throw new UserError(`${path} cannot be written: ${error.message}`, undefined, { cause: error });
  } finally {
    await rm(part, { force: true });
  }
  console.error(`wrote ${path}`);
}

const exists = (path: string) => access(path).then(() => true, () => false);
