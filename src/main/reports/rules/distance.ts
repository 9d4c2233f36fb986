/** Prodigy and D-Adaptation, whose step size grows with the estimated distance to a solution. */
import { betas, coupledDecay, epsilon, inUse, mayChange, shrunk } from "./common.ts";
import { float } from "../python.ts";
import type { ExportRules, Expression, GroupRule, OptaxRule, PytorchRule, SettingsOf } from "./spec.ts";

type AdamLike = SettingsOf<"prodigy"> | SettingsOf<"dAdaptAdam">;

const adamOptions = ["weightDecayAs", "biasCorrection", "growthRate"];
const growth = ({ growthRate }: { readonly growthRate: number | null }): Readonly<Record<string, string>> => (growthRate === null ? {} : { growth_rate: float(growthRate) });

/** Python of the step size's bias correction, or nothing where it is off. */
const corrected = ({ biasCorrection }: AdamLike, module: string) => (biasCorrection ? ` * ${module}.sqrt(1 - h["beta2"] ** count) / (1 - h["beta1"] ** count)` : "");

const isCoupled = (settings: AdamLike) => settings.weightDecayAs === "coupled";
const decoupledDecay = (settings: AdamLike) => !isCoupled(settings) && inUse(settings);
const coupled = (settings: AdamLike) => (isCoupled(settings) ? coupledDecay(settings) : []);

function prodigyRule(settings: SettingsOf<"prodigy">): GroupRule {
  return {
    name: "Prodigy",
    options: adamOptions,
    slots: { m: "zeros", v: "zeros", s: "zeros", start: "weight" },
    shared: { d: 'h["d0"]', largest: 'h["d0"]', numerator: "0.0" },
    body: ({ module }) => [
      'd, beta3 = shared["d"], h["beta2"] ** 0.5',
      `rate = d * h["lr"]${corrected(settings, module)}`,
      'scale = d / h["d0"] * rate',
      ...coupled(settings),
      'm = [h["beta1"] * s["m"] + d * (1 - h["beta1"]) * g for g, s in zip(gradients, slots)]',
      'v = [h["beta2"] * s["v"] + d * d * (1 - h["beta2"]) * (g * g) for g, s in zip(gradients, slots)]',
      'sums = [beta3 * s["s"] + scale * g for g, s in zip(gradients, slots)]',
      'numerator = beta3 * shared["numerator"] + scale * dot(gradients, [s["start"] - w for w, s in zip(weights, slots)])',
      `denominator = sum(${module}.sum(${module}.abs(one)) for one in sums)`,
      "moves = denominator > 0",
      `rate = ${module}.where(moves, rate, 0.0)`,
      `estimate = ${module}.where(moves, numerator / ${module}.where(moves, denominator, 1.0), d)`,
      `largest = ${module}.maximum(shared["largest"], estimate)`,
      ...(settings.growthRate === null
        ? ["d = largest"]
        : [`d = ${module}.where(d == h["d0"], ${module}.maximum(d, estimate), d)`, `d = ${module}.minimum(largest, ${float(settings.growthRate)} * d)`]),
      `moved = [${shrunk(decoupledDecay(settings), "rate")} - rate * a / (${module}.sqrt(b) + d * h["eps"]) for w, a, b in zip(weights, m, v)]`,
      'kept = [{**s, "m": a, "v": b, "s": c} for s, a, b, c in zip(slots, m, v, sums)]',
      'return moved, kept, {"d": d, "largest": largest, "numerator": numerator}',
    ],
  };
}

function dAdaptAdamRule(settings: SettingsOf<"dAdaptAdam">): GroupRule {
  return {
    name: "DAdaptAdam",
    options: adamOptions,
    slots: { m: "zeros", v: "zeros", s: "zeros" },
    shared: { d: 'h["d0"]', numerator: "0.0" },
    body: ({ module }) => [
      'd, decay = shared["d"], h["beta2"] ** 0.5',
      `rate = d * h["lr"]${corrected(settings, module)}`,
      ...coupled(settings),
      `scaled = [s["s"] / (${module}.sqrt(s["v"]) + h["eps"]) for s in slots]`,
      'numerator = decay * shared["numerator"] + (1 - decay) * rate * dot(gradients, scaled)',
      'm = [h["beta1"] * s["m"] + rate * (1 - h["beta1"]) * g for g, s in zip(gradients, slots)]',
      'v = [s["v"] + (1 - h["beta2"]) * (g * g - s["v"]) for g, s in zip(gradients, slots)]',
      'sums = [decay * s["s"] + rate * (1 - decay) * g for g, s in zip(gradients, slots)]',
      `length = sum(${module}.sum(${module}.abs(one)) for one in sums)`,
      ...nextDistance(`numerator / ${module}.where(length == 0, 1.0, (1 - decay) * length)`, module, settings.growthRate),
      `moved = [${shrunk(decoupledDecay(settings), "rate")} - a / (${module}.sqrt(b) + h["eps"]) for w, a, b in zip(weights, m, v)]`,
      'kept = [{"m": a, "v": b, "s": c} for a, b, c in zip(m, v, sums)]',
      'return moved, kept, {"d": later, "numerator": numerator}',
    ],
  };
}

