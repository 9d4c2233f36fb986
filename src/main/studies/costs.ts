/** Estimates the disk space of a study from the values that its steps log. */
import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { evaluationCount, totalSteps, type Experiment } from "../../shared/experiment.ts";
import { formatBytes } from "../../shared/format.ts";
import type { StudyCell } from "../../shared/study/expand.ts";
import { hyperparameterColumns, inForceColumns } from "../../shared/tower.ts";
import { StudyError } from "./errors.ts";

/** Bytes in the store per logged value (with its share of the pyramid), per evaluation, and per run. */
const bytes = { value: 24, evaluation: 100, run: 8_192 };

/** Bytes to leave free on the disk, for the write-ahead log and other programs. */
const spare = 256e6;

/** Upper bound of the store's growth, in bytes: diverged runs log less. */
export function diskOf(cells: readonly StudyCell[]): number {
  return cells.reduce((sum, { experiment }) => sum + diskOfRun(experiment), 0);
}

function diskOfRun(experiment: Experiment): number {
  // The loss, the step's time, every hyperparameter with its hypergradient, and what schedules make of them.
  const columns = 2 + 2 * hyperparameterColumns(experiment.tower).length + inForceColumns(experiment.tower).length;
  return bytes.run + totalSteps(experiment) * columns * bytes.value + evaluationCount(experiment) * bytes.evaluation;
}

/** Bytes free on the disk of a file; null if unknown. */
export async function freeBytes(file: string): Promise<number | null> {
  try {
    const { bavail, bsize } = await statfs(dirname(file));
    return bavail * bsize;
  } catch {
    return null;
  }
}

/** @throws StudyError when the store's disk has too little space for the runs */
export function requireDisk(needed: number, free: number | null, storePath: string): void {
  if (free === null || needed + spare <= free) return;
  throw new StudyError(
    `The runs need about ${formatBytes(needed)} in ${storePath}, and ${formatBytes(spare)} have to stay free, but its disk has only ${formatBytes(free)} left. ` +
      "Make room, choose another folder for the store, or make the study smaller.",
  );
}
