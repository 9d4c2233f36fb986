import { adamDenominator, adamMoments, inUse } from "./common.ts";
import type { ExportRules, GroupRule, SettingsOf } from "./spec.ts";

function rule(settings: SettingsOf<"lamb">): GroupRule {
  return {
    name: "LAMB",
    slots: { m: "zeros", v: "zeros" },
    body: ({ module }) => [
      "moved, kept = [], []",
      "for w, g, s in zip(weights, gradients, slots):",
      ...adamMoments.map((line) => `    ${line}`),
      `    direction = m / (1 - h["beta1"] ** count) / ${adamDenominator(module)}${inUse(settings) ? ' + h["weight_decay"] * w' : ""}`,
      "    length, size = dot([w], [w]), dot([direction], [direction])",
      `    ratio = ${module}.where(length * size == 0, 1.0, ${module}.sqrt(length) / ${module}.sqrt(${module}.where(size == 0, 1.0, size)))`,
      '    moved.append(w - h["lr"] * ratio * direction)',
      '    kept.append({"m": m, "v": v})',
      "return moved, kept, shared",
    ],
  };
}

export const lamb: ExportRules<SettingsOf<"lamb">> = {
  whole: rule,
  pytorch: rule,
  optax: () => ({ maker: "optax.lamb", keywords: { alpha: "learning_rate", beta1: "b1", beta2: "b2", logEps: "eps", weightDecay: "weight_decay" } }),
  keras: rule,
};
