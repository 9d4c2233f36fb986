import type { Settings } from "../../../shared/tower.ts";
import { adamDenominator, adamMoments, betas, coupledDecay, epsilon, firstUpdate, inUse, shrunk } from "./common.ts";
import { kerasDecay } from "./sgd.ts";
import type { ExportRules, GroupRule, OptaxRule, SettingsOf } from "./spec.ts";

type Adam = SettingsOf<"adam">;

const options = ["amsgrad", "weightDecayAs", "convention"];

const isPytorchs = ({ convention }: Adam) => convention === "pytorch";
const decaysDecoupled = (settings: Settings) => settings.optimizer === "adam" && inUse(settings) && settings.weightDecayAs === "decoupled";

const optaxAdam = () => `def adam(start):
    """Optax's Adam with a second moment that starts at start, as the run's did; Optax's own starts at 0."""

    def make(learning_rate, b1, b2, eps, weight_decay=0.0, coupled_decay=0.0):
        moments = optax.scale_by_adam(b1=b1, b2=b2, eps=eps)

        def init(params):
            return moments.init(params)._replace(nu=jax.tree_util.tree_map(lambda p: jnp.full_like(p, start), params))

        return optax.chain(
            optax.add_decayed_weights(coupled_decay),
            optax.GradientTransformation(init, moments.update),
            optax.add_decayed_weights(weight_decay),
            optax.scale_by_learning_rate(learning_rate),
        )

    return make`;

const optaxAmsgrad = () => `def amsgrad(start):
    """AMSGrad whose largest second moment is taken before the bias correction, as in the run and PyTorch; Optax's own is taken after it."""

    def make(learning_rate, b1, b2, eps, weight_decay=0.0, coupled_decay=0.0):
        tree_map = jax.tree_util.tree_map

        def init(params):
            filled = lambda value: tree_map(lambda p: jnp.full_like(p, value), params)
            return {"count": jnp.zeros([], jnp.int32), "m": filled(0.0), "v": filled(start), "largest": filled(0.0)}

        def update(gradients, state, params=None):
            count = state["count"] + 1
            m = tree_map(lambda g, m: m + (1 - b1) * (g - m), gradients, state["m"])
            v = tree_map(lambda g, v: v + (1 - b2) * (g * g - v), gradients, state["v"])
            largest = tree_map(jnp.maximum, state["largest"], v)
            root = jnp.sqrt(1 - b2**count)
            rate = root / (1 - b1**count)
            updates = tree_map(lambda m, v: rate * m / (jnp.sqrt(v) + root * eps), m, largest)
            return updates, {"count": count, "m": m, "v": v, "largest": largest}

        return optax.chain(
            optax.add_decayed_weights(coupled_decay),
            optax.GradientTransformation(init, update),
            optax.add_decayed_weights(weight_decay),
            optax.scale_by_learning_rate(learning_rate),
        )

    return make`;

/** Optax's own optimizers with a second moment that starts at 0; undefined where they lack an option. */
function optaxOwn(settings: Adam): Pick<OptaxRule, "maker"> | undefined {
  if (!isPytorchs(settings) || settings.amsgrad || (inUse(settings) && settings.weightDecayAs === "coupled")) return undefined;
  return { maker: inUse(settings) ? "optax.adamw" : "optax.adam" };
}

function whole(settings: Adam): GroupRule {
  const coupled = settings.weightDecayAs === "coupled";
  const { amsgrad } = settings;
  return {
    name: "Adam",
    options,
    slots: { m: "zeros", v: "zeros", ...(amsgrad && { largest: "zeros" }) },
    body: ({ module }) => [
      ...(coupled ? coupledDecay(settings) : []),
      // The published second moment starts at epsilon.
      ...(isPytorchs(settings) ? [] : [firstUpdate, 'slots = [{**s, "v": s["v"] + first * h["eps"]} for s in slots]']),
      "moved, kept = [], []",
      "for w, g, s in zip(weights, gradients, slots):",
      ...adamMoments.map((line) => `    ${line}`),
      `    kept.append({"m": m, "v": v${amsgrad ? `, "largest": ${module}.maximum(s["largest"], v)` : ""}})`,
      ...(amsgrad ? ['    v = kept[-1]["largest"]'] : []),
      `    moved.append(${shrunk(!coupled && inUse(settings))} - h["lr"] * m / (1 - h["beta1"] ** count) / ${adamDenominator(module)})`,
      "return moved, kept, shared",
    ],
  };
}

export const adam: ExportRules<Adam> = {
  whole,

  pytorch(settings, all) {
    const decaying = inUse(settings);
    // Next to AdamW an Adam that does not decay is an AdamW too, so that they are one optimizer.
    const withDecay = !(decaying && settings.weightDecayAs === "coupled") && all.some(decaysDecoupled);
    return {
      maker: withDecay ? "torch.optim.AdamW" : "torch.optim.Adam",
      options,
      startsSecondMoment: !isPytorchs(settings),
      keywords: (v) => ({
        lr: v("alpha"),
        ...betas(v),
        eps: epsilon(v),
        ...(decaying ? { weight_decay: v("weightDecay") } : withDecay && { weight_decay: "0.0" }),
        ...(settings.amsgrad && { amsgrad: "True" }),
      }),
      scheduled: { betas: ["beta1", "beta2"], eps: ["logEps"], ...(decaying && { weight_decay: ["weightDecay"] }) },
    };
  },

  optax(settings) {
    const own = optaxOwn(settings);
    const decay = own || settings.weightDecayAs === "decoupled" ? "weight_decay" : "coupled_decay";
    return {
      ...(own ?? { ...(settings.amsgrad ? { maker: "amsgrad", definition: optaxAmsgrad } : { maker: "adam", definition: optaxAdam }), secondMoment: isPytorchs(settings) ? "zero" : "epsilon" }),
      options,
      keywords: { alpha: "learning_rate", beta1: "b1", beta2: "b2", logEps: "eps", ...(inUse(settings) && { weightDecay: decay }) },
    };
  },

  keras: (settings) => ({
    name: "Adam",
    keywords: (v) => ({ beta_1: v("beta1"), beta_2: v("beta2"), epsilon: epsilon(v), ...(settings.amsgrad && { amsgrad: "True" }) }),
    options,
    ...(isPytorchs(settings)
      ? { why: "Epsilon follows the bias correction." }
      : {
          startsSecondMoment: true,
          why: "The second moment starts at start, Keras's own at 0, and epsilon follows the bias correction.",
          build: ["for velocity in self._velocities:", "    velocity.assign(ops.full(velocity.shape, self.start, dtype=velocity.dtype))"],
        }),
    slots: { m: "self._momentums", v: "self._velocities", ...(settings.amsgrad && { largestV: "self._velocity_hats" }) },
    attributes: { beta_1: "beta1", beta_2: "beta2", epsilon: "logEps", ...(inUse(settings) && { decay: "weightDecay" }) },
    step: [
      ...kerasDecay(settings),
      "count = ops.cast(self.iterations + 1, variable.dtype)",
      "self.assign_add(m, (gradient - m) * (1 - beta_1))",
      "self.assign_add(v, (ops.square(gradient) - v) * (1 - beta_2))",
      ...(settings.amsgrad ? ["self.assign(largest, ops.maximum(largest, v))", "v = largest"] : []),
      "root = ops.sqrt(1 - ops.power(ops.cast(beta_2, variable.dtype), count))",
      "rate = lr * root / (1 - ops.power(ops.cast(beta_1, variable.dtype), count))",
      "self.assign_sub(variable, rate * m / (ops.sqrt(v) + root * epsilon))",
    ],
  }),
};
