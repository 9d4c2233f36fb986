/**
 * The checkpoints of a store's runs: `checkpoints/RUN.checkpoint`, one for each run that has not
 * ended for good. A trainer writes a new one beside it and the host puts it in place, once every
 * step before it is in the store: a checkpoint is never ahead of the log.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { RunSummary } from "../../../shared/run.ts";
import { CheckpointError } from "./container.ts";
import { decodeCheckpoint, experimentHash, type Checkpoint } from "./file.ts";

export class CheckpointFolder {
  readonly path: string;

  constructor(storeFolder: string) {
    this.path = join(storeFolder, "checkpoints");
  }

  /** Where a run's checkpoint is, whether there is one or not. */
  fileOf(run: string): string {
    return join(this.path, `${run}.checkpoint`);
  }

  /** Where its trainer writes the one of a step, before it counts. */
  pendingFileOf(run: string, step: number): string {
    return join(this.path, `${run}.${step}.pending`);
  }

  /** Makes sure that trainers can write here. */
  prepare(): void {
    mkdirSync(this.path, { recursive: true });
  }

  /** The checkpoint that the trainer wrote is the run's from now on. */
  accept(run: string, step: number): void {
    renameSync(this.pendingFileOf(run, step), this.fileOf(run));
  }

  /** Forgets one that a trainer wrote. */
  discard(run: string, step: number): void {
    rmSync(this.pendingFileOf(run, step), { force: true });
  }

  /** Removes what trainers that are gone have left behind, and with `all` the checkpoint itself. */
  clean(run: string, all: boolean): void {
    for (const name of this.#names()) {
      if (name.startsWith(`${run}.`) && (all || name.endsWith(".pending"))) rmSync(join(this.path, name), { force: true });
    }
  }

  /**
   * The run's checkpoint.
   * @throws CheckpointError naming the file: it is missing, damaged, or not this run's
   */
  read(run: Pick<RunSummary, "id" | "experiment">): Checkpoint {
    return readCheckpoint(this.fileOf(run.id), run);
  }

  #names(): string[] {
    try {
      return readdirSync(this.path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
      throw error;
    }
  }
}

/** @throws CheckpointError naming the file: it is missing, damaged, or not this run's */
export function readCheckpoint(file: string, run: Pick<RunSummary, "id" | "experiment">): Checkpoint {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new CheckpointError(code === "ENOENT" ? `there is no checkpoint ${file}` : `the checkpoint ${file} cannot be read: ${message}`, { cause: error });
  }
  try {
    const checkpoint = decodeCheckpoint(bytes);
    if (checkpoint.run !== run.id) throw new CheckpointError(`it belongs to run ${checkpoint.run}`);
    if (checkpoint.experiment !== experimentHash(run.experiment)) throw new CheckpointError("it belongs to another experiment");
    return checkpoint;
  } catch (error) {
    throw new CheckpointError(`the checkpoint ${file} cannot be used: ${(error as Error).message}`, { cause: error });
  }
}
