/** Groups runs of a study that can train as one program: those that differ only in state. */
import type { Experiment } from "../experiment.ts";
import { initialValue, learnedHyperparameters, type Settings } from "../tower.ts";
import type { StudyCell } from "./expand.ts";

/**
 * Cells in cohorts of at most `size`, in the order of `seeds` and of the cells. A cell's cohort and
 * its place there depend on the cells alone, not on what has been trained: a study that is taken up
 * again has the same ones. Runs of one seed come together, for they share their batches. A rerun trains alone: its
 * values, and when it can begin, follow from another run.
 */
export function cohortsOf(cells: readonly StudyCell[], seeds: readonly number[], size: number): StudyCell[][] {
  if (size === 1) return cells.map((cell) => [cell]);
  const rank = new Map(seeds.map((seed, i) => [seed, i]));
  const ordered = cells.toSorted((a, b) => rank.get(a.seed)! - rank.get(b.seed)!);
  const alike = new Map<string, StudyCell[]>();
  for (const cell of ordered) {
    const structure = cell.source ? cell.key : structureOf(cell.experiment);
    const group = alike.get(structure);
    if (group) group.push(cell);
    else alike.set(structure, [cell]);
  }
  return [...alike.values()].flatMap((group) => Array.from({ length: Math.ceil(group.length / size) }, (_, i) => group.slice(i * size, (i + 1) * size)));
}

/**
 * Everything of an experiment except its name, seed and initial values of learned hyperparameters.
 */
export function structureOf({ name: _name, seed: _seed, tower, ...rest }: Experiment): string {
  return JSON.stringify([rest, tower.map(({ groups, ...level }) => [bare(level as Settings), groups.map(bare)])]);
}

/**
 * Settings with learned values reduced to their sign: momentum that starts at 0 is another program.
 */
function bare(of: Settings): object {
  const learned = Object.fromEntries(learnedHyperparameters(of).map(({ name }) => [name, Math.sign(initialValue(of, name))]));
  return { ...of, ...learned };
}
