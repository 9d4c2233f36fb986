/**
 * MoMo and MoMo-Adam. Optax divides the weights by 1 + α λ but not the step, so losses are some 4e-3
 * off after 200 steps at α = 1 and λ = 0.01: with decay, a function of the file's corrects it. Both need the loss at each step, which Keras does not give to an optimizer.
 */
import type { Settings } from "../../../shared/tower.ts";
import { betas, epsilon, inUse } from "./common.ts";
import type { ExportRules, OptaxRule, SettingsOf } from "./spec.ts";

/** The authors' package keeps one model of the loss for all parameter groups, the run one for each. */
const shared = { module: "momo", alone: true, takesLoss: true } as const;

/** @param keywords besides the step size and the decay */
function optax(settings: Settings, own: string, keywords: Readonly<Record<string, string>>): OptaxRule {
  const others = [...Object.values(keywords), "lower_bound"];
  const code = (name: string) => `def ${name}(learning_rate, weight_decay, ${others.join(", ")}):
    """optax.contrib.${own} whose step, too, is divided by 1 + learning_rate * weight_decay, as in the run."""
    inner = optax.contrib.${own}(learning_rate, weight_decay=weight_decay, ${others.map((one) => `${one}=${one}`).join(", ")})
    decay = learning_rate * weight_decay

    def update(gradients, state, params=None, **extra):
        updates, state = inner.update(gradients, state, params, **extra)
        shrunk = lambda p: decay / (1 + decay) * p
        return jax.tree.map(lambda u, p: (u + shrunk(p)) / (1 + decay) - shrunk(p), updates, params), state

    return optax.GradientTransformationExtraArgs(inner.init, update)`;
  return {
    ...(inUse(settings) ? { maker: own, definition: code } : { maker: `optax.contrib.${own}` }),
    keywords: { alpha: "learning_rate", ...keywords, weightDecay: "weight_decay" },
    first: (v) => ({ lower_bound: v("lowerBound") }),
    takesLoss: true,
  };
}

export const moMo: ExportRules<SettingsOf<"moMo">> = {
  pytorch: () => ({
    ...shared,
    maker: "momo.Momo",
    keywords: (v) => ({ lr: v("alpha"), beta: v("beta1"), lb: v("lowerBound"), weight_decay: v("weightDecay") }),
    scheduled: { weight_decay: ["weightDecay"] },
  }),
  optax: (settings) => optax(settings, "momo", { beta1: "beta" }),
};

export const moMoAdam: ExportRules<SettingsOf<"moMoAdam">> = {
  pytorch: () => ({
    ...shared,
    maker: "momo.MomoAdam",
    keywords: (v) => ({ lr: v("alpha"), ...betas(v), eps: epsilon(v), lb: v("lowerBound"), weight_decay: v("weightDecay") }),
    scheduled: { betas: ["beta1", "beta2"], eps: ["logEps"], weight_decay: ["weightDecay"] },
  }),
  optax: (settings) => optax(settings, "momo_adam", { beta1: "b1", beta2: "b2", logEps: "eps" }),
};
