/** Schedule-Free SGD and AdamW: in all of them the weights are where gradients are taken, and an average is evaluated. */
import { adamDenominator, betas, epsilon, inUse, mayChange } from "./common.ts";
import type { ExportRules, GroupRule, SettingsOf } from "./spec.ts";

type ScheduleFree = SettingsOf<"scheduleFreeSgd"> | SettingsOf<"scheduleFreeAdam">;

function rule(settings: ScheduleFree): GroupRule {
  const adam = settings.optimizer === "scheduleFreeAdam";
  const decay = inUse(settings) ? ' + h["weight_decay"] * w' : "";
  return {
    name: adam ? "ScheduleFreeAdamW" : "ScheduleFreeSGD",
    slots: { z: "weight", ...(adam && { v: "zeros" }), evaluated: "weight" },
    shared: { largest: "0.0", total: "0.0" },
    evaluated: "evaluated",
    body: ({ module }) => [
      `largest = ${module}.maximum(shared["largest"], h["lr"])`,
      'total = shared["total"] + largest**2',
      `share = largest**2 / ${module}.where(total == 0, 1.0, total)`,
      'rate = h["lr"] * (h["beta1"] * (1 - share) - 1)',
      "moved, kept = [], []",
      "for w, g, s in zip(weights, gradients, slots):",
      ...(adam ? ['    v = s["v"] + (1 - h["beta2"]) * (g * g - s["v"])', `    g = g / ${adamDenominator(module)}`] : []),
      ...(decay === "" ? [] : [`    g = g${decay}`]),
      '    z = s["z"] - h["lr"] * g',
      '    y = w + share * (s["z"] - w) + rate * g',
      "    moved.append(y)",
      `    kept.append({"z": z, ${adam ? '"v": v, ' : ""}"evaluated": y + (1 - 1 / h["beta1"]) * (z - y)})`,
      'return moved, kept, {"largest": largest, "total": total}',
    ],
  };
}

export const scheduleFreeSgd: ExportRules<SettingsOf<"scheduleFreeSgd">> = {
  pytorch: () => ({
    maker: "schedulefree.SGDScheduleFree",
    module: "schedulefree",
    keywords: (v) => ({ lr: v("alpha"), momentum: v("beta1"), weight_decay: v("weightDecay") }),
    scheduled: { momentum: ["beta1"], weight_decay: ["weightDecay"] },
    evaluates: true,
  }),
  optax: (settings) =>
    // Optax takes the interpolation as a constant.
    mayChange(settings, "beta1")
      ? rule(settings)
      : {
          maker: "optax.contrib.schedule_free_sgd",
          keywords: { alpha: "learning_rate", weightDecay: "weight_decay" },
          first: (v) => ({ b1: v("beta1") }),
          evaluates: "scheduleFree",
        },
  keras: rule,
};

export const scheduleFreeAdam: ExportRules<SettingsOf<"scheduleFreeAdam">> = {
  pytorch: () => ({
    maker: "schedulefree.AdamWScheduleFree",
    module: "schedulefree",
    keywords: (v) => ({ lr: v("alpha"), ...betas(v), eps: epsilon(v), weight_decay: v("weightDecay") }),
    scheduled: { betas: ["beta1", "beta2"], eps: ["logEps"], weight_decay: ["weightDecay"] },
    evaluates: true,
  }),
  optax: (settings) =>
    mayChange(settings, "beta1")
      ? rule(settings)
      : {
          maker: "optax.contrib.schedule_free_adamw",
          keywords: { alpha: "learning_rate", beta2: "b2", logEps: "eps", weightDecay: "weight_decay" },
          first: (v) => ({ b1: v("beta1") }),
          evaluates: "scheduleFree",
        },
  keras: rule,
};