/** D-Adaptation's next d, from an estimate and the `length` of all gradients. */
const nextDistance = (estimate: string, module: string, growthRate: number | null) => [
  `estimate = ${estimate}`,
  ...(growthRate === null ? [] : [`estimate = ${module}.minimum(estimate, ${float(growthRate)} * d)`]),
  `later = ${module}.where(length > 0, ${module}.maximum(d, estimate), d)`,
];

function dAdaptSgdRule(settings: SettingsOf<"dAdaptSgd">): GroupRule {
  return {
    name: "DAdaptSGD",
    options: ["growthRate"],
    slots: { s: "zeros", start: "weight" },
    shared: { d: 'h["d0"]', numerator: "0.0", first: "0.0" },
    body: ({ module }) => [
      'd = shared["d"]',
      `first = ${module}.where(count == 1, ${module}.sqrt(dot(gradients, gradients)), shared["first"])`,
      ...coupledDecay(settings),
      `rate = d * h["lr"] / ${module}.where(first == 0, 1.0, first)`,
      'numerator = shared["numerator"] + rate * dot(gradients, [s["s"] for s in slots])',
      'sums = [s["s"] + rate * g for g, s in zip(gradients, slots)]',
      `length = ${module}.sqrt(dot(sums, sums))`,
      ...nextDistance(`2 * numerator / ${module}.where(length == 0, 1.0, length)`, module, settings.growthRate),
      'moved = [h["mu"] * w + (1 - h["mu"]) * (s["start"] - total) for w, s, total in zip(weights, slots, sums)]',
      'kept = [{**s, "s": total} for s, total in zip(slots, sums)]',
      'return moved, kept, {"d": later, "numerator": numerator, "first": first}',
    ],
  };
}

/** The authors' packages share d among parameter groups, the run does not. */
const adamPytorch = (settings: AdamLike, maker: string, module: string): PytorchRule => ({
  maker,
  module,
  options: adamOptions,
  alone: true,
  keywords: (v) => ({
    lr: v("alpha"),
    ...betas(v),
    eps: epsilon(v),
    weight_decay: v("weightDecay"),
    decouple: isCoupled(settings) ? "False" : "True",
    ...(settings.biasCorrection && { use_bias_correction: "True" }),
    d0: v("d0"),
    ...growth(settings),
  }),
  scheduled: { betas: ["beta1", "beta2"], eps: ["logEps"], weight_decay: ["weightDecay"] },
});

/** Optax's always correct the bias, decouple the decay and do not limit growth. */
const isOptaxs = (settings: AdamLike) => settings.biasCorrection && settings.growthRate === null && !(isCoupled(settings) && inUse(settings)) && !mayChange(settings, "beta1", "beta2");

const adamOptax = (maker: string): OptaxRule => ({
  maker,
  options: adamOptions,
  keywords: { alpha: "learning_rate", logEps: "eps", weightDecay: "weight_decay" },
  first: (v: Expression) => ({ ...betas(v), estim_lr0: v("d0") }),
});

export const prodigy: ExportRules<SettingsOf<"prodigy">> = {
  pytorch: (settings) => adamPytorch(settings, "prodigyopt.Prodigy", "prodigyopt"),
  optax: (settings) => (isOptaxs(settings) ? adamOptax("optax.contrib.prodigy") : prodigyRule(settings)),
  keras: prodigyRule,
};

export const dAdaptAdam: ExportRules<SettingsOf<"dAdaptAdam">> = {
  pytorch: (settings) => adamPytorch(settings, "dadaptation.DAdaptAdam", "dadaptation"),
  optax: (settings) => (isOptaxs(settings) ? adamOptax("optax.contrib.dadapt_adamw") : dAdaptAdamRule(settings)),
  keras: dAdaptAdamRule,
};

export const dAdaptSgd: ExportRules<SettingsOf<"dAdaptSgd">> = {
  pytorch: (settings) => ({
    maker: "dadaptation.DAdaptSGD",
    module: "dadaptation",
    options: ["growthRate"],
    alone: true,
    keywords: (v) => ({ lr: v("alpha"), momentum: v("mu"), weight_decay: v("weightDecay"), d0: v("d0"), ...growth(settings) }),
    scheduled: { momentum: ["mu"], weight_decay: ["weightDecay"] },
  }),
  optax: dAdaptSgdRule,
  keras: dAdaptSgdRule,
};

