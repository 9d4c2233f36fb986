/** Descriptions of studies. */
import { maxOf, minOf } from "@shared/extent.ts";
import { dataFacts } from "@shared/datasets.ts";
import { modelText } from "@shared/models/text.ts";
import { studyAxis } from "@shared/study/axes.ts";
import type { StudyEstimate, StudyPoint, StudyStatus, StudySummary } from "@shared/study/result.ts";
import { factorsOf } from "@shared/study/methods.ts";
import type { Axis, Methods, Study, UpperRule } from "@shared/study/study.ts";
import { seedsOf } from "@shared/study/stacks.ts";
import { countValues } from "@shared/study/values.ts";
import { formatHyperparameter, levelLabel, notation } from "@shared/tower.ts";
import { plural } from "@shared/text.ts";
import { formatBytes, formatCount, formatSeconds, statusLabels } from "./format.ts";

export const studyStatusLabels: Record<StudyStatus, string> = {
  running: "Running",
  paused: "Paused",
  finished: "Finished",
  stopped: "Stopped",
  interrupted: "Interrupted",
};

export const pointStatusLabels: Record<StudyPoint["status"], string> = { ...statusLabels, waiting: "Waiting", pruned: "Stopped early", missing: "In the bin", skipped: "Skipped" };

/** A study's name, or its axes if it has none. */
export function studyTitle({ name, study }: Pick<StudySummary, "name" | "study">): string {
  return name !== "" ? name : `Study of ${axesInWords(study)}`;
}

/** Symbol of an axis, with its level unless that is 0: `α`, `α of level 1`. */
export function axisName(study: Study, index: number): string {
  const { symbol, level } = studyAxis(study, index);
  return level === 0 ? symbol : `${symbol} of level ${level}`;
}

/** Range of an axis: `1e-8 to 100`. */
export function rangeInWords({ values }: Pick<Axis, "values">): string {
  const [from, to] = values.kind === "list" ? [minOf(values.values), maxOf(values.values)] : [values.from, values.to];
  return from === to ? formatHyperparameter(from) : `${formatHyperparameter(from)} to ${formatHyperparameter(to)}`;
}

/** `10 methods from 1e-4 to 1e4 times their defaults (9 values)` */
function methodsInWords(methods: Methods): string {
  const factors = factorsOf(methods);
  return `${plural(methods.list.length, "method")} from ${formatHyperparameter(minOf(factors))} to ${formatHyperparameter(maxOf(factors))} times their defaults (${plural(factors.length, "value")})`;
}

/** Every axis: `α from 1e-8 to 100 (11 values), μ from 0 to 0.9 (4 values)`. */
export function axesInWords(study: Study): string {
  const { axes, methods, stacks } = study;
  if (methods) return methodsInWords(methods);
  const parts = axes.map((axis, index) => {
    const count = countValues(axis.values);
    const name = axisName(study, index);
    return count === 1 ? `${name} = ${rangeInWords(axis)}` : `${name} from ${rangeInWords(axis)} (${formatCount(count)} values)`;
  });
  if (parts.length > 0) return parts.join(", ");
  return stacks ? plural(stacks.length, "stack") : "seeds alone";
}

/** Heights, consecutive ones abbreviated: `0 to 3`, `0, 2, 5`. */
export function heightsInWords({ base, heights, methods, stacks }: Study): string {
  if (methods) return plural(methods.list.length, "method");
  if (stacks) return plural(stacks.length, "stack");
  const values = (heights?.values ?? [base.tower.length - 1]).toSorted((a, b) => a - b);
  const [first, last] = [values[0]!, values.at(-1)!];
  if (values.length > 2 && last - first === values.length - 1) return `${first} to ${last}`;
  return values.join(", ");
}

export const upperRuleLabels: Record<UpperRule["kind"], { label: string; help: string }> = {
  equal: { label: "All equal", help: "Every level starts at the step size that level 0 starts at, as in the paper’s Figure 4a." },
  figure4b: { label: "Figure 4b", help: "As in the paper’s Figure 4b, up to height 3: 100 α, α and α/100 for α up to 1e-4; 1e-3 α, 1e-4 α and 1e-8 from 1e-3 on. In between, where the paper has no value, the first scheme applies below 5e-4." },
  fixed: { label: "Fixed", help: "The same step sizes for every initial value of level 0; the last one repeats for higher levels." },
  base: { label: "The base’s own", help: "The levels of the base experiment’s tower; its top level repeats for taller towers." },
};

