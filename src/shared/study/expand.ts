/** Expands a study into its runs. */
import { maxOf, minOf } from "../extent.ts";
import { longSchedules, type Experiment, type FieldError } from "../experiment.ts";
import { describeDomain, inDomain, optimizerSpec } from "../optimizers.ts";
import { partNamed } from "../groups.ts";
import { madeSafe } from "../safe.ts";
import { formatHyperparameter, height, tower, type Level } from "../tower.ts";
import { epochsOf, levelsOf, seedsOf, stackErrors } from "./stacks.ts";
import { maxStudyRuns, type Axis, type Study } from "./study.ts";
import { axisValues, countValues, isSampled, rangeErrors } from "./values.ts";
import { setBy, towerOfHeight } from "./heights.ts";

/** A cell of a study: one combination of height or stack, axis values and seed. */
export interface StudyCell {
  /** Depends only on height (or stack), values and seed, so that it survives an extension: `h1|L0.alpha=0.01|s0`. */
  readonly key: string;
  /** Number of levels above level 0. */
  readonly height: number;
  /** The stack's name, in a study that compares stacks. */
  readonly stack?: string;
  /** Values in the order of the axes. */
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
  const { axes, heights, seeds, stacks } = study;
  const seedRuns = stacks ? stacks.reduce((sum, stack) => sum + seedsOf(study, stack).length, 0) : (heights?.values.length ?? 1) * seeds.length;
  return seedRuns * countSamples(axes);
}

/** Number of points of all axes; sampled axes are sampled together and count once. */
function countSamples(axes: readonly Axis[]): number {
  const sampled = axes.filter(({ values }) => isSampled(values)).map(({ values }) => countValues(values));
  const crossed = axes.filter(({ values }) => !isSampled(values)).map(({ values }) => countValues(values));
  return crossed.reduce((product, n) => product * n, sampled.length === 0 ? 1 : maxOf(sampled));
}

/** A tower of the study: a height, a named stack, or the base's own. */
interface Variant {
  /** Path of the study's field that defines it. */
  readonly path: string;
  readonly key: string;
  readonly label: string;
  readonly height: number;
  readonly stack?: string;
  readonly epochs: number;
  readonly seeds: readonly number[];
  /** Key of the variant to rerun. */
  readonly rerunOf?: string;
  /** The tower on top of a level 0 with axis values. */
  levels(bottom: Level): Level[];
  readonly bottom: Level;
}

const stackKey = (name: string) => name.replaceAll("|", "/");

function variants(study: Study): Variant[] {
  const { base, heights, seeds, stacks } = study;
  const { epochs } = base.budget;
  const asItIs = (levels: readonly Level[]) => ({ height: height(levels), bottom: levels[0]!, levels: (bottom: Level) => [bottom, ...levels.slice(1)] });
  if (stacks) {
    return stacks.map((stack, i) => ({
      ...asItIs(levelsOf(stacks, stack)),
      path: `stacks.${i}`,
      key: stackKey(stack.name),
      label: stack.name,
      stack: stack.name,
      epochs: epochsOf(study, stack),
      seeds: seedsOf(study, stack),
      ...(stack.rerunOf !== null && { rerunOf: stackKey(stack.rerunOf) }),
    }));
  }
  if (heights) {
    return heights.values.map((value, i) => ({
      path: `heights.values.${i}`,
      key: `h${value}`,
      label: `height ${value}`,
      height: value,
      epochs,
      seeds,
      bottom: base.tower[0]!,
      levels: (bottom) => towerOfHeight(value, bottom, heights, base.tower),
    }));
  }
  return [{ ...asItIs(base.tower), path: "base.tower", key: `h${height(base.tower)}`, label: "", epochs, seeds }];
}

