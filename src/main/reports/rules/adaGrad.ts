import { firstUpdate } from "./common.ts";
import type { ExportRules, GroupRule, SettingsOf } from "./spec.ts";

type AdaGrad = SettingsOf<"adaGrad">;

const options = ["convention"];
const isPytorchs = ({ convention }: AdaGrad) => convention === "pytorch";

const optaxPytorchs = () => `def adagrad(learning_rate):
    """AdaGrad with epsilon outside the root, as in PyTorch and the run; Optax's has it inside."""
    tree_map = jax.tree_util.tree_map

    def update(gradients, squares, params=None):
        squares = tree_map(lambda g, s: s + g * g, gradients, squares)
        return tree_map(lambda g, s: g / (jnp.sqrt(s) + 1e-10), gradients, squares), squares

    init = lambda params: tree_map(jnp.zeros_like, params)
    return optax.chain(optax.GradientTransformation(init, update), optax.scale_by_learning_rate(learning_rate))`;

const whole = (settings: AdaGrad): GroupRule => ({
  name: "AdaGrad",
  options,
  slots: { squares: "zeros" },
  body: ({ module }) => [
    // The published sums start at 0.1.
    ...(isPytorchs(settings) ? [] : [firstUpdate]),
    `squares = [s["squares"] + ${isPytorchs(settings) ? "" : "0.1 * first + "}g * g for g, s in zip(gradients, slots)]`,
    `moved = [w - h["lr"] * g / ${isPytorchs(settings) ? `(${module}.sqrt(q) + 1e-10)` : `${module}.sqrt(q + 1e-10)`} for w, g, q in zip(weights, gradients, squares)]`,
    'return moved, [{"squares": q} for q in squares], shared',
  ],
});

export const adaGrad: ExportRules<AdaGrad> = {
  whole,
  pytorch: (settings) => {
    const pytorchs = isPytorchs(settings);
    return {
      maker: "torch.optim.Adagrad",
      options,
      keywords: (v) => ({ lr: v("alpha"), ...(!pytorchs && { initial_accumulator_value: "0.1" }), eps: "1e-10" }),
      scheduled: {},
      ...(!pytorchs && {
        forGroups: {
          name: "adagrad",
          definition: `def adagrad(groups, lr):
    """The sums start at the value that the constructor is given, whatever the groups say."""
    return torch.optim.Adagrad(groups, lr=lr, initial_accumulator_value=0.1)`,
        },
      }),
    };
  },
  optax: (settings) =>
    isPytorchs(settings)
      ? { maker: "adagrad", definition: optaxPytorchs, options, keywords: { alpha: "learning_rate" } }
      : { maker: "optax.adagrad", options, keywords: { alpha: "learning_rate" }, fixed: { initial_accumulator_value: "0.1", eps: "1e-10" } },
  keras: (settings) => {
    const pytorchs = isPytorchs(settings);
    return {
      name: "Adagrad",
      options,
      keywords: () => ({ initial_accumulator_value: pytorchs ? "0.0" : "0.1", epsilon: "1e-10" }),
      ...(pytorchs && { why: "Epsilon is added outside the root." }),
      slots: { squares: "self._accumulators" },
      attributes: {},
      step: ["self.assign_add(squares, ops.square(gradient))", `self.assign_sub(variable, lr * gradient / ${pytorchs ? "(ops.sqrt(squares) + 1e-10)" : "ops.sqrt(squares + 1e-10)"})`],
    };
  },
};
