/**
 * The weights that runs keep: `weights/RUN.best.weights` of the best evaluation so far, and
 * `weights/RUN.last.weights` of the last one where that is another. A trainer writes new ones
 * beside them, and the host puts them in place once their evaluation is in the store.
 */
import { readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../../../shared/errors.ts";
import { isBetter, type KeptName } from "../../../shared/kept.ts";
import type { RunSummary } from "../../../shared/run.ts";
import { CheckpointError } from "../../../core/checkpoint/container.ts";
import { requireOwner } from "../../../core/checkpoint/owner.ts";
import { RunFiles } from "../runFiles.ts";
import { decodeWeights, type Weights } from "../../../core/weights/file.ts";

type Run = Pick<RunSummary, "id" | "experiment">;

export interface Kept {
  readonly name: KeptName;
  readonly bytes: number;
  readonly weights: Weights;
}

export class WeightsFolder extends RunFiles {
  constructor(storeFolder: string) {
    super(storeFolder, "weights");
  }

  /**
   * What the trainer wrote is the run's last from now on, and its best where it is better than all before.
   * @throws CheckpointError naming a file that cannot be read
   */
  accept(run: Run, lease: number, step: number): void {
    const pending = this.pendingFileOf({ run: run.id, lease }, step);
    const { evaluation } = this.#read(pending, run).weights;
    if (this.#isBest(run, evaluation)) {
      renameSync(pending, this.#fileOf(run.id, "best"));
      rmSync(this.#fileOf(run.id, "last"), { force: true });
    } else renameSync(pending, this.#fileOf(run.id, "last"));
  }

  /** What a run keeps; where its best is its last too, both are one file. @throws CheckpointError naming a file that cannot be used */
  list(run: Run): Kept[] {
    const [best, last] = (["best", "last"] as const).map((name) => (this.#has(run.id, name) ? this.#read(this.#fileOf(run.id, name), run) : undefined));
    const found = [best, last].filter((one) => one !== undefined).sort((a, b) => b.weights.evaluation.step - a.weights.evaluation.step);
    if (found.length === 0) return [];
    return [{ name: "best", ...(best ?? found[0]!) }, { name: "last", ...found[0]! }];
  }

  #isBest(run: Run, evaluation: Weights["evaluation"]): boolean {
    if (!this.#has(run.id, "best")) return true;
    try {
      return isBetter(evaluation, this.#read(this.#fileOf(run.id, "best"), run).weights.evaluation, run.experiment);
    } catch (error) {
      // What cannot be read is of no use to anyone.
      if (error instanceof CheckpointError) return true;
      throw error;
    }
  }

  #read(path: string, run: Run): Omit<Kept, "name"> {
    const bytes = readFileSync(path);
    try {
      const weights = decodeWeights(bytes);
      requireOwner(weights, run);
      return { bytes: bytes.length, weights };
    } catch (error) {
      throw new CheckpointError(`the weights ${path} cannot be used: ${messageOf(error)}`, { cause: error });
    }
  }

  #fileOf(run: string, name: KeptName): string {
    return join(this.path, `${run}.${name}.weights`);
  }

  #has(run: string, name: KeptName): boolean {
    return this.names().includes(`${run}.${name}.weights`);
  }
}
