/** Expands a study into its runs. */
import { maxOf } from "../extent.ts";
import { longSchedules, type Experiment, type FieldError } from "../experiment.ts";
import { describeDomain, inDomain, optimizerSpec } from "../optimizers.ts";
import { partNamed } from "../groups.ts";
import { madeSafe } from "../safe.ts";
import { formatHyperparameter, tower } from "../tower.ts";
import { countMethodSamples, methodErrors } from "./methods.ts";
import { seedsOf, stackErrors } from "./stacks.ts";
import { maxStudyRuns, type Axis, type Study } from "./study.ts";
import { axisValues, countValues, isSampled, rangeErrors } from "./values.ts";
import { setBy } from "./heights.ts";
import { shortestEpochs, towerAt, variants, type Variant } from "./variants.ts";

/** A cell of a study: one combination of height or stack, axis values and seed. */
export interface StudyCell {
  /** Depends only on height (or stack, or method), values and seed, so that it survives an extension: `h1|L0.alpha=0.01|s0`. */
  readonly key: string;
  /** Number of levels above level 0. */
  readonly height: number;
  /** Name of the stack or method, in a study that compares those. */
  readonly stack?: string;
  /** Values in the order of the axes; in a study of methods, factors of its starting value and of its knobs (`knobsOf`). */
  readonly values: readonly number[];
  readonly seed: number;
  readonly experiment: Experiment;
  /**
   * For a rerun, the cell whose run it follows. Its `experiment` then has the source's initial values. It is a
   * placeholder for the experiment to train (`reruns.ts`) where only size and structure matter.
   */
  readonly source?: StudyCell;
}

const stepSize = optimizerSpec("sgd").hyperparameters.find(({ name }) => name === "alpha")!.domain;

export type Expansion = { ok: true; cells: StudyCell[] } | { ok: false; errors: FieldError[] };

/** Number of runs of a study, without expanding it. */
export function countRuns(study: Study): number {
  const { axes, heights, methods, seeds, stacks } = study;
  if (methods) return countMethodSamples(methods) * seeds.length;
  const seedRuns = stacks ? stacks.reduce((sum, stack) => sum + seedsOf(study, stack).length, 0) : (heights?.values.length ?? 1) * seeds.length;
  return seedRuns * countSamples(axes);
}

/** Number of points of all axes; sampled axes are sampled together and count once. */
function countSamples(axes: readonly Axis[]): number {
  const sampled = axes.filter(({ values }) => isSampled(values)).map(({ values }) => countValues(values));
  const crossed = axes.filter(({ values }) => !isSampled(values)).map(({ values }) => countValues(values));
  return crossed.reduce((product, n) => product * n, sampled.length === 0 ? 1 : maxOf(sampled));
}

/** Every run of a study, with heights outermost and seeds innermost, or errors that name the fields at fault. */
export function expandStudy(study: Study): Expansion {
  const contradictions = [...shapeErrors(study), ...study.axes.flatMap((axis, i) => rangeErrors(axis.values, `axes.${i}.values`))];
  if (contradictions.length > 0) return { ok: false, errors: contradictions };
  const { axes, base, safe } = study;
  const values = axisValues(axes);
  const all = variants(study, values);
  const errors = [...repeatedValues(values), ...axisErrors(study, all, values)];
  if (errors.length > 0) return { ok: false, errors };

  const cells = new Map<string, StudyCell>();
  const sources = new Map<string, string>();
  for (const variant of all) {
    for (const sample of variant.samples) {
      const levels = towerAt(variant, sample);
      const checked = tower.safeParse(levels);
      if (!checked.success) {
        const { path, message } = checked.error.issues[0]!;
        const at = [variant.label, ...sample.words].filter(Boolean).join(", ");
        return { ok: false, errors: [{ path: variant.path, message: `${at}: tower.${path.join(".")}: ${message}` }] };
      }
      const keyOf = (key: string, seed: number) => [key, ...sample.keys, `s${seed}`].join("|");
      for (const seed of variant.seeds) {
        const key = keyOf(variant.key, seed);
        if (variant.rerunOf !== undefined) sources.set(key, keyOf(variant.rerunOf, seed));
        const name = [study.name || base.name || "Study", variant.label, ...sample.words, `seed ${seed}`].filter(Boolean).join(", ");
        const experiment = { ...base, name: name.slice(0, 200), tower: checked.data, budget: { ...base.budget, epochs: variant.epochs }, seed };
        const [long] = longSchedules(experiment);
        if (long) return { ok: false, errors: [{ path: variant.path, message: `${[variant.label, ...sample.words].filter(Boolean).join(", ")}: ${long.path.join(".")}: ${long.message}` }] };
        cells.set(key, {
          key,
          height: variant.height,
          ...(variant.stack !== undefined && { stack: variant.stack }),
          values: sample.values,
          seed,
          experiment: safe ? madeSafe(experiment) : experiment,
        });
      }
    }
  }
  // In a second pass: a rerun may precede its source stack.
  return { ok: true, cells: [...cells.values()].map((cell) => (sources.has(cell.key) ? { ...cell, source: cells.get(sources.get(cell.key)!)! } : cell)) };
}

