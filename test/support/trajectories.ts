/**
 * What a horizon sees, from the program and from central differences of whole trainings in float64.
 * The upper levels must move nothing: step sizes of 0.
 */
import type { InputValue, StateValues } from "../../src/core/engines/engine.ts";
import { ReferenceExecutable } from "../../src/core/engines/reference/engine.ts";
import type { TrainingProgram } from "../../src/core/training/trainingProgram.ts";

export interface Problem {
  readonly training: TrainingProgram;
  readonly initialState: StateValues;
  readonly batchSize: number;
  batch(n: number): Readonly<Record<string, InputValue>>;
}

export interface TrajectoryCheck {
  readonly name: string;
  /** Hypergradient of the last step. */
  readonly analytic: number;
  readonly numeric: number;
}


/**
 * Trains, and adds `nudge` to a stored hyperparameter in the updates between two steps only.
 * @returns the outputs of the last step
 */
function trained({ training, initialState, batchSize, batch }: Problem, steps: number, name: string, nudge: number, updates: readonly [from: number, to: number]) {
  const engine = new ReferenceExecutable(training.program);
  engine.restore(initialState);
  let outputs = engine.runNow(`begin@${batchSize}`, batch(0));
  const original = initialState[name]!;
  for (let t = 1; t <= steps; t++) {
    const nudged = t >= updates[0] && t <= updates[1];
    engine.restore({ [name]: original.map((value) => value + (nudged ? nudge : 0)) });
    outputs = engine.runNow(`step@${batchSize}`, batch(t));
  }
  return outputs;
}

function slope(problem: Problem, steps: number, name: string, updates: readonly [number, number], h = 1e-5): number {
  const lossWith = (nudge: number) => trained(problem, steps, name, nudge, updates)["loss"]!;
  return (lossWith(h) - lossWith(-h)) / (2 * h);
}

const ofBottom = ({ training }: Problem) => training.withHypergradient.filter(({ level }) => level === 0);

/**
 * With horizon 1: the slope of the last loss by a hyperparameter that is constant over all steps.
 * @param h half the difference: small enough that no kink (relu) lies within
 */
export function trajectoryChecks(problem: Problem, steps = 6, h?: number): TrajectoryCheck[] {
  return ofBottom(problem).map(({ name, hypergradient }) => ({
    name,
    analytic: trained(problem, steps, name, 0, [1, steps])[hypergradient]!,
    numeric: slope(problem, steps, name, [1, steps], h),
  }));
}

/** With any horizon: the slopes by the hyperparameter of each update alone, the earlier ones weighted by its powers. */
export function weightedChecks(problem: Problem, horizon: number, steps = 5): TrajectoryCheck[] {
  return ofBottom(problem).map(({ name, hypergradient }) => ({
    name,
    analytic: trained(problem, steps, name, 0, [1, steps])[hypergradient]!,
    numeric: Array.from({ length: steps }, (_, age) => horizon ** age * slope(problem, steps, name, [steps - age, steps - age])).reduce((sum, part) => sum + part),
  }));
}
