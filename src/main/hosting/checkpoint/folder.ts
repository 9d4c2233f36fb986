/**
 * Checkpoints of a store's runs: `checkpoints/RUN.checkpoint`, one for each run that can be
 * resumed. The host writes a new one beside it and renames it once every step before it is in the
 * store, so that a checkpoint is never ahead of the log.
 */
import { renameSync, rmSync } from "node:fs";
import { access } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "../../../shared/errors.ts";
import type { RunSummary } from "../../../shared/run.ts";
import { CheckpointError } from "../../../core/checkpoint/container.ts";
import { headerOf, RunFiles } from "../runFiles.ts";
import { readCheckpointHeader, type CheckpointHeader } from "../../../core/checkpoint/file.ts";
import { requireOwner } from "../../../core/checkpoint/owner.ts";

/** No checkpoint of the run was ever put aside as damaged, and there is none. */
export class NoCheckpoint extends CheckpointError {
  constructor(file: string) {
    super(`there is no checkpoint ${file}`);
  }
}

const exists = (path: string): Promise<boolean> => access(path).then(() => true, () => false);

export class CheckpointFolder extends RunFiles {
  constructor(storeFolder: string) {
    super(storeFolder, "checkpoints");
  }

  /** Path of a run's checkpoint, which may not exist. */
  fileOf(run: string): string {
    return join(this.path, `${run}.checkpoint`);
  }

  /** Resolves to the function that puts a pending checkpoint in place. */
  accepting({ id: run }: Pick<RunSummary, "id">, pending: string): Promise<() => void> {
    return Promise.resolve(() => renameSync(pending, this.fileOf(run)));
  }

  /** Moves away a checkpoint that the trainer could not use. */
  setAside(run: string): void {
    renameSync(this.fileOf(run), this.#setAsideOf(run));
  }

  /** Removes a run's checkpoint, if any. */
  remove(run: string): void {
    rmSync(this.fileOf(run), { force: true });
    rmSync(this.#setAsideOf(run), { force: true });
  }

  /**
   * Header of the run's checkpoint. The values after it are not checked; the resuming trainer does that.
   * @throws CheckpointError naming the file, when it is missing, damaged, or another run's
   */
  async header(run: Pick<RunSummary, "id" | "experiment">): Promise<CheckpointHeader> {
    const file = this.fileOf(run.id);
    try {
      const { header } = await headerOf(file, readCheckpointHeader);
      requireOwner(header, run);
      return header;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === "ENOENT") throw (await exists(this.#setAsideOf(run.id))) ? new CheckpointError(`there is no checkpoint ${file}`, { cause: error }) : new NoCheckpoint(file);
      if (code !== undefined) throw new CheckpointError(`the checkpoint ${file} cannot be read: ${message}`, { cause: error });
      throw new CheckpointError(`the checkpoint ${file} cannot be used: ${messageOf(error)}`, { cause: error });
    }
  }

  #setAsideOf(run: string): string {
    return `${this.fileOf(run)}.unusable`;
  }
}
