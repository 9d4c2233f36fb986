/** Maps each optimizer to PyTorch's, with the Python that PyTorch lacks. */
import type { Settings } from "../../shared/tower.ts";
import { decays } from "./learned.ts";

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

/** @param withDecay use AdamW even without decay, next to a group that decays */
export function pytorchRule(settings: Settings, { withDecay = false }: { withDecay?: boolean } = {}): PytorchRule {
  switch (settings.optimizer) {
    case "sgd": {
      const coupled = decays(settings) && settings.weightDecayAs === "coupled";
      // PyTorch skips the momentum buffer at an update whose momentum is exactly 0.
      const kept = settings.momentumFromZero ? " or 1e-30" : "";
      return {
        name: "SGD",
        keywords: (v) => ({
          lr: v("alpha"),
          momentum: `${v("mu")}${kept}`,
          ...(settings.dampening !== 0 && { dampening: v("dampening") }),
          ...(coupled && { weight_decay: v("weightDecay") }),
          ...(settings.nesterov && { nesterov: "True" }),
        }),
        scheduled: { momentum: ["mu"], ...(coupled && { weight_decay: ["weightDecay"] }) },
        // PyTorch's SGD has no decoupled decay, and its Nesterov momentum has no dampening.
        expresses: ["momentumFromZero", ...(settings.nesterov ? ["nesterov"] : ["dampening"]), ...(coupled ? ["weightDecay", "weightDecayAs"] : [])],
      };
    }
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
      return settings satisfies never;
  }
}

/** Optimizers of all parts of a level: next to AdamW, Adam becomes an AdamW without decay. */
export function pytorchRules(all: readonly Settings[]): PytorchRule[] {
  const withDecay =
    all.some((settings) => pytorchRule(settings).name === "AdamW") &&
    all.every((settings) => settings.optimizer === "adam" && (!decays(settings) || settings.weightDecayAs === "decoupled"));
  return all.map((settings) => pytorchRule(settings, { withDecay }));
}

/** A class that PyTorch lacks. */
export const rmsPropClass = `class RMSProp(torch.optim.Optimizer):
    """The run's RMSProp: 1e-8 is added inside the root, where torch.optim.RMSprop adds its eps outside. alpha is the decay, as there."""

    def __init__(self, params, lr=0.01, alpha=0.99):
        super().__init__(params, dict(lr=lr, alpha=alpha))

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                state = self.state[parameter]
                if len(state) == 0:
                    state["square_avg"] = torch.zeros_like(parameter, memory_format=torch.preserve_format)
                squares = state["square_avg"].lerp_(parameter.grad.square(), 1 - group["alpha"])
                parameter.addcdiv_(parameter.grad, (squares + 1e-8).sqrt_(), value=-group["lr"])
        return loss`;

/** @param start Python expression of a group's initial second moment, from `start` and `group` */
export const secondMomentFunction = (start: string) => `def start_second_moment(optimizer, start):
    """Starts Adam's second moment at start, as the run did; PyTorch's own starts at 0. Move the model to its device first."""
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            moments = {
                "step": torch.tensor(0.0),
                "exp_avg": torch.zeros_like(parameter, memory_format=torch.preserve_format),
                "exp_avg_sq": torch.full_like(parameter, ${start}, memory_format=torch.preserve_format),
            }
            if group["amsgrad"]:
                moments["max_exp_avg_sq"] = torch.zeros_like(parameter, memory_format=torch.preserve_format)
            optimizer.state[parameter] = moments
    return optimizer`;
