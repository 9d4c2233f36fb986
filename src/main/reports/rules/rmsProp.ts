import { stepCode } from "../pytorchClasses.ts";
import type { ExportRules, GroupRule, SettingsOf } from "./spec.ts";

type RmsProp = SettingsOf<"rmsProp">;

const options = ["convention"];
const isPytorchs = ({ convention }: RmsProp) => convention === "pytorch";

const pytorchClass = () => `class RMSProp(torch.optim.Optimizer):
    """The run's RMSProp: 1e-8 is added inside the root, where torch.optim.RMSprop adds its eps outside. alpha is the decay, as there."""

    def __init__(self, params, lr=0.01, alpha=0.99):
        super().__init__(params, dict(lr=lr, alpha=alpha))

${stepCode([
  "state = self.state[parameter]",
  "if len(state) == 0:",
  '    state["square_avg"] = torch.zeros_like(parameter, memory_format=torch.preserve_format)',
  'squares = state["square_avg"].lerp_(parameter.grad.square(), 1 - group["alpha"])',
  'parameter.addcdiv_(parameter.grad, (squares + 1e-8).sqrt_(), value=-group["lr"])',
])}`;

const whole = (settings: RmsProp): GroupRule => ({
  name: "RMSProp",
  options,
  slots: { squares: "zeros" },
  body: ({ module }) => [
    'squares = [s["squares"] + (1 - h["gamma"]) * (g * g - s["squares"]) for g, s in zip(gradients, slots)]',
    `moved = [w - h["lr"] * g / ${isPytorchs(settings) ? `(${module}.sqrt(q) + 1e-8)` : `${module}.sqrt(q + 1e-8)`} for w, g, q in zip(weights, gradients, squares)]`,
    'return moved, [{"squares": q} for q in squares], shared',
  ],
});

export const rmsProp: ExportRules<RmsProp> = {
  whole,
  pytorch: (settings) => ({
    ...(isPytorchs(settings) ? { maker: "torch.optim.RMSprop" } : { maker: "RMSProp", definition: pytorchClass }),
    options,
    keywords: (v) => ({ lr: v("alpha"), alpha: v("gamma"), ...(isPytorchs(settings) && { eps: "1e-8" }) }),
    scheduled: { alpha: ["gamma"] },
  }),
  optax: (settings) => ({
    maker: "optax.rmsprop",
    options,
    keywords: { alpha: "learning_rate", gamma: "decay" },
    fixed: { eps: "1e-8", ...(isPytorchs(settings) && { eps_in_sqrt: "False" }) },
  }),
  keras: (settings) => ({
    name: "RMSprop",
    options,
    keywords: (v) => ({ rho: v("gamma"), epsilon: "1e-8" }),
    why: isPytorchs(settings) ? "The decay can follow the run's, and epsilon is added outside the root." : "The decay can follow the run's.",
    slots: { squares: "self._velocities" },
    attributes: { rho: "gamma" },
    step: [
      "self.assign_add(squares, (ops.square(gradient) - squares) * (1 - rho))",
      `self.assign_sub(variable, lr * gradient / ${isPytorchs(settings) ? "(ops.sqrt(squares) + 1e-8)" : "ops.sqrt(squares + 1e-8)"})`,
    ],
  }),
};
