/**
 * Mechanic around a rule, as the run computes it. Neither package is used: mechanic-pytorch and Optax's mechanize
 * recompute the sum of updates from the weights, and Optax's estimates start elsewhere.
 */
import { levelOptions, type Settings } from "../../../shared/tower.ts";
import { float } from "../python.ts";
import { inUse } from "./common.ts";
import type { GroupRule } from "./spec.ts";

export function mechanized(base: GroupRule, settings: Settings): GroupRule {
  const { mechanicBetas, mechanicUpdates } = levelOptions(settings);
  const stores = mechanicUpdates === "stored";
  const list = (value: number) => `[${mechanicBetas.map(() => float(value)).join(", ")}]`;
  return {
    ...base,
    name: `Mechanic${base.name}`,
    options: [...(base.options ?? []), "mechanic", "mechanicBetas", "mechanicUpdates"],
    slots: { ...base.slots, start: "weight", ...(stores && { delta: "zeros" }) },
    shared: { ...base.shared, scales: list(0), squares: list(0), reward: list(0), largest: list(1e-6) },
    body: (arrays) => {
      const { module } = arrays;
      return [
        "def rule(weights, gradients, slots, shared, h, count):",
        ...base.body(arrays).map((line) => `    ${line}`),
        "proposed, kept, later = rule(weights, gradients, slots, shared, h, count)",
        `betas = ${arrays.vector(`[${mechanicBetas.map(float).join(", ")}]`)}`,
        `eps, scale = 10.0 ** h["s_log_eps"], ${module}.sum(shared["scales"])`,
        `deltas = [${stores ? 's["delta"] for s in slots' : '(w - s["start"]) / (scale + eps) for w, s in zip(weights, slots)'}]`,
        "product = dot(deltas, gradients)",
        ...(inUse(settings, "sDecay")
          ? [
              `decay = h["s_decay"] * scale * ${module}.sqrt(dot(gradients, gradients)) / (${module}.sqrt(dot(proposed, proposed)) + eps)`,
              "product = product + decay * dot(deltas, proposed)",
            ]
          : []),
        `largest = ${module}.maximum(betas * shared["largest"], ${module}.abs(product))`,
        'squares = betas * betas * shared["squares"] + product * product',
        'reward = betas * shared["reward"] - shared["scales"] * product',
        `reward = ${module}.where(reward > 0, reward, 0.0)`,
        `scales = (largest * (h["s_init"] / ${mechanicBetas.length}) + reward) / (${module}.sqrt(squares) + eps)`,
        "deltas = [d + (p - w) for d, p, w in zip(deltas, proposed, weights)]",
        `moved = [s["start"] + ${module}.sum(scales) * d for s, d in zip(slots, deltas)]`,
        `kept = [{**k, "start": s["start"]${stores ? ', "delta": d' : ""}} for k, s, d in zip(kept, slots, deltas)]`,
        'return moved, kept, {**later, "scales": scales, "squares": squares, "reward": reward, "largest": largest}',
      ];
    },
  };
}
