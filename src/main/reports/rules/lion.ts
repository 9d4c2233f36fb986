import { betas, inUse, mayChange, shrunk } from "./common.ts";
import type { ExportRules, GroupRule, SettingsOf } from "./spec.ts";

const whole = (settings: SettingsOf<"lion">): GroupRule => ({
  name: "Lion",
  slots: { m: "zeros" },
  body: ({ module }) => [
    `moved = [${shrunk(inUse(settings))} - h["lr"] * ${module}.sign(s["m"] + (1 - h["beta1"]) * (g - s["m"])) for w, g, s in zip(weights, gradients, slots)]`,
    'return moved, [{"m": s["m"] + (1 - h["beta2"]) * (g - s["m"])} for g, s in zip(gradients, slots)], shared',
  ],
});

export const lion: ExportRules<SettingsOf<"lion">> = {
  whole,
  pytorch: () => ({
    maker: "lion_pytorch.Lion",
    module: "lion_pytorch",
    keywords: (v) => ({ lr: v("alpha"), ...betas(v), weight_decay: v("weightDecay") }),
    scheduled: { betas: ["beta1", "beta2"], weight_decay: ["weightDecay"] },
  }),
  optax: () => ({ maker: "optax.lion", keywords: { alpha: "learning_rate", beta1: "b1", beta2: "b2", weightDecay: "weight_decay" } }),
  keras: (settings) => ({
    name: "Lion",
    keywords: (v) => ({ beta_1: v("beta1"), beta_2: v("beta2") }),
    ...((inUse(settings) || mayChange(settings, "beta1", "beta2")) && { why: "Its decay of weights and of moments can follow the run's." }),
    slots: { m: "self._momentums" },
    attributes: { beta_1: "beta1", beta_2: "beta2", ...(inUse(settings) && { decay: "weightDecay" }) },
    step: [
      ...(inUse(settings) ? ["self.assign(variable, variable * (1 - lr * decay))"] : []),
      "self.assign_sub(variable, lr * ops.sign(m + (1 - beta_1) * (gradient - m)))",
      "self.assign(m, m + (1 - beta_2) * (gradient - m))",
    ],
  }),
};
