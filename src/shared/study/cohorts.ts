/** Groups runs of a study that can train as one program: those that differ only in state. */
import type { Experiment } from "../experiment.ts";
import { initialValue, learnedHyperparameters, type Settings } from "../tower.ts";
import type { StudyCell } from "./expand.ts";
import type { Study } from "./study.ts";

/** Max number of runs of a study that train as one program. */
export const cohortSize = ({ cohort }: Pick<Study, "cohort">): number => (cohort === "auto" ? 1 : cohort);

/** Why a study has no time per step; null where every run was trained alone. */
export function noTimesWords(study: Pick<Study, "cohort" | "methods" | "stacks">): string | null {
  const size = cohortSize(study);
  const compared = study.methods ? "Methods" : study.stacks ? "Stacks" : "Heights";
  return size === 1 ? null : `${compared} are not compared by time, because up to ${size} runs were trained as one program and share its time; to compare it, train them with --cohort 1.`;
}

/**
 * Groups cells into cohorts of at most `size`, in the order of `seeds` and of the cells. Cohorts and
 * seats depend only on the cells, not on training progress, so a resumed study has the same ones.
 * Runs of one seed are grouped together because they share their batches. A rerun trains alone: its
 * values and its start depend on another run.
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
function bare(settings: Settings): object {
  const signs = Object.fromEntries(learnedHyperparameters(settings).map(({ name }) => [name, Math.sign(initialValue(settings, name))]));
  return { ...settings, ...signs };
}
