/**
 * Options of a level beyond the published library; every default keeps the published behavior. The
 * schema, the editor, tower notation and the update rules read this table.
 */
import { optimizers, type OptimizerName } from "./optimizers.ts";
import type { Convention, Domain, OptionSpec, OptionValue, Parameterisation } from "./optimizers/spec.ts";

export type { OptionSpec, OptionValue } from "./optimizers/spec.ts";

/** Min and max; null for none. */
export type Bounds = readonly [min: number | null, max: number | null];

export interface LevelOptions {
  readonly alphaAs: Exclude<Parameterisation, "tanh">;
  readonly clipValue: number | null;
  readonly clipNorm: number | null;
  readonly warmUp: number;
  readonly every: number;
  readonly until: number | null;
  readonly maxChange: number | null;
  readonly horizon: number;
  readonly normalized: boolean;
  readonly lookahead: number;
  /** Bounds of learned hyperparameters by name, in effective form; not in the table below. */
  readonly bounds: Readonly<Record<string, Bounds>>;
  readonly atBounds: "clamp" | "reflect";
  readonly momentumFromZero: boolean;
  readonly nesterov: boolean;
  readonly amsgrad: boolean;
  readonly weightDecayAs: "coupled" | "decoupled";
  readonly convention: Convention;
  readonly biasCorrection: boolean;
  readonly growthRate: number | null;
  readonly averaging: number | null;
  readonly momentumAs: "nesterov" | "plain";
  readonly newtonSchulzSteps: number;
  readonly matrixScale: "outputs" | "columns" | "none";
  readonly consistentRms: number | null;
  readonly mechanic: boolean;
  readonly mechanicBetas: readonly number[];
  readonly mechanicUpdates: "stored" | "recomputed";
}

/** Options of every level, as a type. */
type CommonOption = "alphaAs" | "clipValue" | "clipNorm" | "warmUp" | "every" | "until" | "maxChange" | "horizon" | "normalized" | "lookahead" | "atBounds";
/** `levelOnly` of the table below, as a type. */
export type LevelOnlyOption = "clipNorm" | "lookahead";
export type OptionName<N extends OptimizerName> = CommonOption | (typeof optimizers)[N]["options"][number]["name"];

const positive: Domain = { min: 0, max: 1e12, minExclusive: true };
const steps = (min: number): Domain => ({ min, max: 1e12 });

/** Options of every level. */
const commonOptions: readonly OptionSpec[] = [
  {
    name: "alphaAs",
    kind: "choice",
    label: "Step size moves",
    help: "How the level above updates α. In log space it is multiplied and stays positive. RMSProp is published with squares, the others with addition.",
    choices: [
      { value: "raw", label: "by addition", short: "raw α" },
      { value: "log", label: "in log space", short: "log α" },
      { value: "squared", label: "as a square", short: "squared α" },
    ],
    initial: undefined,
  },
  {
    name: "clipValue",
    kind: "number",
    label: "Clip each gradient to ±",
    help: "Limits each gradient of this level: the weights' gradients on level 0, hypergradients above.",
    short: "clip",
    initial: null,
    domain: positive,
  },
  {
    name: "clipNorm",
    kind: "number",
    label: "Clip the gradients' norm to",
    help: "Scales all gradients of this level down together if their Euclidean norm exceeds this.",
    short: "clip norm",
    initial: null,
    domain: positive,
    levelOnly: true,
  },
  {
    name: "warmUp",
    kind: "number",
    label: "Start after step",
    help: "The level updates hyperparameters only after this many steps.",
    short: "after",
    initial: 0,
    domain: steps(0),
    whole: true,
    upperOnly: true,
  },
  {
    name: "every",
    kind: "number",
    label: "Update every … steps",
    help: "The level updates hyperparameters once in this many steps.",
    short: "every",
    initial: 1,
    domain: steps(1),
    whole: true,
    upperOnly: true,
  },
  {
    name: "until",
    kind: "number",
    label: "Freeze after step",
    help: "The level stops updating after this many steps.",
    short: "until",
    initial: null,
    domain: steps(1),
    whole: true,
    upperOnly: true,
  },
  {
    name: "maxChange",
    kind: "number",
    label: "Change by at most",
    help: "Largest change per step: a share for step sizes (0.1 is 10 %), an absolute change as stored for coefficients.",
    short: "change",
    initial: null,
    domain: { min: 0, max: 1e12, minExclusive: true },
    upperOnly: true,
  },
  {
    name: "horizon",
    kind: "number",
    label: "Horizon",
    help: "How much of a hyperparameter's effect through earlier steps counts: 0 is the paper's one-step look back, 1 the whole run so far. Level 1 only.",
    short: "horizon",
    initial: 0,
    domain: { min: 0, max: 1 },
    upperOnly: true,
    firstUpperOnly: true,
  },
  {
    name: "normalized",
    kind: "flag",
    label: "Normalized",
    help: "Divides each hypergradient by the norms it is made of: a cosine from -1 to 1, so that one step size fits every model (Baydin et al. 2018).",
    short: "normalized",
    upperOnly: true,
  },
  {
    name: "lookahead",
    kind: "number",
    label: "Look ahead by steps",
    help: "Number of updates through which a hyperparameter acts on the loss that counts: 1 is the paper's, up to 8 (Wu et al. 2018). Level 1 only; a step takes that many times as long.",
    short: "lookahead",
    initial: 1,
    domain: { min: 1, max: 8 },
    whole: true,
    upperOnly: true,
    firstUpperOnly: true,
    levelOnly: true,
  },
  {
    name: "atBounds",
    kind: "choice",
    label: "At a bound",
    help: "A hyperparameter that leaves its bounds is set to the bound, or reflected at it.",
    choices: [
      { value: "clamp", label: "clamp", short: "clamp" },
      { value: "reflect", label: "reflect", short: "reflect" },
    ],
    initial: "clamp",
  },
];

/** Options of a level with this optimizer: the common ones, then its own. */
export function optionsOf(optimizer: OptimizerName): OptionSpec[] {
  return [...commonOptions, ...optimizers[optimizer].options];
}

/** Options that a group may set. */
export function groupOptionsOf(optimizer: OptimizerName): OptionSpec[] {
  return optionsOf(optimizer).filter(({ levelOnly }) => !levelOnly);
}

/** Default of an option. */
export function initialOption(spec: OptionSpec, publishedAlpha: Parameterisation): OptionValue {
  if (spec.kind === "flag") return false;
  return spec.initial === undefined ? publishedAlpha : spec.initial;
}
