/** The disk that a study takes, from how much its steps log. */
import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { evaluationCount, totalSteps, type Experiment } from "../../shared/experiment.ts";
import { formatBytes } from "../../shared/format.ts";
import type { StudyCell } from "../../shared/study/expand.ts";
import { hyperparameterColumns } from "../../shared/tower.ts";
import { StudyError } from "./errors.ts";

/** Bytes that the store needs for a logged value with its share of the pyramid, for an evaluation, and for a run itself. */
const bytes = { value: 24, evaluation: 100, run: 8_192 };

/** Left free on the disk whatever a study needs: for the write-ahead log and for everything else. */
const spare = 256e6;

/** Bytes by which the store grows; an upper bound, for a diverged run logs less. */
export function diskOf(cells: readonly StudyCell[]): number {
  return cells.reduce((sum, { experiment }) => sum + diskOfRun(experiment), 0);
}

function diskOfRun(experiment: Experiment): number {
  // The loss, the step's time, and every hyperparameter with its hypergradient.
  const columns = 2 + 2 * hyperparameterColumns(experiment.tower).length;
  return bytes.run + totalSteps(experiment) * columns * bytes.value + evaluationCount(experiment) * bytes.evaluation;
}

/** Bytes free on the disk of a file; null where the system does not say. */
export async function freeBytes(file: string): Promise<number | null> {
  try {
    const { bavail, bsize } = await statfs(dirname(file));
    return bavail * bsize;
  } catch {
    return null;
  }
}

/** @throws StudyError when the store's disk will not hold the runs */
export function requireDisk(needed: number, free: number | null, storePath: string): void {
  if (free === null || needed + spare <= free) return;
  throw new StudyError(
    `The runs need about ${formatBytes(needed)} in ${storePath}, and ${formatBytes(spare)} have to stay free, but its disk has only ${formatBytes(free)} left. ` +
      "Make room, choose another folder for the store, or make the study smaller.",
  );
}
