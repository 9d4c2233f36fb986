/**
 * What an optimizer declares about itself: hyperparameters, options and slots. The schema, the
 * editor, tower notation and the update rules (core/hyperoptimizers) read it.
 */

/**
 * How a hyperparameter x is stored while learned: `raw` as x, `log` as ln(x) and `squared` as
 * sqrt(x),
 * so x stays positive, `tanh` as atanh(2x - 1), so x stays in (0, 1).
 */
export type Parameterisation = "raw" | "log" | "squared" | "tanh";

export interface HyperparameterSpec<Name extends string = string> {
  readonly name: Name;
  readonly symbol: string;
  readonly label: string;
  /** One line of help for the editor. */
  readonly help: string;
  readonly initial: number;
  readonly domain: Domain;
  readonly storedAs: Parameterisation;
  /** Whether a level above can learn it, and does so by default. */
  readonly learnable: boolean;
  readonly learnedByDefault?: boolean;
  /** Not in the published library; 0 by default. */
  readonly extra?: boolean;
  /** Flag without which it has no effect and must have its default. */
  readonly onlyWith?: "mechanic";
  /** Shown on a log axis and edited in decades. */
  readonly scale: "log" | "linear";
}

export interface Domain {
  readonly min: number;
  readonly max: number;
  readonly minExclusive?: boolean;
  readonly maxExclusive?: boolean;
}

interface Common {
  readonly name: string;
  readonly label: string;
  /** One line of help for the editor. */
  readonly help: string;
  /** Only for levels that move hyperparameters. */
  readonly upperOnly?: boolean;
  /** Of these, only for the one that moves level 0's. */
  readonly firstUpperOnly?: boolean;
  /** Only for the level that moves the weights. */
  readonly weightsOnly?: boolean;
  /** Applies to a whole level, not to a group. */
  readonly levelOnly?: boolean;
  /** Flag without which it has no effect and must have its default. */
  readonly onlyWith?: "mechanic";
}

export interface ChoiceOption extends Common {
  readonly kind: "choice";
  /** Values, and their short names in tower notation. */
  readonly choices: readonly { readonly value: string; readonly label: string; readonly short: string }[];
  /** Undefined: as published for the optimizer's step size. */
  readonly initial: string | undefined;
}

export interface FlagOption extends Common {
  readonly kind: "flag";
  readonly short: string;
}

export interface NumberOption extends Common {
  readonly kind: "number";
  readonly short: string;
  /** Null: off. */
  readonly initial: number | null;
  readonly domain: Domain;
  readonly whole?: boolean;
  /** Whether null, for off, is allowed although it is not the default. */
  readonly canBeOff?: boolean;
}

/** A list of numbers. */
export interface NumbersOption extends Common {
  readonly kind: "numbers";
  readonly short: string;
  readonly initial: readonly number[];
  /** Of each number. */
  readonly domain: Domain;
  readonly maxLength: number;
}

/** Whether null, for off, is allowed. */
export const mayBeOff = ({ initial, canBeOff = false }: NumberOption): boolean => initial === null || canBeOff;

export type OptionSpec = ChoiceOption | FlagOption | NumberOption | NumbersOption;

export type OptionValue = string | number | boolean | readonly number[] | null;

/** What an optimizer keeps from one step to the next. */
export interface Slot {
  readonly name: string;
  /** Initial value of every entry; `parameter`: the initial value of what it belongs to. */
  readonly initial: number | "parameter";
  /** One number for each entry of the arrays that move (by default), for each array, or for a whole group. */
  readonly of?: "entry" | "array" | "group";
  /** Which arrays have it, if not all: those with two axes, or all others. */
  readonly only?: "matrices" | "others";
}

/** Whose form of an optimizer: the authors' library's, or PyTorch's. They differ in where epsilon is added and where second moments begin. */
export type Convention = "published" | "pytorch";

/** What the slots depend on: the optimizer's initial hyperparameters in effective form, and its options. */
export interface SlotSettings<Name extends string = string> {
  readonly optimizer: Name;
  readonly initial: Readonly<Record<string, number>>;
  readonly options: { readonly momentumFromZero: boolean; readonly amsgrad: boolean; readonly convention: Convention; readonly averaging: number | null; readonly mechanic: boolean; readonly mechanicBetas: readonly number[]; readonly mechanicUpdates: "stored" | "recomputed" };
}

/** Frameworks that a run is exported to as code. */
export const codeFrameworks = ["pytorch", "optax", "keras"] as const;
export type CodeFramework = (typeof codeFrameworks)[number];

/**
 * What an export in a framework's code is made of: the framework's optimizer, that of a package
 * (with its version), or a class of the file's own; `why` says what keeps the framework's from
 * being exact. `library` and `package` become a subclass, or the file's own, for options or
 * schedules that they lack.
 */
export type ExportedAs =
  | { readonly as: "library"; readonly what: string }
  | { readonly as: "package"; readonly what: string; readonly package: string }
  | { readonly as: "own"; readonly why: string }
  | { readonly as: "refused"; readonly why: string };

export interface OptimizerSpec {
  readonly name: string;
  /** Name in the paper's notation, e.g. `Adam^α`. */
  readonly label: string;
  readonly help: string;
  readonly hyperparameters: readonly HyperparameterSpec[];
  /** Options beyond those of every level. */
  readonly options: readonly OptionSpec[];
  readonly slots: (settings: Omit<SlotSettings, "optimizer">) => readonly Slot[];
  /** Why Mechanic cannot tune it, to follow its label; undefined where it can. */
  readonly withoutMechanic?: string;
  /** Whether it needs the arrays in their own shapes; by default small ones are updated as one vector. */
  readonly ownShapes?: boolean;
  /** Why a level above cannot have a horizon; by default it can. */
  readonly noHorizon?: string;
  /** Whether it is made for matrices: only for level 0, and only for parts of a model that hold one. */
  readonly forMatrices?: boolean;
  /** How it is exported as code; main/reports/rules writes it. */
  readonly exports: Readonly<Record<CodeFramework, ExportedAs>>;
}
