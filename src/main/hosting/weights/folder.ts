/**
 * The weights that runs keep: `weights/RUN.best.weights` of the best evaluation so far, and
 * `weights/RUN.last.weights` of the last one where that is another. The host writes new ones
 * beside them and puts them in place once their evaluation is in the store.
 */
import { renameSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "../../../shared/errors.ts";
import { isBetter, type KeptName } from "../../../shared/kept.ts";
import type { RunSummary } from "../../../shared/run.ts";
import { CheckpointError } from "../../../core/checkpoint/container.ts";
import { requireOwner } from "../../../core/checkpoint/owner.ts";
import { headerOf, RunFiles } from "../runFiles.ts";
import { decodeWeights, readWeightsHeader, type Weights, type WeightsHeader } from "../../../core/weights/file.ts";

type Run = Pick<RunSummary, "id" | "experiment">;

/** A file of weights, known by its header. */
export interface SavedWeights {
  readonly name: KeptName;
  readonly path: string;
  readonly bytes: number;
  readonly header: WeightsHeader;
}

export class WeightsFolder extends RunFiles {
  constructor(storeFolder: string) {
    super(storeFolder, "weights");
  }

  /**
   * What makes the pending weights of an evaluation the run's last, and its best where they are better than all before.
   * @throws CheckpointError naming a file that cannot be used
   */
  async accepting(run: Run, pending: string): Promise<() => void> {
    const { evaluation } = (await this.#header(pending, run))!.header;
    if (!(await this.#isBest(run, evaluation))) return () => renameSync(pending, this.#fileOf(run.id, "last"));
    return () => {
      renameSync(pending, this.#fileOf(run.id, "best"));
      rmSync(this.#fileOf(run.id, "last"), { force: true });
    };
  }

  /** Removes all that a run keeps. */
  remove(run: string): void {
    for (const name of ["best", "last"] as const) rmSync(this.#fileOf(run, name), { force: true });
  }

  /** What a run keeps, by header; where its best is its last too, both are one file. @throws CheckpointError naming a file that cannot be used */
  async list(run: Run): Promise<SavedWeights[]> {
    const read = (name: KeptName) => this.#header(this.#fileOf(run.id, name), run, true);
    const [best, last] = await Promise.all([read("best"), read("last")]);
    const found = [best, last].filter((one) => one !== undefined).sort((a, b) => b.header.evaluation.step - a.header.evaluation.step);
    if (found.length === 0) return [];
    return [{ name: "best", ...(best ?? found[0]!) }, { name: "last", ...found[0]! }];
  }

  /** The whole of a file that was listed. @throws CheckpointError naming the file where it cannot be used */
  async read(run: Run, { path }: SavedWeights): Promise<Weights> {
    try {
      const weights = decodeWeights(await readFile(path));
      requireOwner(weights, run);
      return weights;
    } catch (error) {
      throw unusable(path, error);
    }
  }

  async #isBest(run: Run, evaluation: WeightsHeader["evaluation"]): Promise<boolean> {
    try {
      const best = await this.#header(this.#fileOf(run.id, "best"), run, true);
      return !best || isBetter(evaluation, best.header.evaluation, run.experiment);
    } catch (error) {
      // What cannot be read is of no use to anyone.
      if (error instanceof CheckpointError) return true;
      throw error;
    }
  }

  /** Undefined where there is no file, if it need not be there. */
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

  #fileOf(run: string, name: KeptName): string {
    return join(this.path, `${run}.${name}.weights`);
  }
}

const unusable = (path: string, error: unknown) => new CheckpointError(`the weights ${path} cannot be used: ${messageOf(error)}`, { cause: error });
