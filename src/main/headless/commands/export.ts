/** `hypertower export RUN --format F`: writes what a run learned to a file or standard output. */
import { resolve } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ExportFormatName } from "../../../shared/exports.ts";
import type { KeptName } from "../../../shared/kept.ts";
import { findRun } from "../find.ts";
import { exitCodes, openExisting, storeDirOf, type ProgramFiles } from "../session.ts";
import { writeWhole } from "../writeWhole.ts";

export interface ExportOptions {
  readonly format: ExportFormatName | "npz";
  readonly checkpoint: KeptName;
  readonly out?: string;
  readonly force?: boolean;
  readonly damagedAnyway?: boolean;
  readonly store?: string;
}

export async function exportCommand(programFiles: ProgramFiles, run: string, options: ExportOptions): Promise<number> {
  const services = await openExisting(programFiles, storeDirOf(options.store));
  try {
    const id = await findRun(services, run);
    if (!options.damagedAnyway && options.format !== "npz") await services.requireSound({ run: id });
    const file = options.format === "npz" ? await services.exportWeights(id, options.checkpoint) : services.exportRun(id, options.format);
    if (options.out === undefined) await pipeline(Readable.from(file.pieces), process.stdout, { end: false });
    else await writeWhole(resolve(options.out), file, options.force ?? false);
    return exitCodes.ok;
  } finally {
    await services.close();
  }
}
