/** Python of the optimizers that PyTorch lacks, and of Adam's second moment. */

/** A step() that applies `body` to each parameter with a gradient. */
const stepCode = (body: readonly string[]) => `    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
${body.map((line) => `                ${line}\n`).join("")}        return loss`;

/** Optimizer classes by name. */
export const ownClasses: Readonly<Record<string, string>> = {
  RMSProp: `class RMSProp(torch.optim.Optimizer):
    """The run's RMSProp: 1e-8 is added inside the root, where torch.optim.RMSprop adds its eps outside. alpha is the decay, as there."""

    def __init__(self, params, lr=0.01, alpha=0.99):
        super().__init__(params, dict(lr=lr, alpha=alpha))

${stepCode([
  "state = self.state[parameter]",
  "if len(state) == 0:",
  '    state["square_avg"] = torch.zeros_like(parameter, memory_format=torch.preserve_format)',
  'squares = state["square_avg"].lerp_(parameter.grad.square(), 1 - group["alpha"])',
  'parameter.addcdiv_(parameter.grad, (squares + 1e-8).sqrt_(), value=-group["lr"])',
])}`,
  SGD: `class SGD(torch.optim.Optimizer):
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
])}`,
};

/** torch.optim.Adagrad with groups. */
export const adagradFunction = `def adagrad(groups, lr):
    """The sums start at the value that the constructor is given, whatever the groups say."""
    return torch.optim.Adagrad(groups, lr=lr, initial_accumulator_value=0.1)`;

/** An optimizer of several; they share its parameter groups, which a scheduler changes. */
export const togetherClass = `class Together(torch.optim.Optimizer):
    """Steps several optimizers as one; its param_groups are theirs."""

    def __init__(self, optimizers):
        self.optimizers = optimizers
        super().__init__([group for optimizer in optimizers for group in optimizer.param_groups], {})

    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for optimizer in self.optimizers:
            optimizer.step()
        return loss

    def state_dict(self):
        return {"optimizers": [optimizer.state_dict() for optimizer in self.optimizers]}

    def load_state_dict(self, state_dict):
        for optimizer, state in zip(self.optimizers, state_dict["optimizers"]):
            optimizer.load_state_dict(state)
        self.param_groups = [group for optimizer in self.optimizers for group in optimizer.param_groups]`;

/**
 * @param optimizers Python expression of the Adam optimizers
 * @param start Python expression of a group's initial second moment, from `start` and `group`
 */
export const secondMomentFunction = (optimizers: string, start: string) => `def start_second_moment(optimizer, start):
    """Starts Adam's second moment at start, as the run did; PyTorch's own starts at 0. Move the model to its device first."""
    for adam in ${optimizers}:
        for group in adam.param_groups:
            for parameter in group["params"]:
                moments = {
                    "step": torch.tensor(0.0),
                    "exp_avg": torch.zeros_like(parameter, memory_format=torch.preserve_format),
                    "exp_avg_sq": torch.full_like(parameter, ${start}, memory_format=torch.preserve_format),
                }
                if group["amsgrad"]:
                    moments["max_exp_avg_sq"] = torch.zeros_like(parameter, memory_format=torch.preserve_format)
                adam.state[parameter] = moments
    return optimizer`;

/**
 * A hook that clips gradients before a step. PyTorch's clip_grad_norm_ adds 1e-6 to the norm; the run did not.
 * @param limit Python expression of a group's largest absolute gradient, from `group`; null: none
 * @param norm of all gradients together; null: no limit
 */
export const clipFunction = (limit: string | null, norm: string | null) => `def clip_gradients(optimizer, args, kwargs):
    """Clips the gradients as the run did, before each step. Call backward() before step(), not in a closure."""
${(limit === null
  ? []
  : [
      "for group in optimizer.param_groups:",
      `    limit = ${limit}`,
      '    for parameter in group["params"]:',
      "        if parameter.grad is not None and limit is not None:",
      "            parameter.grad.clamp_(-limit, limit)",
    ]
)
  .concat(
    norm === null
      ? []
      : [
          'gradients = [parameter.grad for group in optimizer.param_groups for parameter in group["params"] if parameter.grad is not None]',
          "if len(gradients) > 0:",
          "    norm = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(gradient) for gradient in gradients]))",
          "    for gradient in gradients:",
          `        gradient.mul_(torch.clamp(${norm} / norm, max=1.0))`,
        ],
  )
  .map((line) => `    ${line}`)
  .join("\n")}


def clipped(optimizer):
    optimizer.register_step_pre_hook(clip_gradients)
    return optimizer`;
