/** Runs of an open store as parts of an archive. */
import type { PortableSource } from "../store/portable.ts";
import type { Store } from "../store/store.ts";
import { ArchiveError } from "./errors.ts";
import { networksOf } from "../../shared/startingWeights.ts";
import { networksIn } from "./networks.ts";
import { openFiles, usableFiles } from "./runFiles.ts";

export interface SourcesOptions {
  readonly store: Pick<Store, "getRun" | "portable" | "flush">;
  /** Folder of the store. */
  readonly folder: string;
  /** Studies whose runs keep their place in them. */
  readonly studies: ReadonlySet<string>;
  /** Called for what is left out or not final. */
  readonly onRemark: (remark: string) => void;
}

/** Opens one run after the other. @throws ArchiveError when a run was resumed while it was read */
export async function* storeSources(ids: readonly string[], { store, folder, studies, onRemark }: SourcesOptions): AsyncGenerator<PortableSource> {
  for (const id of ids) {
    // Before the row: a checkpoint is never ahead of the steps that are committed then.
    const opened = openFiles(folder, id);
    try {
      store.flush();
      const detail = store.getRun(id);
      if (!detail) throw new ArchiveError(`There is no run ${id} any more.`);
      const read = store.portable.run(detail);
      const { usable, problems } = await usableFiles(detail, opened.files);
      problems.forEach(onRemark);
      if (read.wasActive) onRemark(`Run ${id} is being trained; the archive holds its first ${read.run.logged} steps, as an interrupted run.`);
      const run = read.run.study !== null && !studies.has(read.run.study) ? { ...read.run, study: null, cell: null } : read.run;
      const networks = networksIn(folder, run.experiment);
      if (networks.length < networksOf(run.experiment).length) onRemark(`The network of run ${id} is missing in ${folder}; the archive does not hold it.`);
      yield { ...store.portable.source(run, () => usable), networks: () => networks };
      if (!read.wasActive && !store.portable.isUnchanged(id, read)) throw new ArchiveError(`Run ${id} was resumed or thinned while it was archived. Try again.`);
    } finally {
      opened.close();
    }
  }
}
