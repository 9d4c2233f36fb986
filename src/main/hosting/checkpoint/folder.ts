/**
 * The checkpoints of a store's runs: `checkpoints/RUN.checkpoint`, one for each run that has not
 * ended for good. The host writes a new one beside it and puts it in place once every
 * step before it is in the store: a checkpoint is never ahead of the log.
 */
import { renameSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "../../../shared/errors.ts";
import type { RunSummary } from "../../../shared/run.ts";
import { CheckpointError } from "../../../core/checkpoint/container.ts";
import { RunFiles } from "../runFiles.ts";
import { decodeCheckpoint, type Checkpoint } from "../../../core/checkpoint/file.ts";
import { requireOwner } from "../../../core/checkpoint/owner.ts";

export class CheckpointFolder extends RunFiles {
  constructor(storeFolder: string) {
    super(storeFolder, "checkpoints");
  }

  /** Where a run's checkpoint is, whether there is one or not. */
  fileOf(run: string): string {
    return join(this.path, `${run}.checkpoint`);
  }

  /** What makes the pending checkpoint of a step the run's. */
  accepting({ id: run }: Pick<RunSummary, "id">, lease: number, step: number): Promise<() => void> {
    return Promise.resolve(() => renameSync(this.pendingFileOf({ run, lease }, step), this.fileOf(run)));
  }

  /**
   * The run's checkpoint.
   * @throws CheckpointError naming the file: it is missing, damaged, or not this run's
   */
  read(run: Pick<RunSummary, "id" | "experiment">): Promise<Checkpoint> {
    return readCheckpoint(this.fileOf(run.id), run);
  }
}

/** @throws CheckpointError naming the file: it is missing, damaged, or not this run's */
export async function readCheckpoint(file: string, run: Pick<RunSummary, "id" | "experiment">): Promise<Checkpoint> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new CheckpointError(code === "ENOENT" ? `there is no checkpoint ${file}` : `the checkpoint ${file} cannot be read: ${message}`, { cause: error });
  }
  try {
    const checkpoint = decodeCheckpoint(bytes);
    requireOwner(checkpoint, run);
    return checkpoint;
  } catch (error) {
    throw new CheckpointError(`the checkpoint ${file} cannot be used: ${messageOf(error)}`, { cause: error });
  }
}
