/**
 * Saved weights of runs: `weights/RUN.best.weights` of the best evaluation so far, and
 * `weights/RUN.last.weights` of the last one if that is another. The host writes new files beside
 * them and renames them once their evaluation is in the store.
 */
import { renameSync, rmSync } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "../../../shared/errors.ts";
import { isBetter, type KeptName } from "../../../shared/kept.ts";
import type { RunSummary } from "../../../shared/run.ts";
import { CheckpointError, type ReadBytes } from "../../../core/checkpoint/container.ts";
import { requireOwner } from "../../../core/checkpoint/owner.ts";
import { bytesOf, headerOf, RunFiles } from "../runFiles.ts";
import { readWeightsHeader, type WeightsHeader } from "../../../core/weights/file.ts";

type Run = Pick<RunSummary, "id" | "experiment">;

/** A weights file and its header. */
export interface SavedWeights {
  readonly name: KeptName;
  readonly path: string;
  readonly bytes: number;
  readonly header: WeightsHeader;
}

/** An open weights file, of which no more than the header has been read. */
export interface OpenWeights {
  readonly handle: FileHandle;
  readonly path: string;
  readonly size: number;
  readonly read: ReadBytes;
}

export class WeightsFolder extends RunFiles {
  constructor(storeFolder: string) {
    super(storeFolder, "weights");
  }

  /**
   * Resolves to the function that puts pending weights in place: as best if they are better than all before, else as last.
   * @throws CheckpointError naming a file that cannot be used
   */
  async accepting(run: Run, pending: string): Promise<() => void> {
    const { evaluation } = (await this.#header(pending, run))!.header;
    if (!(await this.#isBest(run, evaluation))) return () => renameSync(pending, this.fileOf(run.id, "last"));
    return () => {
      renameSync(pending, this.fileOf(run.id, "best"));
      rmSync(this.fileOf(run.id, "last"), { force: true });
    };
  }

  /** Removes a run's weights. */
  remove(run: string): void {
    for (const name of ["best", "last"] as const) rmSync(this.fileOf(run, name), { force: true });
  }

  /** Best and last weights of a run, or none; both name one file if the best is also the last. @throws CheckpointError naming a file that cannot be used */
  async list(run: Run): Promise<SavedWeights[]> {
    const read = (name: KeptName) => this.#header(this.fileOf(run.id, name), run, true);
    const [best, last] = await Promise.all([read("best"), read("last")]);
    const found = [best, last].filter((file) => file !== undefined).sort((a, b) => b.header.evaluation.step - a.header.evaluation.step);
    if (found.length === 0) return [];
    return [{ name: "best", ...(best ?? found[0]!) }, { name: "last", ...found[0]! }];
  }

  /**
   * Opens the file that was listed; undefined where another has replaced it since. The caller closes it.
   * @throws CheckpointError naming the file where it cannot be used
   */
  async open(run: Run, { path, header: { savedAt } }: SavedWeights): Promise<OpenWeights | undefined> {
    let handle: FileHandle | undefined;
    try {
      handle = await open(path);
      const { size } = await handle.stat();
      const read = bytesOf(handle);
      const header = await readWeightsHeader(read, size);
      requireOwner(header, run);
      if (header.savedAt === savedAt) return { handle, path, size, read };
    } catch (error) {
      await handle?.close();
      throw unusable(path, error);
    }
    await handle.close();
    return undefined;
  }

  async #isBest(run: Run, evaluation: WeightsHeader["evaluation"]): Promise<boolean> {
    try {
      const best = await this.#header(this.fileOf(run.id, "best"), run, true);
      return !best || isBetter(evaluation, best.header.evaluation, run.experiment);
    } catch (error) {
      // An unreadable best is replaced.
      if (error instanceof CheckpointError) return true;
      throw error;
    }
  }

  /** Undefined if an optional file is missing. */
  async #header(path: string, run: Run, optional = false): Promise<Omit<SavedWeights, "name"> | undefined> {
    try {
      const found = await headerOf(path, readWeightsHeader);
      requireOwner(found.header, run);
      return { path, ...found };
    } catch (error) {
      if (optional && (error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw unusable(path, error);
    }
  }

  /** Path of a run's best or last weights, which may not exist. */
  fileOf(run: string, name: KeptName): string {
    return join(this.path, `${run}.${name}.weights`);
  }
}

export const unusable = (path: string, error: unknown) => new CheckpointError(`the weights ${path} cannot be used: ${messageOf(error)}`, { cause: error });
