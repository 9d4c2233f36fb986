/** What an optimizer's file in this folder says about its code in each framework. */
import type { Settings } from "../../../shared/tower.ts";

/** Python expression of a hyperparameter's value. */
export type Expression = (hyperparameter: string) => string;
type Keywords = Readonly<Record<string, string>>;

interface Rule {
  /** Options, besides hyperparameters, that the code expresses. */
  readonly options?: readonly string[];
}

export interface PytorchRule extends Rule {
  /** Python expression of the class. */
  readonly maker: string;
  /** Module to import, besides torch. */
  readonly module?: string;
  /** Python that defines `maker`; a group of other settings may need another of the same name. */
  readonly definition?: (name: string) => string;
  /** Keyword arguments, given Python expressions of the hyperparameters. */
  readonly keywords: (value: Expression) => Keywords;
  /** Keywords with a schedule, besides the step size, and the hyperparameters that they depend on. */
  readonly scheduled: Readonly<Record<string, readonly string[]>>;
  /** Function that makes it for several parameter groups, with its Python, where the class does not. */
  readonly forGroups?: { readonly name: string; readonly definition: string };
  /** Whether Adam's second moment must start at epsilon. */
  readonly startsSecondMoment?: boolean;
  /** Whether its parameter groups share what should be a group's own, so that each needs an optimizer. */
  readonly alone?: boolean;
  /** Whether step() takes the loss. */
  readonly takesLoss?: boolean;
  /** Whether it has train() and eval(), which switch between training weights and what is evaluated. */
  readonly evaluates?: boolean;
}

export interface OptaxRule extends Rule {
  /** Python expression of a function that makes the optimizer. */
  readonly maker: string;
  /** Python that defines it. */
  readonly definition?: (name: string) => string;
  /** Keyword of each hyperparameter that it follows. */
  readonly keywords: Keywords;
  /** Further keyword arguments. */
  readonly fixed?: Keywords;
  /** Hyperparameters whose first value alone matters, by keyword. */
  readonly first?: (value: Expression) => Keywords;
  /** Where the second moment starts, if the maker is first called with that. */
  readonly secondMoment?: "epsilon" | "zero";
  /** Hyperparameters that do not change stay Python's double-precision numbers. */
  readonly keepsConstants?: boolean;
  /** Whether update() takes the loss. */
  readonly takesLoss?: boolean;
  /** How evaluation_params() finds what is evaluated in its state. */
  readonly evaluates?: "average" | "scheduleFree";
}

/** A Keras optimizer or a subclass of one, which moves one variable at a time. */
export interface KerasRule extends Rule {
  /** Keras's class. */
  readonly name: string;
  /** Keyword arguments besides the learning rate, given Python expressions of the hyperparameters. */
  readonly keywords: (value: Expression) => Keywords;
  /** What a subclass of Keras's optimizer is for; none where that computes the same. */
  readonly why?: string;
  /** Extra lines of the subclass's build(). */
  readonly build?: readonly string[];
  /** Keras's list of each slot, by the slot's name in the update rule. */
  readonly slots: Keywords;
  /** Hyperparameters by their attribute; a learned one follows its schedule. */
  readonly attributes: Keywords;
  /** Lines of update_step(), after `lr`, `gradient`, the attributes and the slots are there. */
  readonly step: readonly string[];
  /** Whether the second moment starts at epsilon. */
  readonly startsSecondMoment?: boolean;
}

/** How a framework's arrays are computed with. */
export interface Arrays {
  /** Module of sqrt, sum, maximum, where, abs, sign and zeros_like. */
  readonly module: string;
  readonly transpose: (matrix: string) => string;
  /** A vector of numbers on the device of the weights. */
  readonly vector: (numbers: string) => string;
}

/**
 * A rule written once for all frameworks, as the body of a pure Python function of lists: weights,
 * gradients and slots (a dictionary for each weight), `shared` slots, hyperparameters `h`, and the
 * number of the update. It returns the moved weights, their slots and the shared slots.
 */
export interface GroupRule extends Rule {
  /** Name of the class that has it, and in lower case of the function. */
  readonly name: string;
  /** Where each weight's slots start: zeros of its shape, the weight itself, or one zero. */
  readonly slots: Readonly<Record<string, "zeros" | "weight" | "zero">>;
  /** Where shared slots start, from the hyperparameters `h`: a number, or a list of them. */
  readonly shared?: Keywords;
  readonly body: (arrays: Arrays) => readonly string[];
  /** Slot that is evaluated instead of the weights. */
  readonly evaluated?: string;
  /** Whether it depends on which axis of a matrix is which; arrays are then as the run has them. */
  readonly runLayout?: boolean;
}

export interface ExportRules<S extends Settings = Settings> {
  /** @param all settings of all parts of the level: groups of one class need one optimizer */
  readonly pytorch: (settings: S, all: readonly Settings[]) => PytorchRule | GroupRule;
  readonly optax: (settings: S) => OptaxRule | GroupRule;
  /** Undefined where the descriptor refuses it. */
  readonly keras?: (settings: S) => KerasRule | GroupRule;
  /** The rule for lists of arrays, which Mechanic can wrap; undefined where Mechanic is refused. */
  readonly whole?: (settings: S) => GroupRule;
}

export type SettingsOf<Name extends Settings["optimizer"]> = Extract<Settings, { optimizer: Name }>;

export function isGroupRule(rule: PytorchRule | OptaxRule | KerasRule | GroupRule): rule is GroupRule {
  return "body" in rule;
}
