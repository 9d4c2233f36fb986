/**
 * The weights that runs keep: `weights/RUN.best.weights` of the best evaluation so far, and
 * `weights/RUN.last.weights` of the last one where that is another. The host writes new ones
 * beside them and puts them in place once their evaluation is in the store.
 */
import { renameSync, rmSync } from "node:fs";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "../../../shared/errors.ts";
import { isBetter, type KeptName } from "../../../shared/kept.ts";
import type { RunSummary } from "../../../shared/run.ts";
import { CheckpointError } from "../../../core/checkpoint/container.ts";
import { requireOwner } from "../../../core/checkpoint/owner.ts";
import { RunFiles } from "../runFiles.ts";
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
  async accepting(run: Run, lease: number, step: number): Promise<() => void> {
    const pending = this.pendingFileOf({ run: run.id, lease }, step);
    const { evaluation } = (await this.#header(pending, run)).header;
    if (!(await this.#isBest(run, evaluation))) return () => renameSync(pending, this.#fileOf(run.id, "last"));
    return () => {
      renameSync(pending, this.#fileOf(run.id, "best"));
      rmSync(this.#fileOf(run.id, "last"), { force: true });
    };
  }

  /** What a run keeps, by header; where its best is its last too, both are one file. @throws CheckpointError naming a file that cannot be used */
  async list(run: Run): Promise<SavedWeights[]> {
    const read = (name: KeptName) => (this.#has(run.id, name) ? this.#header(this.#fileOf(run.id, name), run) : undefined);
    const [best, last] = await Promise.all([read("best"), read("last")]);
    const found = [best, last].filter((one) => one !== undefined).sort((a, b) => b.header.evaluation.step - a.header.evaluation.step);
    if (found.length === 0) return [];
    return [{ name: "best", ...(best ?? found[0]!) }, { name: "last", ...found[0]! }];
  }

  /** The whole of a file that was listed. @throws CheckpointError naming the file where it cannot be used */
  read(run: Run, { path }: SavedWeights): Promise<Weights> {
    return naming(path, async () => {
      const weights = decodeWeights(await readFile(path));
      requireOwner(weights, run);
      return weights;
    });
  }

  async #isBest(run: Run, evaluation: WeightsHeader["evaluation"]): Promise<boolean> {
    if (!this.#has(run.id, "best")) return true;
    try {
      const { header } = await this.#header(this.#fileOf(run.id, "best"), run);
      return isBetter(evaluation, header.evaluation, run.experiment);
    } catch (error) {
      // What cannot be read is of no use to anyone.
      if (error instanceof CheckpointError) return true;
      throw error;
    }
  }

  #header(path: string, run: Run): Promise<Omit<SavedWeights, "name">> {
    return naming(path, async () => {
      const file = await open(path);
      try {
        const { size } = await file.stat();
        const header = await readWeightsHeader(async (at, length) => {
          const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, at);
          return buffer.subarray(0, bytesRead);
        }, size);
        requireOwner(header, run);
        return { path, bytes: size, header };
      } finally {
        await file.close();
      }
    });
  }

  #fileOf(run: string, name: KeptName): string {
    return join(this.path, `${run}.${name}.weights`);
  }

  #has(run: string, name: KeptName): boolean {
    return this.names().includes(`${run}.${name}.weights`);
  }
}

async function naming<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw new CheckpointError(`the weights ${path} cannot be used: ${messageOf(error)}`, { cause: error });
  }
}
