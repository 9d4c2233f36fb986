/**
 * A tower as part of a step program. Each step rebuilds the update from the previous step's
 * gradients, so the weights in the loss are nodes made of the hyperparameters that moved them:
 * one gradients() call yields the weight gradients and every hypergradient.
 *
 * Old values, gradients and slots are leaves, hence constants: a hypergradient looks back one
 * step, as in the authors' library. With a horizon it looks back further: see horizon.ts.
 */
import { groupOf, movingParts, nameInLevel, type NamedPart } from "../../shared/groups.ts";
import type { LevelOptions } from "../../shared/levelOptions.ts";
import { optimizerSpec, type HyperparameterSpec, type OptimizerName, type Parameterisation } from "../../shared/optimizers.ts";
import { hasSlot, slotsOf, type Slot } from "../../shared/slots.ts";
import type { Segment } from "../../shared/schedules/segments.ts";
import { hypergradientMetric, hyperparameterMetric } from "../../shared/tower.ts";
import { sizeOf, type Node, type Shape } from "../program/node.ts";
import { add, constant, state } from "../program/operations/index.ts";
import { clipped } from "./clipping.ts";
import { bounded, limitedChange } from "./confinement.ts";
import { mechanized } from "./mechanic.ts";
import type { Hyperparameters, RuleContext } from "./rule.ts";
import { inForce, scheduledHyperparameters, type ScheduledHyperparameter } from "./scheduleFactor.ts";
import { effectiveNode, toStored } from "./stored.ts";
import { timing } from "./timing.ts";
import { updateRules } from "./index.ts";

/** An optimizer, its initial hyperparameters in effective form, and which of them a level above moves. */
export interface TowerSettings {
  readonly optimizer: OptimizerName;
  readonly initial: Hyperparameters;
  readonly learned: readonly string[];
  readonly options: LevelOptions;
  /** Schedules over the steps of the run by hyperparameter: factors of the values above. */
  readonly schedules: Readonly<Record<string, readonly Segment[]>>;
  /** Whether its parameters stay fixed. */
  readonly frozen: boolean;
}

export interface TowerGroup extends TowerSettings, NamedPart {}

/** A level: its own settings apply to everything outside its groups. */
export interface TowerLevel extends TowerSettings {
  readonly groups: readonly TowerGroup[];
}

/** A hyperparameter that lives in the program's state. */
export interface LearnedHyperparameter {
  readonly level: number;
  /** Null for the level's own settings. */
  readonly group: string | null;
  readonly spec: HyperparameterSpec;
  /** State variable and metric of its stored value: `L0.alpha`. */
  readonly name: string;
  /** State variable of d loss / d (stored value). */
  readonly hypergradient: string;
  readonly initial: number;
  /** Options of its group or level. */
  readonly options: LevelOptions;
  readonly storedAs: Parameterisation;
  /** Whether a level above moves it: false at the top and where it is frozen. */
  readonly moved: boolean;
  /** State variable of the step size that moves it, if that is learned too. */
  readonly mover: string | null;
  /** How much of its effect through earlier steps counts in its hypergradient; 0 on all levels but the first. */
  readonly horizon: number;
  /** Whether its hypergradient is normalized: an option of the level that moves it. */
  readonly normalized: boolean;
  /** Number of updates through which it acts on the loss that counts; 1 on all levels but the first. */
  readonly lookahead: number;
}

export interface Weights {
  readonly name: string;
  readonly shape: Shape;
  /** Group of level 0 that it belongs to, or null. */
  readonly group: string | null;
}

export interface TowerUpdate {
  /** New weights, in the order given. */
  readonly weights: readonly Node[];
  /** What to evaluate with, in the same order: the new weights, or the averages that an optimizer keeps. */
  readonly evaluated: readonly Node[];
  /** New stored hyperparameters of every level, in the order of `learned`. */
  readonly hyperparameters: readonly Node[];
  /** New value of every state variable the update touches, weights and hyperparameters included. */
  readonly updates: Readonly<Record<string, Node>>;
  /** The weights and slots among them: what level 0 updates. */
  readonly ofBottom: Readonly<Record<string, Node>>;
}

