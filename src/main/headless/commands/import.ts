/** `hypertower import FILE`: imports an archive, all of it or nothing. */
import { resolve } from "node:path";
import { importRemarks } from "../../../shared/archives.ts";
import { importIntoStore } from "../../services/archives.ts";
import { exitCodes, storeDirOf } from "../session.ts";

export interface ImportOptions {
  readonly store?: string;
  readonly json?: boolean;
}

export async function importCommand(file: string, options: ImportOptions): Promise<number> {
  const report = await importIntoStore(resolve(file), storeDirOf(options.store));
  if (options.json) console.log(JSON.stringify(report));
  else {
    for (const remark of importRemarks(report)) console.log(remark);
    for (const { as, name } of [...report.studies, ...report.runs.slice(0, 20)]) if (as !== null) console.log(`  ${as}  ${name}`);
  }
  return exitCodes.ok;
}
