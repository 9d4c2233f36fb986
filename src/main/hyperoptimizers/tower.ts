/**
 * A tower as part of a step program. The update is rebuilt from the previous
 * step's gradients, so that the weights a loss is computed from are nodes made of
 * the hyperparameters that moved them: one gradients() call on that loss yields
 * the weight gradients and every hypergradient at once.
 *
 * All that was there before (old values, gradients, slots) are leaves and hence
 * constants: a hypergradient looks back one step, as in the authors' library.
 */
import { optimizerSpec, type HyperparameterSpec, type OptimizerName } from "../../shared/optimizers.ts";
import { hypergradientMetric, hyperparameterMetric } from "../../shared/tower.ts";
import type { Node, Shape } from "../program/node.ts";
import { add, constant, state } from "../program/operations/index.ts";
import type { Hyperparameters } from "./rule.ts";
import { effectiveNode, toStored } from "./stored.ts";
import { updateRules } from "./index.ts";

/** One level: an optimizer, its initial hyperparameters in effective form, and which of them a level above moves. */
export interface TowerLevel {
  readonly optimizer: OptimizerName;
  readonly initial: Hyperparameters;
  readonly learned: readonly string[];
}

/** A hyperparameter that lives in the program's state. */
export interface LearnedHyperparameter {
  readonly level: number;
  readonly spec: HyperparameterSpec;
  /** State variable and metric of its stored value: `L0.alpha`. */
  readonly name: string;
  /** State variable of d loss / d (stored value). */
  readonly hypergradient: string;
  readonly initial: number;
}

export interface Weights {
  readonly name: string;
  readonly shape: Shape;
}

export interface TowerUpdate {
  /** New weights, in the order given. */
  readonly weights: readonly Node[];
  /** New stored hyperparameters of every level, in the order of `learned`. */
  readonly hyperparameters: readonly Node[];
  /** New value of every state variable the update touches, weights and hyperparameters included. */
  readonly updates: Readonly<Record<string, Node>>;
}

export const gradientName = (weights: string) => `${weights}.gradient`;
const slotName = (level: number, slot: string, parameter: string) => `L${level}.${slot}.${parameter}`;
const countName = "count";

/** What a level moves: a value, its gradient, and the name their state goes by. */
interface Movable {
  readonly name: string;
  readonly parameter: Node;
  readonly gradient: Node;
}

export class TowerProgram {
  readonly levels: readonly TowerLevel[];
  readonly weights: readonly Weights[];
  /** Every hyperparameter that can move, level by level. Momentum that starts at 0 is off, not learned. */
  readonly learned: readonly LearnedHyperparameter[];

  constructor(levels: readonly TowerLevel[], weights: readonly Weights[]) {
    this.levels = levels;
    this.weights = weights;
    this.learned = levels.flatMap(({ optimizer, initial, learned }, level) =>
      optimizerSpec(optimizer)
        .hyperparameters.filter((spec) => learned.includes(spec.name))
        .map((spec) => ({
          level,
          spec,
          name: hyperparameterMetric(level, spec.name),
          hypergradient: hypergradientMetric(level, spec.name),
          initial: initial[spec.name]!,
        })),
    );
  }

  /** The pending update, top level first: each level is moved, then moves what is below with its new hyperparameters. */
  update(): TowerUpdate {
    const count = add(state(countName, []), constant(1));
    const updates: Record<string, Node> = { [countName]: count };
    const moved = new Map<string, Node>(this.learned.map(({ name }) => [name, state(name, [])]));

    for (let level = this.levels.length - 1; level >= 0; level--) {
      const { optimizer, initial } = this.levels[level]!;
      const rule = updateRules[optimizer];
      const hyper = this.#hyperparametersOf(level, moved);
      for (const { name, parameter, gradient } of this.#below(level)) {
        const slot = (slot: string) => state(slotName(level, slot, name), parameter.shape);
        const result = rule.update({ parameter, gradient, hyper, slot, count }, initial);
        moved.set(name, result.parameter);
        updates[name] = result.parameter;
        for (const [slot, value] of Object.entries(result.slots)) updates[slotName(level, slot, name)] = value;
      }
    }
    return {
      weights: this.weights.map(({ name }) => moved.get(name)!),
      hyperparameters: this.learned.map(({ name }) => moved.get(name)!),
      updates,
    };
  }

  /** Initial state of all but the weights: hyperparameters as stored, slots, zero gradients. */
  initialState(): Record<string, Float64Array> {
    const values: Record<string, Float64Array> = { [countName]: Float64Array.of(0) };
    for (const { name, hypergradient, initial, spec } of this.learned) {
      values[name] = Float64Array.of(toStored(initial, spec.storedAs));
      values[hypergradient] = Float64Array.of(0);
    }
    this.levels.forEach(({ optimizer, initial }, level) => {
      for (const { name, parameter } of this.#below(level)) {
        const size = parameter.shape.reduce((product, n) => product * n, 1);
        for (const slot of updateRules[optimizer].slots(initial)) {
          values[slotName(level, slot.name, name)] = new Float64Array(size).fill(slot.initial);
        }
      }
    });
    return values;
  }

  /** Effective hyperparameters of a level: learned ones from their moved nodes, the rest constants. */
  #hyperparametersOf(level: number, moved: ReadonlyMap<string, Node>): (name: string) => Node {
    const { optimizer, initial } = this.levels[level]!;
    const { hyperparameters } = optimizerSpec(optimizer);
    return (name) => {
      const spec = hyperparameters.find((h) => h.name === name);
      if (!spec) throw new Error(`${optimizer} has no hyperparameter ${name}`);
      const live = moved.get(hyperparameterMetric(level, name));
      return live ? effectiveNode(live, spec.storedAs) : constant(initial[name]!);
    };
  }

  #below(level: number): Movable[] {
    if (level === 0) {
      return this.weights.map(({ name, shape }) => ({
        name,
        parameter: state(name, shape),
        gradient: state(gradientName(name), shape),
      }));
    }
    return this.learned
      .filter((h) => h.level === level - 1)
      .map(({ name, hypergradient }) => ({ name, parameter: state(name, []), gradient: state(hypergradient, []) }));
  }
}
