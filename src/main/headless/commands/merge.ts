/** `hypertower merge OTHER`: copies the runs and studies of another store into this one. */
import { resolve } from "node:path";
import { importRemarks } from "../../../shared/archives.ts";
import { mergeStores } from "../../services/archives.ts";
import { exitCodes, storeDirOf } from "../session.ts";

export interface MergeOptions {
  readonly store?: string;
  readonly json?: boolean;
}

export async function mergeCommand(other: string, options: MergeOptions): Promise<number> {
  const report = await mergeStores(storeDirOf(resolve(other)), storeDirOf(options.store), (remark) => console.error(remark));
  if (options.json) console.log(JSON.stringify(report));
  else {
    const remarks = importRemarks(report);
    for (const remark of remarks.length > 0 ? remarks : ["There was nothing to merge."]) console.log(remark);
  }
  return exitCodes.ok;
}
