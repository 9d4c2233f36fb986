/** Methods of a study: starting values, knobs, and their values at each factor of the published default. */
import { optimizers, optimizerSpec, describeDomain, inDomain, type HyperparameterSpec, type OptimizerName } from "../optimizers.ts";
import type { FieldError } from "../experiment.ts";
import { nameInLevel, partNamed } from "../groups.ts";
import { formatHyperparameter, type Level } from "../tower.ts";
import type { Knob, Method, Methods, Study } from "./study.ts";
import { axisValues, rangeErrors, rounded } from "./values.ts";

/** Hyperparameters that start what estimates its step size; `sInit` only where Mechanic is on. All others start with a step size. */
const firstGuesses = ["sInit", "d0", "firstMove"] as const;

/** Name of the hyperparameter that a level 0's starting value is. */
export function startingHyperparameter({ optimizer, mechanic = false }: { readonly optimizer: OptimizerName; readonly mechanic?: boolean }): string {
  const names: readonly string[] = optimizerSpec(optimizer).hyperparameters.map(({ name }) => name);
  return firstGuesses.find((name) => names.includes(name) && (name !== "sInit" || mechanic)) ?? names[0]!;
}

/** The starting value of a method and its other knobs, the starting value first. */
export function knobsOf({ tower, start, knobs }: Method): readonly [start: Knob, ...others: Knob[]] {
  return [start ?? { level: 0, hyperparameter: startingHyperparameter(tower[0]!), published: null }, ...knobs];
}

/** A knob of a method with its names and published default. */
export interface NamedKnob {
  /** Path, such as `L0.alpha` or `L1.alpha[bias]`. */
  readonly path: string;
  readonly level: number;
  readonly hyperparameter: string;
  readonly symbol: string;
  /** Name within a sentence: `step size`, `step size of level 1`. */
  readonly words: string;
  readonly published: number;
}

const settingsAt = (level: Level | undefined, group: string | null) => (group === null ? level : level?.groups.find(({ name }) => name === group));

/** Specification and value of a knob; undefined where the tower has none. */
function found(tower: readonly Level[], { level, hyperparameter }: Knob): { spec: HyperparameterSpec; value: number } | undefined {
  const { hyperparameter: name, group } = partNamed(hyperparameter);
  const settings = settingsAt(tower[level], group);
  const spec = settings && optimizerSpec(settings.optimizer).hyperparameters.find((known) => known.name === name);
  return spec && { spec, value: (settings as unknown as Record<string, number>)[name]! };
}

/** A label within a sentence; one that begins with a name, such as `Adam's multiple`, stays as it is. */
function withinSentence(label: string): string {
  const names = [...Object.values(optimizers).map((optimizer) => optimizer.label), "Mechanic"];
  return names.some((name) => label.startsWith(name)) ? label : label.charAt(0).toLowerCase() + label.slice(1);
}

/** @throws RangeError when the method's tower lacks the knob; `methodErrors` names such knobs before */
export function namedKnob({ name, tower }: Method, knob: Knob): NamedKnob {
  const { level, hyperparameter, published } = knob;
  const at = found(tower, knob);
  if (!at) throw new RangeError(`${name} has no ${knobPath(knob)}`);
  const { group } = partNamed(hyperparameter);
  const words = `${withinSentence(at.spec.label)}${group === null ? "" : ` of ${group}`}`;
  return {
    path: knobPath(knob),
    level,
    hyperparameter,
    symbol: nameInLevel(at.spec.symbol, group),
    words: level === 0 ? words : `${words} of level ${level}`,
    published: published ?? at.value,
  };
}

export const knobPath = ({ level, hyperparameter }: Pick<Knob, "level" | "hyperparameter">): string => `L${level}.${hyperparameter}`;

/** Factors of the published defaults, in the study's order. */
export function factorsOf({ factors }: Pick<Methods, "factors">): number[] {
  return axisValues([{ level: 0, hyperparameter: "alpha", values: factors }])[0]!;
}

/** A point of a method's sweeps. Only one of its factors differs from 1. */
export interface MethodSample {
  /** Factors of the starting value and of each knob, in the order of `knobsOf`. */
  readonly values: readonly number[];
  /** The initial hyperparameters at these factors. */
  readonly sets: readonly { readonly level: number; readonly hyperparameter: string; readonly value: number }[];
  /** Part of a run's key: `x0.01` for the starting value, `L1.alpha x0.01` for another knob. It does not depend on which other knobs are swept. */
  readonly key: string;
  readonly words: string;
}

/** Every point of a method: its starting value at each factor, then each other knob, whose factor 1 is the published default of all. */
export function methodSamples(methods: Methods, method: Method): MethodSample[] {
  const knobs = knobsOf(method);
  const named = knobs.map((knob) => namedKnob(method, knob));
  const factors = factorsOf(methods);
  return named.flatMap(({ path, symbol }, swept) =>
    factors.filter((factor) => swept === 0 || factor !== 1).map((factor): MethodSample => {
      const values = named.map((_, i) => (i === swept ? factor : 1));
      const sets = named.map(({ level, hyperparameter, published }, i) => ({ level, hyperparameter, value: rounded(published * values[i]!) }));
      return { values, sets, key: `${swept === 0 ? "" : `${path} `}x${factor}`, words: `${symbol} ${formatHyperparameter(sets[swept]!.value)}` };
    }),
  );
}

