/** Names and scales of a study's axes. */
import { optimizers, type HyperparameterSpec } from "../optimizers.ts";
import { nameInLevel, partNamed } from "../groups.ts";
import type { Study } from "./study.ts";

export interface StudyAxis {
  /** Index in a point's values and, except in a study of methods, in `study.axes`. */
  readonly index: number;
  readonly level: number;
  readonly hyperparameter: string;
  readonly symbol: string;
  /** Short name: `α of level 0`. */
  readonly label: string;
  /** Title in place of one made from symbol and words. */
  readonly title?: string;
  /** Name within a sentence: `step size`, `momentum of level 1`. */
  readonly words: string;
  /** `log`: all values are positive and spaced by factors. */
  readonly scale: "log" | "linear";
}

function specOf(study: Study, level: number, name: string, group: string | null): HyperparameterSpec | undefined {
  const specs = (optimizer: keyof typeof optimizers): readonly HyperparameterSpec[] => optimizers[optimizer].hyperparameters;
  const settings = study.base.tower[level] ?? study.heights?.upper ?? study.base.tower[0];
  const own = (settings?.groups.find(({ name: known }) => known === group) ?? settings)?.optimizer;
  const all = [...(own ? specs(own) : []), ...(Object.keys(optimizers) as (keyof typeof optimizers)[]).flatMap(specs)];
  return all.find((spec) => spec.name === name);
}

/** The axis of a study of methods: each starting value as a factor of its published default. */
const factorAxis: StudyAxis = {
  index: 0,
  level: 0,
  hyperparameter: "start",
  symbol: "factor",
  label: "starting value / published default",
  title: "Starting value as a factor of its published default",
  words: "starting value",
  scale: "log",
};

/** @throws RangeError when the study has no such axis */
export function studyAxis(study: Study, index: number): StudyAxis {
  if (study.methods && index === 0) return factorAxis;
  const axis = study.axes[index];
  if (!axis) throw new RangeError(`the study has no axis ${index}; it has ${study.axes.length}`);
  const { level, hyperparameter, values } = axis;
  const { hyperparameter: own, group } = partNamed(hyperparameter);
  const spec = specOf(study, level, own, group);
  const symbol = nameInLevel(spec?.symbol ?? own, group);
  const name = `${(spec?.label ?? own).toLowerCase()}${group === null ? "" : ` of ${group}`}`;
  const scale = values.kind === "list" ? (spec?.scale === "log" && values.values.every((value) => value > 0) ? "log" : "linear") : values.scale;
  return {
    index,
    level,
    hyperparameter,
    symbol,
    label: `${symbol} of level ${level}`,
    words: level === 0 ? name : `${name} of level ${level}`,
    scale,
  };
}

export function studyAxes(study: Study): StudyAxis[] {
  if (study.methods) return [factorAxis];
  return study.axes.map((_, index) => studyAxis(study, index));
}

/** Position of a value on an axis; in decades on a logarithmic axis. */
export function positionOn(scale: StudyAxis["scale"], value: number): number {
  return scale === "log" ? Math.log10(value) : value;
}

/** Value at a position. */
export function valueOn(scale: StudyAxis["scale"], position: number): number {
  return scale === "log" ? 10 ** position : position;
}
