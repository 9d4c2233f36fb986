/** Python and conditions that several optimizers' code shares. */
import { initialValue, type Settings } from "../../../shared/tower.ts";
import type { Expression } from "./spec.ts";

/** Whether a hyperparameter is not 0, or can become so. */
export const inUse = (settings: Settings, hyperparameter = "weightDecay") => initialValue(settings, hyperparameter) !== 0 || settings.learned.includes(hyperparameter);

/** Whether a hyperparameter may change during the run. */
export const mayChange = (settings: Settings, ...names: readonly string[]) => names.some((name) => settings.learned.includes(name) || settings.schedules?.[name] !== undefined);

export const betas = (value: Expression) => ({ betas: `(${value("beta1")}, ${value("beta2")})` });
export const epsilon = (value: Expression) => `10.0 ** ${value("logEps")}`;

/** Key of a hyperparameter in `h` and in PyTorch's groups. */
export function keyOf(hyperparameter: string): string {
  if (hyperparameter === "alpha") return "lr";
  if (hyperparameter === "logEps") return "eps";
  return hyperparameter.replace(/[A-Z0-9]/g, (c) => (/\d/.test(c) ? c : `_${c.toLowerCase()}`));
}

/** Lines of a body that add coupled decay to all gradients. */
export const coupledDecay = (settings: Settings): readonly string[] => (inUse(settings) ? ['gradients = [g + h["weight_decay"] * w for g, w in zip(gradients, weights)]'] : []);

/** The weight `w` after decoupled decay, as a Python expression. */
export const shrunk = (decays: boolean, rate = 'h["lr"]', key = "weight_decay") => (decays ? `w * (1 - ${rate} * h["${key}"])` : "w");

/** Lines that add `first` to a body: 1 at the first update, then 0. */
export const firstUpdate = "first = 0.0 ** (count - 1)";

/** Python of the second moment's root with Adam's bias correction, plus epsilon. */
export const adamDenominator = (module: string) => `(${module}.sqrt(v / (1 - h["beta2"] ** count)) + h["eps"])`;
/** Updates of Adam's moments `m` and `v` of a gradient `g` with slots `s`. */
export const adamMoments = ['m = s["m"] + (1 - h["beta1"]) * (g - s["m"])', 'v = s["v"] + (1 - h["beta2"]) * (g * g - s["v"])'] as const;