/** How the number of runs comes about: `11 values × 4 heights × 3 seeds`. */
export function productInWords({ axes, heights, methods, stacks, seeds }: Study): string {
  if (methods) {
    const knobs = methods.list.reduce((sum, method) => sum + method.knobs.length, 0);
    const also = knobs === 0 ? "" : ` and ${plural(knobs, "other knob")}`;
    return `${plural(factorsOf(methods).length, "value")} × ${plural(methods.list.length, "method")}${also} × ${plural(seeds.length, "seed")}`;
  }
  const crossed = axes.filter(({ values }) => values.kind === "list" || values.kind === "grid");
  const sampled = axes.filter((axis) => !crossed.includes(axis));
  const parts = crossed.map((axis) => plural(countValues(axis.values), "value"));
  if (sampled.length > 0) parts.push(plural(countValues(sampled[0]!.values), "sample"));
  if (stacks?.some((one) => seedsOf({ seeds, stacks }, one).length !== seeds.length)) {
    return [...parts, `${plural(stacks.length, "stack")} with ${plural(stacks.reduce((sum, one) => sum + seedsOf({ seeds, stacks }, one).length, 0), "seed")} in all`].join(" × ");
  }
  if (stacks) parts.push(plural(stacks.length, "stack"));
  else if (heights) parts.push(plural(heights.values.length, "height"));
  return [...parts, plural(seeds.length, "seed")].join(" × ");
}

function modelInWords(model: Study["base"]["model"]): string {
  if (model.kind !== "mlp") return modelText(model);
  return `MLP with ${model.hidden.length === 0 ? "no hidden layer" : `${model.hidden.join(" → ")} hidden`}`;
}

/** The base experiment in one line. */
export function baseInWords({ base, heights, methods, stacks }: Study): string {
  const { model, dataset, budget, batchSize, shuffle } = base;
  const tower = stacks || methods ? "" : heights ? `${levelLabel(base.tower[0]!)} on the weights, ` : `${notation(base.tower)}, `;
  const { title, trainExamples } = dataFacts(dataset);
  const examples = dataset.trainExamples === trainExamples ? title : `${formatCount(dataset.trainExamples)} examples of ${title}`;
  return `${tower}${modelInWords(model)}, ${examples}, ${plural(budget.epochs, "epoch")}, batches of ${batchSize}${shuffle ? "" : ", not shuffled"}`;
}

/** Runs that need no more training, in percent. */
export function percentDone({ total, finished, diverged, failed, pruned, skipped }: Pick<StudySummary, "total" | "finished" | "diverged" | "failed" | "pruned" | "skipped">): number {
  return total === 0 ? 100 : (100 * (finished + diverged + failed + pruned + skipped)) / total;
}

/** What became of the runs: `84 of 132 finished, 6 diverged, 1 failed`. */
export function outcomesInWords({ total, finished, diverged, failed, pruned, skipped }: StudySummary): string {
  const parts = [`${formatCount(finished)} of ${formatCount(total)} finished`];
  if (diverged > 0) parts.push(`${formatCount(diverged)} diverged`);
  if (pruned > 0) parts.push(`${formatCount(pruned)} stopped early`);
  if (skipped > 0) parts.push(`${formatCount(skipped)} skipped`);
  if (failed > 0) parts.push(`${formatCount(failed)} failed`);
  return parts.join(", ");
}

/** Cost of a study: `about 42 min, 2 at a time · 119 MB of 41 GB free`. */
export function estimateInWords({ duration, workers, threads, cohort, disk, diskFree }: StudyEstimate): string {
  const time = duration === null ? "time unknown" : `about ${formatSeconds(duration / 1000)}`;
  const each = threads > 1 ? `, ${threads} threads each` : "";
  return `${time}, ${formatCount(workers)} at a time${each}${cohort === 1 ? "" : `, in cohorts of ${formatCount(cohort)}`} · ${formatBytes(disk)}${diskFree === null ? "" : ` of ${formatBytes(diskFree)} free`}`;
}

/** Why it should not be started. */
export function estimateProblem(estimate: StudyEstimate | null): string | null {
  if (!estimate || estimate.diskFree === null || estimate.disk <= estimate.diskFree) return null;
  return `Needs ${formatBytes(estimate.disk)} of disk space; ${formatBytes(estimate.diskFree)} are free`;
}
