/** `hypertower export RUN --format F`: writes what a run learned to a file or standard output. */
import { createWriteStream } from "node:fs";
import { access, link, rename, rm } from "node:fs/promises";
import { resolve } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ExportFormatName } from "../../../shared/exports.ts";
import type { KeptName } from "../../../shared/kept.ts";
import { UserError, type ExportFile } from "../../services/services.ts";
import { findRun } from "../find.ts";
import { exitCodes, openExisting, storeDirOf, type ProgramFiles } from "../session.ts";

export interface ExportOptions {
  readonly format: ExportFormatName | "npz";
  readonly checkpoint: KeptName;
  readonly out?: string;
  readonly force?: boolean;
  readonly store?: string;
}

export async function exportCommand(programFiles: ProgramFiles, run: string, options: ExportOptions): Promise<number> {
  const services = await openExisting(programFiles, storeDirOf(options.store));
  try {
    const id = await findRun(services, run);
    const file = options.format === "npz" ? await services.exportWeights(id, options.checkpoint) : services.exportRun(id, options.format);
    if (options.out === undefined) await pipeline(Readable.from(file.pieces), process.stdout, { end: false });
    else await writeWhole(resolve(options.out), file, options.force ?? false);
    return exitCodes.ok;
  } finally {
    await services.close();
  }
}

/** Writes a temporary file, then gives it its name: no partial file, and no existing file replaced without --force. */
async function writeWhole(path: string, { pieces }: ExportFile, replace: boolean): Promise<void> {
  const taken = new UserError(`${path} already exists; to replace it, add --force`);
  if (!replace && (await exists(path))) throw taken;
  const part = `${path}.${process.pid}.part`;
  try {
    await pipeline(Readable.from(pieces), createWriteStream(part, { flags: "wx", flush: true }));
    if (replace) await rename(part, path);
    // Unlike rename, link fails if another process has just created the file.
    else await link(part, path);
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
