/** Maps each optimizer to PyTorch's, or to a class that the exported file defines. */
import type { Settings } from "../../shared/tower.ts";
import { dampens, decays, noRuleFor } from "./learned.ts";

type Expression = (hyperparameter: string) => string;

export interface PytorchRule {
  /** Class name; defined in the exported file if `own` is true, in `torch.optim` otherwise. */
  readonly name: string;
  readonly own?: boolean;
  /** Keyword arguments, given Python expressions of the hyperparameters. */
  readonly keywords: (value: Expression) => Readonly<Record<string, string>>;
  /**
   * Keywords with a schedule, besides the step size, and the hyperparameters that they depend on.
   */
  readonly scheduled: Readonly<Record<string, readonly string[]>>;
  /** Supported options beyond the authors' library. */
  readonly expresses?: readonly string[];
}

interface Alongside {
  /** Use AdamW without decay too, next to a group that decays. */
  readonly withDecay?: boolean;
  /** Use the file's own SGD, next to a group that needs it. */
  readonly ownSgd?: boolean;
}

type Sgd = Extract<Settings, { optimizer: "sgd" }>;

/** Decoupled decay and dampened Nesterov momentum, both of which torch.optim.SGD lacks. */
const needsOwnSgd = (settings: Sgd) => (decays(settings) && settings.weightDecayAs === "decoupled") || (settings.nesterov && dampens(settings));

function sgdRule(settings: Sgd, own: boolean): PytorchRule {
  const decayKeyword = own && settings.weightDecayAs === "coupled" ? "coupled_decay" : "weight_decay";
  // PyTorch skips the momentum buffer at an update whose momentum is exactly 0.
  const kept = settings.momentumFromZero || settings.schedules?.["mu"] ? " or 1e-30" : "";
  return {
    name: "SGD",
    own,
    keywords: (v) => ({
      lr: v("alpha"),
      momentum: `${v("mu")}${kept}`,
      ...(dampens(settings) && { dampening: v("dampening") }),
      ...(decays(settings) && { [decayKeyword]: v("weightDecay") }),
      ...(settings.nesterov && { nesterov: "True" }),
    }),
    scheduled: { momentum: ["mu"], ...(dampens(settings) && { dampening: ["dampening"] }), ...(decays(settings) && { [decayKeyword]: ["weightDecay"] }) },
    expresses: ["momentumFromZero", "nesterov", "dampening", "weightDecay", "weightDecayAs"],
  };
}

export function pytorchRule(settings: Settings, { withDecay = false, ownSgd = false }: Alongside = {}): PytorchRule {
  switch (settings.optimizer) {
    case "sgd":
      return sgdRule(settings, ownSgd || needsOwnSgd(settings));
    case "adam": {
      const decaying = decays(settings);
      return {
        name: withDecay || (decaying && settings.weightDecayAs === "decoupled") ? "AdamW" : "Adam",
        keywords: (v) => ({
          lr: v("alpha"),
          betas: `(${v("beta1")}, ${v("beta2")})`,
          eps: `10.0 ** ${v("logEps")}`,
          ...(decaying ? { weight_decay: v("weightDecay") } : withDecay && { weight_decay: "0.0" }),
          ...(settings.amsgrad && { amsgrad: "True" }),
        }),
        scheduled: { betas: ["beta1", "beta2"], eps: ["logEps"], ...(decaying && { weight_decay: ["weightDecay"] }) },
        expresses: ["amsgrad", "weightDecay", "weightDecayAs"],
      };
    }
    case "adaGrad":
      return { name: "Adagrad", keywords: (v) => ({ lr: v("alpha"), initial_accumulator_value: "0.1", eps: "1e-10" }), scheduled: {} };
    case "rmsProp":
      return { name: "RMSProp", own: true, keywords: (v) => ({ lr: v("alpha"), alpha: v("gamma") }), scheduled: { alpha: ["gamma"] } };
    default:
      return noRuleFor(settings, "PyTorch");
  }
}

/**
 * Optimizers of all parts of a level, in as few classes as possible: next to AdamW, an Adam that does
 * not decay is an AdamW too, and next to the file's own SGD every SGD is.
 */
export function pytorchRules(all: readonly Settings[]): PytorchRule[] {
  const decoupled = all.some((settings) => pytorchRule(settings).name === "AdamW");
  const ownSgd = all.some((settings) => settings.optimizer === "sgd" && needsOwnSgd(settings));
  return all.map((settings) => pytorchRule(settings, { withDecay: decoupled && !(decays(settings) && settings.weightDecayAs === "coupled"), ownSgd }));
}

export const classOf = ({ own, name }: PytorchRule) => (own ? name : `torch.optim.${name}`);
