import { hasMomentum } from "../../../shared/slots.ts";
import { slotSettings, type Settings } from "../../../shared/tower.ts";
import { stepCode } from "../pytorchClasses.ts";
import { coupledDecay, firstUpdate, inUse, shrunk } from "./common.ts";
import type { ExportRules, GroupRule, KerasRule, SettingsOf } from "./spec.ts";

type Sgd = SettingsOf<"sgd">;

const options = ["momentumFromZero", "nesterov", "weightDecayAs"];

/** Whether dampening matters: without momentum it does not. */
const dampens = (settings: Sgd) => hasMomentum(slotSettings(settings)) && settings.dampening !== 0;
const isCoupled = ({ weightDecayAs }: Sgd) => weightDecayAs === "coupled";

/** Decoupled decay and dampened Nesterov momentum, both of which torch.optim.SGD lacks. */
const needsOwn = (settings: Settings) => settings.optimizer === "sgd" && ((inUse(settings) && !isCoupled(settings)) || (settings.nesterov && dampens(settings)));

/** A momentum that passes through 0 keeps its buffer: both PyTorch and Keras drop it at exactly 0. */
const kept = (settings: Sgd) => (settings.momentumFromZero || settings.schedules?.["mu"] ? " or 1e-30" : "");

const pytorchClass = () => `class SGD(torch.optim.Optimizer):
    """SGD with decoupled weight_decay, and with dampening in Nesterov momentum too; torch.optim.SGD has neither."""

    def __init__(self, params, lr=0.01, momentum=0.0, dampening=0.0, weight_decay=0.0, coupled_decay=0.0, nesterov=False):
        super().__init__(params, dict(lr=lr, momentum=momentum, dampening=dampening, weight_decay=weight_decay, coupled_decay=coupled_decay, nesterov=nesterov))

${stepCode([
  'gradient, state = parameter.grad.add(parameter, alpha=group["coupled_decay"]), self.state[parameter]',
  'if group["momentum"] != 0:',
  '    if "momentum_buffer" in state:',
  '        state["momentum_buffer"].mul_(group["momentum"]).add_(gradient, alpha=1 - group["dampening"])',
  "    else:",
  '        state["momentum_buffer"] = gradient.clone()',
  '    gradient = gradient.add(state["momentum_buffer"], alpha=group["momentum"]) if group["nesterov"] else state["momentum_buffer"]',
  'parameter.mul_(1 - group["lr"] * group["weight_decay"]).add_(gradient, alpha=-group["lr"])',
])}`;

const dampenedOptax = () => `def dampened_sgd(learning_rate, momentum, dampening, nesterov=False, weight_decay=0.0, coupled_decay=0.0):
    """SGD whose momentum takes in 1 - dampening of each gradient, and all of the first one; Optax has none."""
    tree_map = jax.tree_util.tree_map

    def init(params):
        return {"count": jnp.zeros([], jnp.int32), "trace": tree_map(jnp.zeros_like, params)}

    def update(gradients, state, params=None):
        share = jnp.where(state["count"] == 0, 1.0, 1.0 - dampening)
        trace = tree_map(lambda g, t: momentum * t + share * g, gradients, state["trace"])
        updates = tree_map(lambda g, t: g + momentum * t, gradients, trace) if nesterov else trace
        return updates, {"count": state["count"] + 1, "trace": trace}

    return optax.chain(
        optax.add_decayed_weights(coupled_decay),
        optax.GradientTransformation(init, update),
        optax.add_decayed_weights(weight_decay),
        optax.scale_by_learning_rate(learning_rate),
    )`;

const decayedOptax = () => `def sgd(learning_rate, momentum, nesterov=False, weight_decay=0.0, coupled_decay=0.0):
    """Optax's SGD with weight decay."""
    return optax.chain(
        optax.add_decayed_weights(coupled_decay),
        optax.trace(decay=momentum, nesterov=nesterov),
        optax.add_decayed_weights(weight_decay),
        optax.scale_by_learning_rate(learning_rate),
    )`;

function optaxMaker(settings: Sgd) {
  if (dampens(settings)) return { maker: "dampened_sgd", definition: dampenedOptax };
  return inUse(settings) ? { maker: "sgd", definition: decayedOptax } : { maker: "optax.sgd" };
}