/** State variable of the loss at the current weights, kept where a rule asks for it. */
export const lossName = "previousLoss";
export const gradientName = (weights: string) => `${weights}.gradient`;
const slotName = (level: number, slot: string, parameter: string) => `L${level}.${slot}.${parameter}`;
const groupSlotName = (level: number, slot: string, group: string | null) => `L${level}.${nameInLevel(slot, group)}`;
const countName = "count";
const ownCountName = (level: number, group: string | null) => `L${level}.${nameInLevel("count", group)}`;

/** A value that a level moves, its gradient, the prefix of its state variables, and its group. */
interface Movable {
  readonly name: string;
  readonly parameter: Node;
  readonly gradient: Node;
  readonly group: string | null;
  /** Limits the result of a move; the identity for weights. */
  readonly confine: (moved: Node, mover: LevelOptions) => Node;
}

/** The settings that apply to a name on a level. */
export function heldBy(level: TowerLevel, name: string): { readonly group: string | null; readonly frozen: boolean; readonly ownShape: boolean } {
  const group = groupOf(level.groups, name);
  const { frozen, optimizer } = group ?? level;
  return { group: group?.name ?? null, frozen, ownShape: optimizerSpec(optimizer).ownShapes ?? false };
}

export class TowerProgram {
  readonly levels: readonly TowerLevel[];
  readonly weights: readonly Weights[];
  /** Every hyperparameter that can move, level by level. Momentum that starts at 0 is off. */
  readonly learned: readonly LearnedHyperparameter[];
  readonly scheduled: readonly ScheduledHyperparameter[];

  /** @param weights weights that level 0 moves */
  constructor(levels: readonly TowerLevel[], weights: readonly Weights[]) {
    this.levels = levels;
    this.weights = weights;
    this.learned = levels.flatMap((of, level) =>
      movingParts(of).flatMap(({ group, settings: { optimizer, initial, learned, options } }) =>
        optimizerSpec(optimizer)
          .hyperparameters.filter((spec) => learned.includes(spec.name))
          .map((spec) => ({
            level,
            group,
            spec,
            name: hyperparameterMetric(level, spec.name, group),
            hypergradient: hypergradientMetric(level, spec.name, group),
            initial: initial[spec.name]!,
            options,
            storedAs: spec.name === "alpha" ? options.alphaAs : spec.storedAs,
            ...moverOf(levels, level, nameInLevel(spec.name, group)),
          })),
      ),
    );
    this.scheduled = scheduledHyperparameters(levels[0]!);
  }

