/** Compares engines with the float64 reference. */
import type { Engine, StateValues } from "../../src/core/engines/engine.ts";
import { referenceEngine } from "../../src/core/engines/reference/engine.ts";
import type { TowerLevel } from "../../src/core/hyperoptimizers/tower.ts";
import type { Node, OpName } from "../../src/core/program/node.ts";
import { makeProgram } from "../../src/core/program/program.ts";
import { difference } from "./difference.ts";
import { batchSize, modelProblem, type ModelCase } from "./modelProblems.ts";
import { samples, sampleState } from "./operationSamples.ts";
import { smallProblem } from "./problems.ts";

/** Maximum difference of a float32 engine from the float64 reference, relative to the largest entry; docs/engines.md has the same table. */
export const tolerances = {
  /** One operation: a few roundings of 6e-8 each. */
  operation: 2e-6,
  /** A sum of products over an axis of some thousands, added in sequence. */
  longProduct: 1e-5,
  /** Losses and hyperparameters of 30 steps of an MLP under any stack: rounding errors accumulate and pass through square roots and divisions. */
  stack: 2e-4,
  /** Its weights, slots and gradients after them. */
  stackState: 4e-3,
  /** Losses and hyperparameters of 12 steps of any model: batch statistics and gates propagate rounding errors. */
  model: 1e-3,
  /** Its weights and buffers after them. */
  modelState: 1e-2,
} as const;

export async function trained(engine: Engine, levels: readonly TowerLevel[], steps: number) {
  const { training, initialState, batchSize, batch } = smallProblem(levels);
  const executable = await engine.compile(training.program, { threads: 1 });
  executable.restore(initialState);
  const losses: number[] = [];
  for (let t = 0; t < steps; t++) losses.push((await executable.run(`${t === 0 ? "begin" : "step"}@${batchSize}`, batch(t)))["loss"]!);
  const hyperparameters = Object.values(await executable.run("settle"));
  const evaluation = await executable.run(`evaluate@${batchSize}`, batch(0));
  const state: StateValues = await executable.state();
  await executable.dispose();
  return { losses, hyperparameters, evaluation, state };
}

type Inputs = (typeof samples)["add"][number]["inputs"];

/** The value of an operation's sample on an engine. */
export async function resultOf(engine: Engine, inputs: Inputs, result: Node): Promise<Float64Array> {
  const program = makeProgram({ run: { outputs: {}, updates: { result } } });
  const given = Object.fromEntries(inputs.map(({ node, values }) => [node.op === "input" ? node.attributes.name : "", values]));
  const executable = await engine.compile(program, { threads: 1 });
  executable.restore(Object.fromEntries(Object.entries(sampleState).filter(([name]) => program.state.some((v) => v.name === name))));
  await executable.run("run", given);
  const value = (await executable.state())["result"]!;
  await executable.dispose();
  return value;
}

/** Many steps of a model, an evaluation of its final weights, and the state before and after the evaluation. */
export async function trainedModel(engine: Engine, of: ModelCase, count: number) {
  const { training, initialState, batch } = modelProblem(of);
  const executable = await engine.compile(training.program, { threads: 1 });
  executable.restore(initialState);
  const losses: number[] = [];
  for (let t = 0; t < count; t++) losses.push((await executable.run(`${t === 0 ? "begin" : "step"}@${batchSize}`, batch(t)))["loss"]!);
  const hyperparameters = Object.values(await executable.run("settle"));
  const before = await executable.state();
  const evaluation = await executable.run(`evaluate@${batchSize}`, batch(0));
  const after = await executable.state();
  await executable.dispose();
  return { losses, hyperparameters, evaluation, before, after };
}

/** Maximum differences of an engine from the reference. */
export async function operationDifference(engine: Engine, op: OpName): Promise<number> {
  let worst = 0;
  for (const { inputs, result } of samples[op]) {
    worst = Math.max(worst, difference(await resultOf(engine, inputs, result), await resultOf(referenceEngine, inputs, result)));
  }
  return worst;
}

/** What the reference computes is computed once, however many engines are compared with it. */
function remembered<Key extends object, Result>(compute: (key: Key, steps: number) => Promise<Result>): (key: Key, steps: number) => Promise<Result> {
  const known = new Map<number, Map<Key, Promise<Result>>>();
  return (key, steps) => {
    const ofSteps = known.get(steps) ?? new Map<Key, Promise<Result>>();
    known.set(steps, ofSteps);
    const result = ofSteps.get(key) ?? compute(key, steps);
    ofSteps.set(key, result);
    return result;
  };
}

const referenceStack = remembered((levels: readonly TowerLevel[], steps) => trained(referenceEngine, levels, steps));
const referenceModel = remembered((of: ModelCase, steps) => trainedModel(referenceEngine, of, steps));

export interface Agreement {
  /** Over losses and hyperparameters of every step, and the evaluation. */
  readonly values: number;
  readonly state: number;
}

export async function stackAgreement(engine: Engine, levels: readonly TowerLevel[], steps: number): Promise<Agreement> {
  const [ours, reference] = [await trained(engine, levels, steps), await referenceStack(levels, steps)];
  return {
    values: Math.max(
      difference(ours.losses, reference.losses),
      difference(ours.hyperparameters, reference.hyperparameters),
      ours.evaluation["errors"] === reference.evaluation["errors"] ? 0 : Infinity,
    ),
    state: Math.max(0, ...Object.entries(reference.state).map(([name, expected]) => difference(ours.state[name]!, expected))),
  };
}

export async function modelAgreement(engine: Engine, of: ModelCase, steps: number): Promise<Agreement> {
  const [ours, reference] = [await trainedModel(engine, of, steps), await referenceModel(of, steps)];
  const apart = (a: ArrayLike<number>, b: ArrayLike<number>) => difference(a, b, 1e-2);
  const buffersAndWeights = Object.entries(reference.after).filter(([name]) => !/^L\d/.test(name));
  return {
    values: Math.max(
      apart(ours.losses, reference.losses),
      apart(ours.hyperparameters, reference.hyperparameters),
      apart([ours.evaluation["loss"]!], [reference.evaluation["loss"]!]),
    ),
    state: Math.max(0, ...buffersAndWeights.map(([name, expected]) => apart(ours.after[name]!, expected))),
  };
}
