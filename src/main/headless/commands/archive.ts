/** `hypertower archive RUN|STUDY… --out FILE`: writes runs and studies as one file. */
import { resolve } from "node:path";
import { UserError, type Services } from "../../services/services.ts";
import { findRun, findStudy } from "../find.ts";
import { formatOf } from "../outFile.ts";
import { exitCodes, storeDirOf, withStore, type ProgramFiles } from "../session.ts";
import { writeWhole } from "../writeWhole.ts";

export interface ArchiveOptions {
  readonly out?: string;
  readonly force?: boolean;
  readonly damagedAnyway?: boolean;
  readonly store?: string;
}

export async function archiveCommand(programFiles: ProgramFiles, wanted: readonly string[], options: ArchiveOptions): Promise<number> {
  if (options.out !== undefined) formatOf(options.out, { ".hypertower": "archive" });
  return withStore(programFiles, storeDirOf(options.store), async (services) => {
    const runs: string[] = [];
    const studies: string[] = [];
    for (const each of wanted) {
      const found = await find(services, each);
      ("run" in found ? runs : studies).push("run" in found ? found.run : found.study);
    }
    if (!options.damagedAnyway) for (const of of [...runs.map((run) => ({ run })), ...studies.map((study) => ({ study }))]) await services.requireSound(of);
    const file = services.exportArchive({ runs, studies }, (remark) => console.error(remark));
    await writeWhole(resolve(options.out ?? file.filename), file, options.force ?? false);
    return exitCodes.ok;
  });
}

/** A run, or else a study. `last` is the last run. */
async function find(services: Services, wanted: string): Promise<{ run: string } | { study: string }> {
  try {
    return { run: await findRun(services, wanted) };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const study = await findStudy(services, wanted).catch(() => undefined);
    if (study !== undefined) return { study };
    throw error.message.startsWith("there is no run") ? new UserError(`there is no run or study ${wanted}; "hypertower runs" and "hypertower studies" list them`) : error;
  }
}
