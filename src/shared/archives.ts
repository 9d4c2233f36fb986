/** Archives: runs and studies as files. */
import { z } from "zod";
import { plural } from "./text.ts";

/** What an archive is made of. */
export interface ArchiveRequest {
  readonly runs: readonly string[];
  readonly studies: readonly string[];
}

/** Name by which a report's request asks for the archive of its run or study. */
export const archiveFileName = "archive.hypertower";

const takenIn = z.object({
  id: z.string(),
  name: z.string(),
  /** Id in this store, a new one where the id was taken; null where it was here already. */
  as: z.string().nullable(),
});
export const archiveImport = z.object({
  studies: z.array(takenIn),
  /** Runs, those of the studies included. */
  runs: z.array(takenIn),
});
export type ArchiveImport = z.infer<typeof archiveImport>;

export const archiveRequests = {
  /** Imports all of an archive, or nothing. The path is on the machine that runs Hypertower. */
  "archives.import": { input: z.strictObject({ path: z.string().min(1).max(4096) }), output: archiveImport },
} as const;

/** What an import did, in sentences. */
export function importRemarks({ studies, runs }: ArchiveImport): string[] {
  const remarks: string[] = [];
  const count = (all: typeof runs, of: string, many: string) => {
    const here = all.filter(({ as }) => as === null).length;
    const renamed = all.filter(({ id, as }) => as !== null && as !== id);
    const added = all.length - here;
    if (added > 0) remarks.push(`Imported ${plural(added, of, many)}.`);
    if (here > 0) remarks.push(`${plural(here, of, many)} ${here === 1 ? "was" : "were"} here already and ${here === 1 ? "was" : "were"} skipped.`);
    for (const { id, as } of renamed.slice(0, 5)) remarks.push(`The id ${id} belongs to another ${of} here; the imported one is ${as}.`);
    if (renamed.length > 5) remarks.push(`${renamed.length - 5} more ids were replaced likewise.`);
  };
  count(studies, "study", "studies");
  count(runs, "run", "runs");
  return remarks;
}
