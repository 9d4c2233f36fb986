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
}

export interface UpdateArguments {
  /** A weight array or a scalar hyperparameter (as stored). */
  readonly parameter: Node;
  /** Its gradient, of the same shape. */
  readonly gradient: Node;
  /** A hyperparameter in effective form; differentiable where it is learned. */
  readonly hyper: (name: string) => Node;
  /** A slot as the previous step left it, of the parameter's shape; which there are: slotsOf(). */
  readonly slot: (name: string) => Node;
  /** Number of this update, counted from 1; a scalar. */
  readonly count: Node;
}

export interface Updated {
  readonly parameter: Node;
  readonly slots: Readonly<Record<string, Node>>;
}

export interface UpdateRule {
  readonly optimizer: OptimizerName;
  /** The moved parameter and the new value of every slot. */
  update(args: UpdateArguments, level: RuleContext): Updated;
}