/** Every run of a study, with heights outermost and seeds innermost, or errors that name the fields at fault. */
export function expandStudy(study: Study): Expansion {
  const contradictions = [...shapeErrors(study), ...study.axes.flatMap((axis, i) => rangeErrors(axis.values, `axes.${i}.values`))];
  if (contradictions.length > 0) return { ok: false, errors: contradictions };
  const { axes, base, safe } = study;
  const values = axisValues(axes);
  const all = variants(study);
  const errors = [...repeatedValues(values), ...axisErrors(study, all, values)];
  if (errors.length > 0) return { ok: false, errors };

  const samples = crossed(axes, values);
  const cells = new Map<string, StudyCell>();
  const sources = new Map<string, string>();
  for (const variant of all) {
    for (const sample of samples) {
      const levels = stackAt(variant, axes, sample);
      const checked = tower.safeParse(levels);
      if (!checked.success) {
        const { path, message } = checked.error.issues[0]!;
        const at = [variant.label, ...describe(axes, sample)].filter(Boolean).join(", ");
        return { ok: false, errors: [{ path: variant.path, message: `${at}: tower.${path.join(".")}: ${message}` }] };
      }
      const point = axes.map(({ level, hyperparameter }, i) => `L${level}.${hyperparameter}=${sample[i]!}`);
      const keyOf = (key: string, seed: number) => [key, ...point, `s${seed}`].join("|");
      for (const seed of variant.seeds) {
        const key = keyOf(variant.key, seed);
        if (variant.rerunOf !== undefined) sources.set(key, keyOf(variant.rerunOf, seed));
        const name = [study.name || base.name || "Study", variant.label, ...describe(axes, sample), `seed ${seed}`].filter(Boolean).join(", ");
        const experiment = { ...base, name: name.slice(0, 200), tower: checked.data, budget: { ...base.budget, epochs: variant.epochs }, seed };
        const [long] = longSchedules(experiment);
        if (long) return { ok: false, errors: [{ path: variant.path, message: `${[variant.label, ...describe(axes, sample)].filter(Boolean).join(", ")}: ${long.path.join(".")}: ${long.message}` }] };
        cells.set(key, {
          key,
          height: variant.height,
          ...(variant.stack !== undefined && { stack: variant.stack }),
          values: sample,
          seed,
          experiment: safe ? madeSafe(experiment) : experiment,
        });
      }
    }
  }
  // In a second pass: a rerun may precede its source stack.
  return { ok: true, cells: [...cells.values()].map((cell) => (sources.has(cell.key) ? { ...cell, source: cells.get(sources.get(cell.key)!)! } : cell)) };
}

/** The tower of a variant at a point. Level 0 comes first because the rule for upper levels may use its step size. */
function stackAt({ bottom, levels }: Variant, axes: readonly Axis[], sample: readonly number[]): Level[] {
  const set = (settings: Level, level: number) => axes.reduce((at, axis, i) => (axis.level === level ? withValue(at, axis.hyperparameter, sample[i]!) : at), settings);
  return levels(set(bottom, 0)).map((settings, level) => (level === 0 ? settings : set(settings, level)));
}

/** Sets a hyperparameter of a level, `alpha`, or of one of its groups, `alpha[bias]`. */
function withValue(settings: Level, name: string, value: number): Level {
  const { hyperparameter, group } = partNamed(name);
  if (group === null) return { ...settings, [hyperparameter]: value };
  return { ...settings, groups: settings.groups.map((own) => (own.name === group ? { ...own, [hyperparameter]: value } : own)) };
}

function describe(axes: readonly Axis[], sample: readonly number[]): string[] {
  return axes.map(({ level, hyperparameter }, i) => `L${level} ${hyperparameter} ${formatHyperparameter(sample[i]!)}`);
}

/** Cross product of lists and grids, with the first axis outermost. The sampled axes form one factor at the position of the first of them. */
function crossed(axes: readonly Axis[], values: readonly number[][]): number[][] {
  const sampled = axes.flatMap((axis, i) => (isSampled(axis.values) ? [i] : []));
  let points: number[][] = [[]];
  axes.forEach((axis, i) => {
    if (!isSampled(axis.values)) points = points.flatMap((point) => values[i]!.map((value) => placed(point, i, value)));
    else if (i === sampled[0]) {
      points = points.flatMap((point) => values[i]!.map((_, sample) => sampled.reduce((at, axis) => placed(at, axis, values[axis]![sample]!), point)));
    }
  });
  return points;
}

function placed(point: readonly number[], index: number, value: number): number[] {
  const copy = [...point];
  copy[index] = value;
  return copy;
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
  errors.push(...stackErrors(study));
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
    const shortest = minOf(variants(study).map(({ epochs }) => epochs));
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
