/** Update rules as program nodes; every level of a tower uses the same rules. */
import type { Node } from "../program/node.ts";
import type { LevelOptions } from "../../shared/levelOptions.ts";
import type { OptimizerName } from "../../shared/optimizers.ts";

/** Initial hyperparameters in effective form, by name. */
export type Hyperparameters = Readonly<Record<string, number>>;

/** What an update rule may know about its level. */
export interface RuleContext {
  readonly initial: Hyperparameters;
  readonly options: LevelOptions;
  /** Whether a level above can move the hyperparameter. */
  learns(name: string): boolean;
  /** Whether a level above has a horizon, so that slots, gradients and parameters are differentiated through too. */
  readonly followed: boolean;
}

/** An array that moves: a weight array, or a scalar hyperparameter (as stored). */
export interface MovedArray {
  readonly parameter: Node;
  /** Of the parameter's shape. */
  readonly gradient: Node;
  /** A slot as the previous step left it, of the parameter's shape or a scalar; which there are: slotsOf(). */
  readonly slot: (name: string) => Node;
}

/** What one update of a group is made from. */
export interface GroupArguments {
  /** Everything of the group that moves. */
  readonly arrays: readonly MovedArray[];
  /** A hyperparameter in effective form; differentiable where it is learned. */
  readonly hyper: (name: string) => Node;
  /** A slot of the whole group as the previous step left it; a scalar. */
  readonly groupSlot: (name: string) => Node;
  /** Number of this update, counted from 1; a scalar. */
  readonly count: Node;
  /** The loss whose gradients are applied; a scalar, for rules that say `usesLoss`. */
  readonly loss: () => Node;
}

export interface UpdatedArray {
  readonly parameter: Node;
  readonly slots: Readonly<Record<string, Node>>;
  /** What to evaluate with, where it is not the parameter itself: an average. */
  readonly evaluated?: Node;
}

export interface UpdatedGroup {
  /** In the order of the arguments' arrays. */
  readonly arrays: readonly UpdatedArray[];
  readonly groupSlots?: Readonly<Record<string, Node>>;
}

export interface UpdateRule {
  readonly optimizer: OptimizerName;
  readonly usesLoss?: boolean;
  /** The moved parameters and the new value of every slot. */
  update(group: GroupArguments, level: RuleContext): UpdatedGroup;
}

/** Arguments of a rule that moves each array, and each entry of it, without looking at the others. */
export type ArrayArguments = MovedArray & Pick<GroupArguments, "hyper" | "count">;

/** A rule of such a kind. */
export function elementwise(optimizer: OptimizerName, update: (args: ArrayArguments, level: RuleContext) => UpdatedArray): UpdateRule {
  return { optimizer, update: ({ arrays, hyper, count }, level) => ({ arrays: arrays.map((array) => update({ ...array, hyper, count }, level)) }) };
}