/** Contradictions in the study's form, which do not depend on axis values. */
function shapeErrors(study: Study): FieldError[] {
  const { axes, cohort, halving, heights, seeds, stacks } = study;
  const errors: FieldError[] = [];
  const refuse = (path: string, message: string) => errors.push({ path, message });

  if (heights && stacks) refuse("stacks", "a study compares heights or stacks, not both");
  axes.forEach(({ level, hyperparameter }, i) => {
    const same = axes.findIndex((other) => other.level === level && other.hyperparameter === hyperparameter);
    if (same < i) refuse(`axes.${i}.hyperparameter`, `axis ${same} varies ${hyperparameter} of level ${level} already`);
  });
  repeated(seeds).forEach((i) => refuse(`seeds.${i}`, `seed ${seeds[i]!} is there twice`));
  if (heights) {
    const { values, rule, upperAt } = heights;
    repeated(values).forEach((i) => refuse(`heights.values.${i}`, `height ${values[i]!} is there twice`));
    for (const at of Object.keys(upperAt)) {
      if (!values.includes(Number(at))) refuse(`heights.upperAt.${at}`, `there is no height ${at} in heights.values`);
    }
    if (rule.kind === "fixed") {
      rule.alphas.forEach((alpha, i) => {
        if (!inDomain(alpha, stepSize)) refuse(`heights.rule.alphas.${i}`, `a step size is ${alpha}; allowed: ${describeDomain(stepSize)}`);
      });
    }
    const max = setBy(rule);
    values.forEach((value, i) => {
      if (value > max) refuse(`heights.values.${i}`, `height is ${value}; rule ${rule.kind} names ${max} levels above level 0`);
    });
  }
  errors.push(...stackErrors(study), ...methodErrors(study));
  const sampled = axes.flatMap(({ values }, i) => (isSampled(values) ? [{ i, points: values.points }] : []));
  for (const { i, points } of sampled.slice(1)) {
    const first = sampled[0]!;
    if (points !== first.points) {
      refuse(`axes.${i}.values.points`, `sampled axes are sampled together: points is ${points}, but ${first.points} for axis ${first.i}`);
    }
  }
  if (halving) {
    if (cohort !== "auto" && cohort > 1) refuse("cohort", `cohort is ${cohort}, and successive halving ends the runs of a cohort at different steps; allowed with it: 1`);
    if (study.base.evaluation.every === "end") refuse("halving", "halving compares runs at its rungs, and base.evaluation.every is end: they are not evaluated before");
    const shortest = shortestEpochs(study);
    halving.rungs.forEach((rung, i) => {
      if (i > 0 && rung <= halving.rungs[i - 1]!) refuse(`halving.rungs.${i}`, `rung ${rung} must be later than rung ${halving.rungs[i - 1]!}`);
      else if (rung >= shortest) refuse(`halving.rungs.${i}`, `rung ${rung} must come before the end of training, epoch ${shortest}`);
    });
  }
  const runs = countRuns(study);
  if (runs > maxStudyRuns) refuse("", `the study has ${runs.toLocaleString("en")} runs; at most ${maxStudyRuns.toLocaleString("en")} are allowed`);
  return errors;
}

/** Axes whose level or hyperparameter does not exist in a variant, or whose values are out of range. */
function axisErrors({ axes, heights }: Study, all: readonly Variant[], values: readonly number[][]): FieldError[] {
  return axes.flatMap(({ level, hyperparameter }, i): FieldError[] => {
    const path = `axes.${i}`;
    const rule = heights?.rule.kind;
    if (level > 0 && hyperparameter === "alpha" && rule !== undefined && rule !== "base") {
      return [{ path: `${path}.level`, message: `rule ${rule} sets the step size of level ${level}; choose the rule base, or an axis on level 0` }];
    }
    for (const variant of all) {
      // A rerun has no upper levels; its source run has them, and its axis values apply there.
      if (variant.rerunOf !== undefined) continue;
      const at = variant.label || "the base's tower";
      if (level > variant.height) return [{ path: `${path}.level`, message: `there is no level ${level} at ${at}, whose levels are 0 to ${variant.height}` }];
      const own = variant.levels(variant.bottom)[level]!;
      const { hyperparameter: name, group } = partNamed(hyperparameter);
      const settings = group === null ? own : own.groups.find((known) => known.name === group);
      if (!settings) {
        const known = own.groups.length === 0 ? "it has no groups" : `it has: ${own.groups.map(({ name: known }) => known).join(", ")}`;
        return [{ path: `${path}.hyperparameter`, message: `level ${level} at ${at} has no group ${group}; ${known}` }];
      }
      const { label, hyperparameters } = optimizerSpec(settings.optimizer);
      const spec = hyperparameters.find((known) => known.name === name);
      if (!spec) {
        const known = hyperparameters.map(({ name: known }) => known).join(", ");
        return [{ path: `${path}.hyperparameter`, message: `${label}, level ${level} at ${at}, has no ${name}; it has: ${known}` }];
      }
      const outside = values[i]!.find((value) => !inDomain(value, spec.domain));
      if (outside !== undefined) {
        return [{ path: `${path}.values`, message: `${label} ${hyperparameter} would be ${formatHyperparameter(outside)}; allowed: ${describeDomain(spec.domain)}` }];
      }
    }
    return [];
  });
}

function repeatedValues(values: readonly number[][]): FieldError[] {
  return values.flatMap((list, i) => repeated(list).slice(0, 1).map((at) => ({ path: `axes.${i}.values`, message: `the value ${formatHyperparameter(list[at]!)} is there twice` })));
}

/** Indices of items that repeat an earlier one. */
function repeated(list: readonly unknown[]): number[] {
  const seen = new Set<unknown>();
  return list.flatMap((item, i) => (seen.size === seen.add(item).size ? [i] : []));
}
