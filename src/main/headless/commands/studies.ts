/** `hypertower studies`: the studies of the store, newest first. */
import { formatTime, table } from "../format.ts";
import { exitCodes, openExisting, storeDirOf, type ProgramFiles } from "../session.ts";

export interface StudiesOptions {
  readonly store?: string;
  readonly json?: boolean;
}

export async function studies(programFiles: ProgramFiles, options: StudiesOptions): Promise<number> {
  const storeDir = storeDirOf(options.store);
  const services = await openExisting(programFiles, storeDir);
  try {
    const list = await services.handlers["studies.list"]({ deleted: false });
    if (options.json) {
      for (const study of list) console.log(JSON.stringify(study));
    } else if (list.length === 0) {
      console.log(`no studies in ${storeDir} yet`);
    } else {
      const rows = list.map(({ id, status, createdAt, total, finished, diverged, failed, pruned, skipped, name }) => [
        id, status, formatTime(createdAt), `${finished + diverged + pruned + skipped}/${total}`, String(diverged), String(failed), name,
      ]);
      console.log(table([["STUDY", "STATUS", "CREATED", "RUNS", "DIVERGED", "FAILED", "NAME"], ...rows]));
    }
    return exitCodes.ok;
  } finally {
    await services.close();
  }
}
