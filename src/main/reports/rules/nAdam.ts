import { adamDenominator, adamMoments, betas, coupledDecay, epsilon, inUse, shrunk } from "./common.ts";
import type { ExportRules, GroupRule, SettingsOf } from "./spec.ts";

const options = ["weightDecayAs"];

function rule(settings: SettingsOf<"nAdam">): GroupRule {
  const coupled = settings.weightDecayAs === "coupled";
  return {
    name: "NAdam",
    options,
    slots: { m: "zeros", v: "zeros" },
    shared: { product: "1.0" },
    body: ({ module }) => [
      ...(coupled ? coupledDecay(settings) : []),
      'momentum_at = lambda step: h["beta1"] * (1 - 0.5 * 0.96 ** (step * h["momentum_decay"]))',
      "now, later = momentum_at(count), momentum_at(count + 1)",
      'product = shared["product"] * now',
      "moved, kept = [], []",
      "for w, g, s in zip(weights, gradients, slots):",
      ...adamMoments.map((line) => `    ${line}`),
      "    direction = (1 - now) / (1 - product) * g + later / (1 - product * later) * m",
      `    moved.append(${shrunk(!coupled && inUse(settings))} - h["lr"] * direction / ${adamDenominator(module)})`,
      '    kept.append({"m": m, "v": v})',
      'return moved, kept, {"product": product}',
    ],
  };
}

export const nAdam: ExportRules<SettingsOf<"nAdam">> = {
  whole: rule,
  pytorch: ({ weightDecayAs }) => ({
    maker: "torch.optim.NAdam",
    options,
    keywords: (v) => ({
      lr: v("alpha"),
      ...betas(v),
      eps: epsilon(v),
      weight_decay: v("weightDecay"),
      momentum_decay: v("momentumDecay"),
      decoupled_weight_decay: weightDecayAs === "decoupled" ? "True" : "False",
    }),
    scheduled: { betas: ["beta1", "beta2"], eps: ["logEps"], weight_decay: ["weightDecay"], momentum_decay: ["momentumDecay"] },
  }),
  optax: rule,
  keras: rule,
};