/** Whether a point is on the sweep of a knob, by its index in `knobsOf`: all other factors are 1. */
export function isOnSweep(values: readonly number[], knob: number): boolean {
  return values.every((factor, i) => i === knob || factor === 1);
}

/** The knob that a point varies, with its factor and initial value; the starting value at the published default. @throws RangeError when there is no such method */
export function sweptKnob(methods: Methods, name: string, values: readonly number[]): { readonly knob: NamedKnob; readonly factor: number; readonly initial: number } {
  const method = methods.list.find((known) => known.name === name);
  if (!method) throw new RangeError(`the study has no method ${name}`);
  const swept = Math.max(0, values.findIndex((factor) => factor !== 1));
  const knob = namedKnob(method, knobsOf(method)[swept]!);
  const factor = values[swept]!;
  return { knob, factor, initial: rounded(knob.published * factor) };
}

/** Where a point is on the sweeps of its method: `α 1e-5`, `α of level 1 1e-7`. */
export function sweepWords(methods: Methods, name: string, values: readonly number[]): string {
  const { knob, initial } = sweptKnob(methods, name, values);
  return `${knob.symbol}${knob.level === 0 ? "" : ` of level ${knob.level}`} ${formatHyperparameter(initial)}`;
}

/** Number of points of all methods. */
export function countMethodSamples(methods: Methods): number {
  const factors = factorsOf(methods);
  const others = factors.filter((factor) => factor !== 1).length;
  return methods.list.reduce((sum, { knobs }) => sum + factors.length + knobs.length * others, 0);
}

/** Errors of methods that contradict each other, their tower or a domain. */
export function methodErrors({ axes, heights, stacks, methods }: Pick<Study, "axes" | "heights" | "stacks" | "methods">): FieldError[] {
  if (!methods) return [];
  const errors: FieldError[] = [];
  const refuse = (path: string, message: string) => errors.push({ path, message });
  if (heights || stacks) refuse("methods", `a study compares methods or ${heights ? "heights" : "stacks"}, not both`);
  if (axes.length > 0) refuse("axes", "a study of methods varies their starting values by methods.factors; leave out axes");
  const range = rangeErrors(methods.factors, "methods.factors");
  if (range.length > 0) return [...errors, ...range];
  const factors = factorsOf(methods);
  const wrong = factors.find((factor) => factor <= 0);
  if (wrong !== undefined) refuse("methods.factors", `a factor is ${formatHyperparameter(wrong)}; allowed: greater than 0`);
  else if (!factors.includes(1)) refuse("methods.factors", "the factors lack 1, the published default; choose for example a grid from 1e-4 to 1e4 with 9 points");
  if (new Set(factors).size < factors.length) refuse("methods.factors", "a factor is there twice");
  const names = methods.list.map(({ name }) => name);
  methods.list.forEach((method, i) => {
    if (names.indexOf(method.name) < i) refuse(`methods.list.${i}.name`, `there are two methods named ${method.name}`);
    const knobs = knobsOf(method);
    knobs.forEach((knob, k) => {
      const path = `methods.list.${i}.${k === 0 ? "start" : `knobs.${k - 1}`}`;
      const message = knobError(method, knob, knobs.slice(0, k), factors);
      if (message !== null) refuse(path, message);
    });
  });
  return errors;
}

function knobError({ name, tower }: Method, knob: Knob, earlier: readonly Knob[], factors: readonly number[]): string | null {
  const path = knobPath(knob);
  if (knob.level >= tower.length) return `there is no level ${knob.level} in ${name}, whose levels are 0 to ${tower.length - 1}`;
  const at = found(tower, knob);
  if (!at) {
    const { group } = partNamed(knob.hyperparameter);
    const settings = settingsAt(tower[knob.level], group);
    if (!settings) return `level ${knob.level} of ${name} has no group ${group}`;
    return `${optimizers[settings.optimizer].label}, level ${knob.level} of ${name}, has no ${partNamed(knob.hyperparameter).hyperparameter}; it has: ${optimizers[settings.optimizer].hyperparameters.map((spec) => spec.name).join(", ")}`;
  }
  if (earlier.some((other) => knobPath(other) === path)) return `${name} sweeps ${path} already`;
  const published = knob.published ?? at.value;
  if (!(published > 0)) return `${path} of ${name} is ${formatHyperparameter(published)}, and factors of it are no sweep; set published to a value greater than 0`;
  const outside = factors.filter((factor) => factor > 0).map((factor) => rounded(published * factor)).find((value) => !inDomain(value, at.spec.domain));
  return outside === undefined ? null : `${path} of ${name} would be ${formatHyperparameter(outside)}; allowed: ${describeDomain(at.spec.domain)}`;
}
