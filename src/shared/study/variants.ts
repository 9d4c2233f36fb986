/** The series of a study, each with its towers and points: heights, named stacks, methods, or the base's own tower. */
import { partNamed } from "../groups.ts";
import { formatHyperparameter, height, type Level } from "../tower.ts";
import { towerOfHeight } from "./heights.ts";
import { methodSamples } from "./methods.ts";
import { epochsOf, levelsOf, seedsOf } from "./stacks.ts";
import type { Axis, Study } from "./study.ts";
import { isSampled } from "./values.ts";

/** A point of a variant: initial hyperparameters, and what they are called. */
export interface Sample {
  /** Values in the order of the axes; for a method, factors of its starting value and knobs. */
  readonly values: readonly number[];
  readonly sets: readonly { readonly level: number; readonly hyperparameter: string; readonly value: number }[];
  /** Parts of a cell's key. */
  readonly keys: readonly string[];
  /** Parts of a run's name. */
  readonly words: readonly string[];
}

/** A series of the study: a height, a named stack, a method, or the base's own tower. */
export interface Variant {
  /** Path of the study's field that defines it. */
  readonly path: string;
  readonly key: string;
  readonly label: string;
  readonly height: number;
  /** Name of a stack or method. */
  readonly stack?: string;
  readonly epochs: number;
  readonly seeds: readonly number[];
  /** Key of the variant to rerun. */
  readonly rerunOf?: string;
  /** The tower on top of a level 0 with axis values. */
  levels(bottom: Level): Level[];
  readonly bottom: Level;
  readonly samples: readonly Sample[];
}

const nameKey = (name: string) => name.replaceAll("|", "/");

/** @param values of every axis */
export function variants(study: Study, values: readonly number[][]): Variant[] {
  const { axes, base, heights, methods, seeds, stacks } = study;
  const { epochs } = base.budget;
  const asItIs = (levels: readonly Level[]) => ({ height: height(levels), bottom: levels[0]!, levels: (bottom: Level) => [bottom, ...levels.slice(1)] });
  if (methods) {
    return methods.list.map((method, i) => ({
      ...asItIs(method.tower),
      path: `methods.list.${i}`,
      key: nameKey(method.name),
      label: method.name,
      stack: method.name,
      epochs,
      seeds,
      samples: methodSamples(methods, method).map(({ key, words, ...sample }) => ({ ...sample, keys: [key], words: [words] })),
    }));
  }
  const samples = crossed(axes, values).map((point) => axisSample(axes, point));
  if (stacks) {
    return stacks.map((stack, i) => ({
      ...asItIs(levelsOf(stacks, stack)),
      path: `stacks.${i}`,
      key: nameKey(stack.name),
      label: stack.name,
      stack: stack.name,
      epochs: epochsOf(study, stack),
      seeds: seedsOf(study, stack),
      samples,
      ...(stack.rerunOf !== null && { rerunOf: nameKey(stack.rerunOf) }),
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
      samples,
      bottom: base.tower[0]!,
      levels: (bottom) => towerOfHeight(value, bottom, heights, base.tower),
    }));
  }
  return [{ ...asItIs(base.tower), path: "base.tower", key: `h${height(base.tower)}`, label: "", epochs, seeds, samples }];
}

/** Epochs of the shortest run. */
export function shortestEpochs(study: Study): number {
  return Math.min(...(study.stacks ?? []).map((stack) => epochsOf(study, stack)), ...(study.stacks ? [] : [study.base.budget.epochs]));
}

function axisSample(axes: readonly Axis[], values: readonly number[]): Sample {
  return {
    values,
    sets: axes.map(({ level, hyperparameter }, i) => ({ level, hyperparameter, value: values[i]! })),
    keys: axes.map(({ level, hyperparameter }, i) => `L${level}.${hyperparameter}=${values[i]!}`),
    words: axes.map(({ level, hyperparameter }, i) => `L${level} ${hyperparameter} ${formatHyperparameter(values[i]!)}`),
  };
}

/** The tower of a variant at a point. Level 0 comes first because the rule for upper levels may use its step size. */
export function towerAt({ bottom, levels }: Variant, { sets }: Sample): Level[] {
  const set = (settings: Level, level: number) => sets.reduce((at, own) => (own.level === level ? withValue(at, own.hyperparameter, own.value) : at), settings);
  return levels(set(bottom, 0)).map((settings, level) => (level === 0 ? settings : set(settings, level)));
}

/** Sets a hyperparameter of a level, `alpha`, or of one of its groups, `alpha[bias]`. */
function withValue(settings: Level, name: string, value: number): Level {
  const { hyperparameter, group } = partNamed(name);
  if (group === null) return { ...settings, [hyperparameter]: value };
  return { ...settings, groups: settings.groups.map((own) => (own.name === group ? { ...own, [hyperparameter]: value } : own)) };
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