  /**
   * Values in force of what is scheduled, at the update that has been made or is about to be.
   * @param stored of what is learned, in the order of `learned`
   */
  inForce(stored: readonly Node[]): Node[] {
    const moved = new Map(this.learned.map(({ name }, i) => [name, stored[i]!]));
    const parts = new Map(movingParts(this.levels[0]!).map(({ group, settings }) => [group, settings]));
    return this.scheduled.map(({ group, hyperparameter }) => this.#hyperparametersOf(0, group, parts.get(group)!, moved)(hyperparameter));
  }

  /** Names of what a hyperparameter's optimizer moves: weights, or hyperparameters of the level below. */
  movedWith({ level, group }: LearnedHyperparameter): string[] {
    return this.#below(level).filter((one) => one.group === group).map(({ name }) => name);
  }

  /** Whether some rule asks for the loss at the current weights. */
  get usesLoss(): boolean {
    return this.levels.some((level) => movingParts(level).some(({ settings }) => updateRules[settings.optimizer].usesLoss));
  }

  /** The pending update from the top down: each level is moved, then moves the level below. */
  update(): TowerUpdate {
    const count = add(state(countName, []), constant(1));
    const updates: Record<string, Node> = { [countName]: count };
    const moved = new Map<string, Node>(this.learned.map(({ name }) => [name, state(name, [])]));
    const evaluated = new Map<string, Node>();
    let above: Readonly<Record<string, Node>> = {};

    for (let level = this.levels.length - 1; level >= 0; level--) {
      const parts = new Map(movingParts(this.levels[level]!).map(({ group, settings }) => [group, this.#partOf(level, group, settings, moved, count)]));
      for (const { counts } of parts.values()) Object.assign(updates, counts);
      above = { ...updates };
      const below = this.#below(level);
      const gradients = clipped(
        below.map(({ gradient, group }) => ({ gradient, clipValue: parts.get(group)!.options.clipValue })),
        this.levels[level]!.options.clipNorm,
      );
      const movers = [...new Set(below.map(({ group }) => group))];
      const moves = new Map(
        movers.map((group) => {
          const { rule, context, hyper, count, slots } = parts.get(group)!;
          const arrays = below.flatMap(({ name, parameter, group: own }, i) =>
            own === group ? [{ name, parameter, gradient: gradients[i]!, slot: slotOf(level, name, parameter.shape, slots) }] : [],
          );
          const groupSlot = (slot: string) => state(groupSlotName(level, slot, group), []);
          const updated = rule.update({ arrays, hyper, groupSlot, count, loss: () => state(lossName, []) }, context);
          return [group, { updated, groupSlot, arrays: new Map(arrays.map(({ name, slot }, i) => [name, { slot, result: updated.arrays[i]! }])) }];
        }),
      );
      for (const { name, parameter, group, confine } of below) {
        const { options, choose } = parts.get(group)!;
        const { slot, result } = moves.get(group)!.arrays.get(name)!;
        const next = choose(confine(result.parameter, options), parameter);
        moved.set(name, next);
        if (result.evaluated) evaluated.set(name, result.evaluated);
        updates[name] = next;
        for (const [key, value] of Object.entries(result.slots)) updates[slotName(level, key, name)] = choose(value, slot(key));
      }
      for (const [group, { updated, groupSlot }] of moves) {
        for (const [key, value] of Object.entries(updated.groupSlots ?? {})) updates[groupSlotName(level, key, group)] = parts.get(group)!.choose(value, groupSlot(key));
      }
    }
    return {
      weights: this.weights.map(({ name }) => moved.get(name)!),
      evaluated: this.weights.map(({ name }) => evaluated.get(name) ?? moved.get(name)!),
      hyperparameters: this.learned.map(({ name }) => moved.get(name)!),
      updates,
      ofBottom: Object.fromEntries(Object.entries(updates).filter(([name]) => !(name in above))),
    };
  }

  /**
   * Initial state except the weights: stored hyperparameters, slots, zero gradients.
   * @param weights their initial values by name, where slots may begin
   */
  initialState(weights: Readonly<Record<string, Float64Array>>): Record<string, Float64Array> {
    const values: Record<string, Float64Array> = { [countName]: Float64Array.of(0), [lossName]: Float64Array.of(0) };
    for (const { name, hypergradient, initial, storedAs } of this.learned) {
      values[name] = Float64Array.of(toStored(initial, storedAs));
      values[hypergradient] = Float64Array.of(0);
    }
    this.levels.forEach((of, level) => {
      const parts = new Map(movingParts(of).map(({ group, settings }) => [group, { settings, slots: slotsOf(settings) }]));
      for (const [group, { slots }] of parts) {
        values[ownCountName(level, group)] = Float64Array.of(0);
        for (const slot of slots) if (slot.of === "group") values[groupSlotName(level, slot.name, group)] = Float64Array.of(Number(slot.initial));
      }
      for (const { name, parameter, group } of this.#below(level)) {
        for (const slotSpec of parts.get(group)!.slots) {
          const { name: slot, initial, of: owner } = slotSpec;
          if (owner === "group" || !hasSlot(slotSpec, parameter.shape.length)) continue;
          values[slotName(level, slot, name)] =
            initial === "parameter" ? (weights[name] ?? values[name])!.slice() : new Float64Array(owner === "array" ? 1 : sizeOf(parameter.shape)).fill(initial);
        }
      }
    });
    return values;
  }

  /** How one group of a level moves its parameters. */
  #partOf(level: number, group: string | null, settings: TowerSettings, moved: ReadonlyMap<string, Node>, count: Node) {
    const { optimizer, options } = settings;
    const hyper = this.#hyperparametersOf(level, group, settings, moved);
    const timed = timing(count, options);
    // A delayed level counts its own updates: its bias correction starts with its first.
    const before = state(ownCountName(level, group), []);
    const ownCount = timed ? add(before, constant(1)) : count;
    return {
      rule: options.mechanic ? mechanized(updateRules[optimizer]) : updateRules[optimizer],
      slots: slotsOf(settings),
      context: { ...contextOf(settings), followed: level === 0 && this.learned.some(({ horizon, lookahead }) => horizon > 0 || lookahead > 1) },
      options,
      hyper,
      choose: timed ?? ((value: Node) => value),
      count: ownCount,
      counts: timed ? { [ownCountName(level, group)]: timed(ownCount, before) } : {},
    };
  }

  /** Hyperparameters of a group in force: moved nodes for learned ones, constants for the rest, and their schedules. */
  #hyperparametersOf(level: number, group: string | null, settings: TowerSettings, moved: ReadonlyMap<string, Node>): (name: string) => Node {
    return inForce(settings.schedules, state(countName, []), (name) => {
      const known = this.learned.find((h) => h.level === level && h.group === group && h.spec.name === name);
      if (known) return effectiveNode(moved.get(known.name)!, known.storedAs);
      const value = settings.initial[name];
      if (value === undefined) throw new Error(`${settings.optimizer} has no hyperparameter ${name}`);
      return constant(value);
    });
  }

  /** Everything a level moves; frozen parameters are left out. */
  #below(level: number): Movable[] {
    if (level === 0) {
      return this.weights.map(({ name, shape, group }) => ({
        name,
        parameter: state(name, shape),
        gradient: state(gradientName(name), shape),
        group,
        confine: (moved) => moved,
      }));
    }
    return this.learned
      .filter((h) => h.level === level - 1 && h.moved)
      .map((h) => ({
        name: h.name,
        parameter: state(h.name, []),
        gradient: state(h.hypergradient, []),
        group: heldBy(this.levels[level]!, nameInLevel(h.spec.name, h.group)).group,
        confine: (moved, { maxChange }) => bounded(limitedChange(moved, state(h.name, []), h, maxChange), h, h.options),
      }));
  }
}

/** Slots of one array as nodes: of its shape, or a number each. */
function slotOf(level: number, parameter: string, shape: Shape, slots: readonly Slot[]): (slot: string) => Node {
  return (slot) => state(slotName(level, slot, parameter), slots.find(({ name }) => name === slot)?.of === "array" ? [] : shape);
}

function moverOf(levels: readonly TowerLevel[], level: number, name: string): Pick<LearnedHyperparameter, "moved" | "mover" | "horizon" | "normalized" | "lookahead"> {
  const above = levels[level + 1];
  if (!above) return { moved: false, mover: null, horizon: 0, normalized: false, lookahead: 1 };
  const { group, frozen } = heldBy(above, name);
  const settings = above.groups.find((one) => one.name === group) ?? above;
  return {
    moved: !frozen,
    mover: !frozen && settings.learned.includes("alpha") ? hyperparameterMetric(level + 1, "alpha", group) : null,
    horizon: frozen || level > 0 ? 0 : settings.options.horizon,
    normalized: !frozen && settings.options.normalized,
    lookahead: frozen || level > 0 ? 1 : above.options.lookahead,
  };
}

function contextOf({ initial, options, learned }: TowerSettings): Omit<RuleContext, "followed"> {
  return { initial, options, learns: (name) => learned.includes(name) };
}
