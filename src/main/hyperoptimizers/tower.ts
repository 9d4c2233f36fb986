/**
 * A tower as part of a step program. The update is rebuilt from the previous
 * step's gradients, so that the weights a loss is computed from are nodes made of
 * the hyperparameters that moved them: one gradients() call on that loss yields
 * the weight gradients and every hypergradient at once.
 *
 * All that was there before (old values, gradients, slots) are leaves and hence
 * constants: a hypergradient looks back one step, as in the authors' library.
 */
import type { LevelOptions } from "../../shared/levelOptions.ts";
import { optimizerSpec, type HyperparameterSpec, type OptimizerName, type Parameterisation } from "../../shared/optimizers.ts";
import { hypergradientMetric, hyperparameterMetric } from "../../shared/tower.ts";
import type { Node, Shape } from "../program/node.ts";
import { add, constant, state } from "../program/operations/index.ts";
import { clipped } from "./clipping.ts";
import type { Hyperparameters, RuleContext } from "./rule.ts";
import { effectiveNode, toStored } from "./stored.ts";
import { timing } from "./timing.ts";
import { updateRules } from "./index.ts";

/** One level: an optimizer, its initial hyperparameters in effective form, and which of them a level above moves. */
export interface TowerLevel {
  readonly optimizer: OptimizerName;
  readonly initial: Hyperparameters;
  readonly learned: readonly string[];
  readonly options: LevelOptions;
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
  readonly storedAs: Parameterisation;
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
const levelCountName = (level: number) => `L${level}.count`;

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
    this.learned = levels.flatMap(({ optimizer, initial, learned, options }, level) =>
      optimizerSpec(optimizer)
        .hyperparameters.filter((spec) => learned.includes(spec.name))
        .map((spec) => ({
          level,
          spec,
          name: hyperparameterMetric(level, spec.name),
          hypergradient: hypergradientMetric(level, spec.name),
          initial: initial[spec.name]!,
          storedAs: spec.name === "alpha" ? options.alphaAs : spec.storedAs,
        })),
    );
  }

  /** The pending update, top level first: each level is moved, then moves what is below with its new hyperparameters. */
  update(): TowerUpdate {
    const count = add(state(countName, []), constant(1));
    const updates: Record<string, Node> = { [countName]: count };
    const moved = new Map<string, Node>(this.learned.map(({ name }) => [name, state(name, [])]));

    for (let level = this.levels.length - 1; level >= 0; level--) {
      const { optimizer, options } = this.levels[level]!;
      const rule = updateRules[optimizer];
      const context = this.#contextOf(level);
      const hyper = this.#hyperparametersOf(level, moved);
      const timed = timing(count, options);
      const choose = timed ?? ((value: Node) => value);
      // A level that waits counts its own updates: bias corrections begin when it does.
      const ownCount = timed ? add(state(levelCountName(level), []), constant(1)) : count;
      if (timed) updates[levelCountName(level)] = timed(ownCount, state(levelCountName(level), []));
      const below = this.#below(level);
      const gradients = clipped(below.map(({ gradient }) => gradient), options);
      below.forEach(({ name, parameter }, i) => {
        const slot = (slot: string) => state(slotName(level, slot, name), parameter.shape);
        const result = rule.update({ parameter, gradient: gradients[i]!, hyper, slot, count: ownCount }, context);
        const next = choose(result.parameter, parameter);
        moved.set(name, next);
        updates[name] = next;
        for (const [key, value] of Object.entries(result.slots)) updates[slotName(level, key, name)] = choose(value, slot(key));
      });
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
    for (const { name, hypergradient, initial, storedAs } of this.learned) {
      values[name] = Float64Array.of(toStored(initial, storedAs));
      values[hypergradient] = Float64Array.of(0);
    }
    this.levels.forEach(({ optimizer }, level) => {
      values[levelCountName(level)] = Float64Array.of(0);
      for (const { name, parameter } of this.#below(level)) {
        const size = parameter.shape.reduce((product, n) => product * n, 1);
        for (const slot of updateRules[optimizer].slots(this.#contextOf(level))) {
          values[slotName(level, slot.name, name)] = new Float64Array(size).fill(slot.initial);
        }
      }
    });
    return values;
  }

  #contextOf(level: number): RuleContext {
    const { initial, options, learned } = this.levels[level]!;
    return { initial, options, learns: (name) => learned.includes(name) };
  }

  /** Effective hyperparameters of a level: learned ones from their moved nodes, the rest constants. */
  #hyperparametersOf(level: number, moved: ReadonlyMap<string, Node>): (name: string) => Node {
    const { optimizer, initial } = this.levels[level]!;
    return (name) => {
      const known = this.learned.find((h) => h.level === level && h.spec.name === name);
      if (known) return effectiveNode(moved.get(known.name)!, known.storedAs);
      const value = initial[name];
      if (value === undefined) throw new Error(`${optimizer} has no hyperparameter ${name}`);
      return constant(value);
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