function whole(settings: Sgd): GroupRule {
  const [momentum, dampened, coupled] = [hasMomentum(slotSettings(settings)), dampens(settings), isCoupled(settings)];
  return {
    name: "SGD",
    options,
    slots: momentum ? { buffer: "zeros" } : {},
    body: () => [
      ...(coupled ? coupledDecay(settings) : []),
      // All of the first gradient, as in PyTorch.
      ...(dampened ? [firstUpdate, 'share = first + (1 - first) * (1 - h["dampening"])'] : []),
      ...(momentum ? [`buffers = [h["mu"] * s["buffer"] + ${dampened ? "share * g" : "g"} for g, s in zip(gradients, slots)]`] : []),
      ...(momentum ? [settings.nesterov ? 'directions = [g + h["mu"] * b for g, b in zip(gradients, buffers)]' : "directions = buffers"] : ["directions = gradients"]),
      `moved = [${shrunk(!coupled && inUse(settings))} - h["lr"] * d for w, d in zip(weights, directions)]`,
      `return moved, ${momentum ? '[{"buffer": b} for b in buffers]' : "slots"}, shared`,
    ],
  };
}

export const sgd: ExportRules<Sgd> = {
  whole,

  pytorch(settings, all) {
    // Groups of SGD are one optimizer, so one that needs the file's class gives it to all.
    const own = all.some(needsOwn);
    const decay = own && isCoupled(settings) ? "coupled_decay" : "weight_decay";
    const [dampening, decaying] = [dampens(settings), inUse(settings)];
    return {
      ...(own ? { maker: "SGD", definition: pytorchClass } : { maker: "torch.optim.SGD" }),
      options,
      keywords: (v) => ({
        lr: v("alpha"),
        momentum: `${v("mu")}${kept(settings)}`,
        ...(dampening && { dampening: v("dampening") }),
        ...(decaying && { [decay]: v("weightDecay") }),
        ...(settings.nesterov && { nesterov: "True" }),
      }),
      scheduled: { momentum: ["mu"], ...(dampening && { dampening: ["dampening"] }), ...(decaying && { [decay]: ["weightDecay"] }) },
    };
  },

  optax: (settings) => ({
    ...optaxMaker(settings),
    options,
    keywords: {
      alpha: "learning_rate",
      mu: "momentum",
      ...(dampens(settings) && { dampening: "dampening" }),
      ...(inUse(settings) && { weightDecay: isCoupled(settings) ? "coupled_decay" : "weight_decay" }),
    },
    ...(settings.nesterov && { fixed: { nesterov: "True" } }),
  }),

  keras(settings): KerasRule {
    const [momentum, dampened, decaying] = [hasMomentum(slotSettings(settings)), dampens(settings), inUse(settings)];
    const share = dampened ? "share * gradient" : "gradient";
    return {
      name: "SGD",
      options,
      keywords: (v) => ({ ...(momentum && { momentum: `${v("mu")}${kept(settings)}` }), ...(settings.nesterov && { nesterov: "True" }) }),
      ...((momentum || decaying) && { why: "The learning rate multiplies the running sum of the momentum, not what enters it." }),
      slots: momentum ? { momentum: "self.momentums" } : {},
      attributes: { ...(momentum && { momentum: "mu" }), ...(dampened && { dampening: "dampening" }), ...(decaying && { decay: "weightDecay" }) },
      step: [
        ...kerasDecay(settings),
        // All of the first gradient, as in PyTorch.
        ...(dampened ? ["share = ops.where(self.iterations == 0, 1.0, 1.0 - dampening)"] : []),
        ...(momentum
          ? [
              `self.assign(buffer, momentum * buffer + ${share})`,
              settings.nesterov ? "gradient = gradient + momentum * buffer" : "gradient = ops.convert_to_tensor(buffer)",
            ]
          : []),
        "self.assign_sub(variable, lr * gradient)",
      ],
    };
  },
};

/** Lines that decay a variable or its gradient in Keras. */
export function kerasDecay(settings: Sgd | SettingsOf<"adam">): string[] {
  if (!inUse(settings)) return [];
  return settings.weightDecayAs === "coupled" ? ["gradient = gradient + decay * variable"] : ["self.assign(variable, variable * (1 - lr * decay))"];
}
