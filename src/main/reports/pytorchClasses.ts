/** Python that an exported PyTorch file brings along. */

/** A step() that applies `body` to each parameter group, `group`. */
export const groupStepCode = (body: readonly string[]) => `    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
${body.map((line) => `            ${line}\n`).join("")}        return loss`;

/** A step() that applies `body` to each parameter with a gradient. */
export const stepCode = (body: readonly string[]) =>
  groupStepCode(['for parameter in group["params"]:', "    if parameter.grad is None:", "        continue", ...body.map((line) => `    ${line}`)]);

/**
 * An optimizer of several; they share its parameter groups, which a scheduler changes.
 * @param takeLoss classes whose step() takes the loss
 * @param evaluates whether some have train() and eval()
 */
export const togetherClass = (takeLoss: readonly string[], evaluates: boolean) => `class Together(torch.optim.Optimizer):
    """Steps several optimizers as one; its param_groups are theirs."""

    def __init__(self, optimizers):
        self.optimizers = optimizers
        super().__init__([group for optimizer in optimizers for group in optimizer.param_groups], {})

    def step(self, closure=None${takeLoss.length > 0 ? ", loss=None" : ""}):
        ${takeLoss.length > 0 ? "" : "loss = None\n        "}if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for optimizer in self.optimizers:
            ${takeLoss.length > 0 ? `optimizer.step(loss=loss) if isinstance(optimizer, (${takeLoss.map((one) => `${one},`).join(" ")})) else ` : ""}optimizer.step()
        return loss
${
  evaluates
    ? `
    def train(self):
        for optimizer in self.optimizers:
            if hasattr(optimizer, "train"):
                optimizer.train()

    def eval(self):
        for optimizer in self.optimizers:
            if hasattr(optimizer, "eval"):
                optimizer.eval()
`
    : ""
}
    def state_dict(self):
        return {"optimizers": [optimizer.state_dict() for optimizer in self.optimizers]}

    def load_state_dict(self, state_dict):
        for optimizer, state in zip(self.optimizers, state_dict["optimizers"]):
            optimizer.load_state_dict(state)
        self.param_groups = [group for optimizer in self.optimizers for group in optimizer.param_groups]`;

/** Starts in training: the weights are then where gradients are taken. */
export const inTrainingFunction = `def in_training(optimizer):
    """Call eval() of the optimizer before evaluating or saving the model, which puts in what the run evaluated, and train() before training on."""
    optimizer.train()
    return optimizer`;

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
