/** Archives of runs and studies. */
import { existsSync, realpathSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { importedProblem } from "../../shared/importedRun.ts";
import { importRemarks, type ArchiveImport, type ArchiveRequest } from "../../shared/archives.ts";
import { importArchive, mergeInWorker } from "../archives/importArchive.ts";
import { archiveMediaType, archiveSuffix } from "../archives/format.ts";
import { mergeInto } from "../archives/merge.ts";
import { moveStore, type Moved } from "../archives/move.ts";
import { cancelMove, requestMove } from "../archives/moveNext.ts";
import { storeSources } from "../archives/storeSources.ts";
import { archiveOf } from "../archives/write.ts";
import { fileStem } from "../reports/index.ts";
import { storeFileName } from "../store/database.ts";
import type { Store } from "../store/store.ts";
import { UserError, type ExportFile } from "./services.ts";
import { userError } from "./userErrors.ts";

export interface ArchivesOptions {
  readonly store: Pick<Store, "path" | "getRun" | "portable" | "flush" | "studies">;
  readonly folder: string;
  readonly version: string;
}

export class Archives {
  readonly #options: ArchivesOptions;

  constructor(options: ArchivesOptions) {
    this.#options = options;
  }

  /** @throws UserError when a run or study is missing */
  file({ runs, studies }: ArchiveRequest, onRemark: (remark: string) => void = () => undefined): ExportFile {
    const { store, folder, version } = this.#options;
    const now = Date.now();
    const wanted = [...new Set(studies)].map((id) => {
      const stored = store.studies.get(id);
      if (!stored) throw new UserError(`There is no study ${id} in ${store.path}.`);
      if (stored.status === "running" || stored.status === "paused") onRemark(`Study ${id} is being trained; the archive holds what is there now, as an interrupted study.`);
      return store.portable.study(stored, now);
    });
    const single = [...new Set(runs)].map((id) => {
      const run = store.getRun(id);
      if (!run) throw new UserError(`There is no run ${id} in ${store.path}.`);
      const problem = importedProblem(run, "archived; import its record where you need it");
      if (problem !== null) throw new UserError(problem);
      return run;
    });
    const kept = new Set(wanted.map(({ id }) => id));
    const ids = [...wanted.flatMap(({ id }) => store.portable.runsOf(id)), ...single.filter(({ study }) => study === null || !kept.has(study)).map(({ id }) => id)];
    const [first] = [...wanted, ...single];
    const alone = wanted.length + single.length === 1;
    const sources = storeSources(ids, { store, folder, studies: kept, onRemark });
    return {
      filename: `${first && alone ? fileStem(first) : "runs"}${archiveSuffix}`,
      mediaType: archiveMediaType,
      pieces: explained(archiveOf({ studies: wanted, runs: sources, program: version, createdAt: now, thinned: store.portable.hasThinned(ids), networks: store.portable.hasNetworks(ids) })),
    };
  }
}

/** Imports all of an archive, or nothing. The store may be open, or missing yet. @throws UserError */
export async function importIntoStore(path: string, folder: string): Promise<ArchiveImport> {
  try {
    return await importArchive({ path, folder });
  } catch (error) {
    throw userError(error);
  }
}

/**
 * Copies the runs and studies of another store into a store, which may be open. The other one is only read.
 * @param onRemark called for what is left out
 * @throws UserError
 */
export async function mergeStores(from: string, folder: string, onRemark: (remark: string) => void): Promise<ArchiveImport> {
  try {
    return await mergeInto(from, folder, onRemark);
  } catch (error) {
    throw userError(error);
  }
}

/** Merges another store into an open one, in a thread. Returns what was done, in sentences. @throws UserError */
export async function mergeInBackground(from: string, folder: string): Promise<string[]> {
  try {
    requireAbsolute(from);
    const file = join(from, storeFileName);
    // A window may read what is in the folder, not where its links lead.
    if (existsSync(file) && realpathSync(file) !== join(realpathSync(from), storeFileName)) throw new UserError(`${file} is a link; name the folder that it leads to.`);
    const { report, remarks } = await mergeInWorker({ from, folder });
    const done = importRemarks(report);
    return [...(done.length > 0 ? done : ["There was nothing to merge."]), ...remarks];
  } catch (error) {
    throw userError(error);
  }
}

/** Has the open store moved at the next start; null cancels that. @throws UserError */
export function moveAtNextStart(storeDir: string, folder: string | null, removeOld: boolean): void {
  try {
    if (folder === null) cancelMove(storeDir);
    else {
      requireAbsolute(folder);
      requestMove(storeDir, folder, removeOld);
    }
  } catch (error) {
    throw userError(error);
  }
}

/** Moves a store that no process uses. @throws UserError; the store is then where it was */
export function moveStoreTo(from: string, to: string, removeOld: boolean): Moved {
  try {
    return moveStore(from, to, removeOld);
  } catch (error) {
    throw userError(error);
  }
}

/** @throws UserError */
function requireAbsolute(folder: string): void {
  if (!isAbsolute(folder)) throw new UserError(`${folder} is not a whole path; begin at the root of the disk.`);
}

async function* explained(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* pieces;
  } catch (error) {
    throw userError(error);
  }
}
