/** Which Keras optimizer computes what a level computed; where Keras's own computes otherwise, a subclass of it. */
import { hasMomentum } from "../../shared/slots.ts";
import { initialValue, slotSettings, type Settings } from "../../shared/tower.ts";
import { constantName, dampens, decays, noRuleFor, type LearnedPart } from "./learned.ts";
import { float } from "./python.ts";

export interface KerasRule {
  /** Keras's class. */
  readonly name: string;
  /**
   * Keyword arguments besides the learning rate, given Python expressions of the hyperparameters.
   */
  readonly keywords: (value: (name: string) => string) => Readonly<Record<string, string>>;
  /** What a subclass of Keras's optimizer is for; none where that computes the same. */
  readonly why?: string;
  /** Extra lines of the subclass's build(). */
  readonly build?: readonly string[];
  /** Keras's list of each slot, by the slot's name in the update rule. */
  readonly slots: Readonly<Record<string, string>>;
  /** Hyperparameters by their attribute; a learned one follows its schedule. */
  readonly attributes: Readonly<Record<string, string>>;
  /** Lines of update_step(), after `lr`, `gradient`, the attributes and the slots are there. */
  readonly step: readonly string[];
  /** Options beyond the authors' library that can be expressed. */
  readonly expresses?: readonly string[];
}

/** Local variables of slots in Python. */
const slotVariables: Readonly<Record<string, string>> = { momentum: "buffer", m: "m", v: "v", largestV: "largest", squares: "squares" };

export const slotVariable = (slot: string) => slotVariables[slot]!;

export function kerasRule(settings: Settings): KerasRule {
  switch (settings.optimizer) {
    case "sgd":
      return sgdRule(settings);
    case "adam":
      return {
        name: "Adam",
        keywords: (v) => ({ beta_1: v("beta1"), beta_2: v("beta2"), epsilon: `10.0 ** ${v("logEps")}`, ...(settings.amsgrad && { amsgrad: "True" }) }),
        expresses: ["amsgrad", "weightDecay", "weightDecayAs"],
        why: "The second moment starts at start, Keras's own at 0, and epsilon follows the bias correction.",
        build: ["for velocity in self._velocities:", "    velocity.assign(ops.full(velocity.shape, self.start, dtype=velocity.dtype))"],
        slots: { m: "self._momentums", v: "self._velocities", ...(settings.amsgrad && { largestV: "self._velocity_hats" }) },
        attributes: { beta_1: "beta1", beta_2: "beta2", epsilon: "logEps", ...decayAttribute(settings) },
        step: [
          ...decaySteps(settings),
          "count = ops.cast(self.iterations + 1, variable.dtype)",
          "self.assign_add(m, (gradient - m) * (1 - beta_1))",
          "self.assign_add(v, (ops.square(gradient) - v) * (1 - beta_2))",
          ...(settings.amsgrad ? ["self.assign(largest, ops.maximum(largest, v))", "v = largest"] : []),
          "root = ops.sqrt(1 - ops.power(ops.cast(beta_2, variable.dtype), count))",
          "rate = lr * root / (1 - ops.power(ops.cast(beta_1, variable.dtype), count))",
          "self.assign_sub(variable, rate * m / (ops.sqrt(v) + root * epsilon))",
        ],
      };
    case "adaGrad":
      return {
        name: "Adagrad",
        keywords: () => ({ initial_accumulator_value: "0.1", epsilon: "1e-10" }),
        slots: { squares: "self._accumulators" },
        attributes: {},
        step: ["self.assign_add(squares, ops.square(gradient))", "self.assign_sub(variable, lr * gradient / ops.sqrt(squares + 1e-10))"],
      };
    case "rmsProp":
      return {
        name: "RMSprop",
        keywords: (v) => ({ rho: v("gamma"), epsilon: "1e-8" }),
        why: "The decay can follow the run's.",
        slots: { squares: "self._velocities" },
        attributes: { rho: "gamma" },
        step: ["self.assign_add(squares, (ops.square(gradient) - squares) * (1 - rho))", "self.assign_sub(variable, lr * gradient / ops.sqrt(squares + 1e-8))"],
      };
    default:
      return noRuleFor(settings, "Keras");
  }
}

function sgdRule(settings: Extract<Settings, { optimizer: "sgd" }>): KerasRule {
  const momentum = hasMomentum(slotSettings(settings));
  const dampened = dampens(settings);
  const decay = decaySteps(settings);
  // A buffer that Keras makes only where the momentum is not 0.
  const kept = settings.momentumFromZero || settings.schedules?.["mu"] ? " or 1e-30" : "";
  const share = dampened ? "share * gradient" : "gradient";
  return {
    name: "SGD",
    keywords: (v) => ({ ...(momentum && { momentum: `${v("mu")}${kept}` }), ...(settings.nesterov && { nesterov: "True" }) }),
    expresses: ["momentumFromZero", "nesterov", "dampening", "weightDecay", "weightDecayAs"],
    ...((momentum || decay.length > 0) && { why: "The learning rate multiplies the running sum of the momentum, not what enters it." }),
    slots: momentum ? { momentum: "self.momentums" } : {},
    attributes: { ...(momentum && { momentum: "mu" }), ...(dampened && { dampening: "dampening" }), ...decayAttribute(settings) },
    step: [
      ...decay,
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
}

const decayAttribute = (settings: Settings): Readonly<Record<string, string>> => (decays(settings) ? { decay: "weightDecay" } : {});

function decaySteps(settings: Settings): string[] {
  if (!decays(settings)) return [];
  return settings.weightDecayAs === "coupled" ? ["gradient = gradient + decay * variable"] : ["self.assign(variable, variable * (1 - lr * decay))"];
}

/** Python of a hyperparameter at an update. @param final where it does not follow a schedule */
export function valueNow(part: LearnedPart, hyperparameter: string, final: string): string {
  if (!part.schedules.has(hyperparameter)) return final;
  const now = `value_at(${constantName(part, hyperparameter)}, self.iterations)`;
  return `${hyperparameter === "logEps" ? `10.0 ** ${now}` : now} if self.scheduled else ${final}`;
}

/** Definition of the subclass. @param part whose schedules it follows */
export function subclassCode({ name, why, build = [], attributes, slots, step }: KerasRule, part: LearnedPart): string {
  const values = Object.entries(attributes).map(([attribute, hyperparameter]) => `${attribute} = ${valueNow(part, hyperparameter, `self.${attribute}`)}`);
  const lists = Object.entries(slots).map(([slot, list]) => `${slotVariable(slot)} = ${list}[index]`);
  const indented = (lines: readonly string[]) => lines.map((line) => `        ${line}\n`).join("");
  return `@keras.saving.register_keras_serializable(package="hypertower")
class Learned${name}(keras.optimizers.${name}):
    """${name} as the run's. ${why!}"""

    def __init__(self, learning_rate=0.001, scheduled=False, start=0.0, decay=0.0, dampening=0.0, **keywords):
        super().__init__(learning_rate=learning_rate, **keywords)
        self.scheduled, self.start, self.decay, self.dampening = scheduled, start, decay, dampening
${build.length === 0 ? "" : `
    def build(self, variables):
        if self.built:
            return
        super().build(variables)
${indented(build)}`}
    def update_step(self, gradient, variable, learning_rate):
        lr = ops.cast(learning_rate, variable.dtype)
        gradient = ops.cast(gradient, variable.dtype)
${indented([...values, ...(lists.length === 0 ? [] : ["index = self._get_variable_index(variable)", ...lists]), ...step])}
    def get_config(self):
        own = {"scheduled": self.scheduled, "start": self.start, "decay": self.decay, "dampening": self.dampening}
        return {**super().get_config(), **own}
`;
}

/** Arguments of the subclass beside Keras's: where its moments start, its decay and its dampening. */
export function subclassArguments({ settings, final }: LearnedPart, which: "final" | "scheduled"): Readonly<Record<string, string>> {
  const logEps = which === "final" ? final["logEps"] : settings.optimizer === "adam" ? initialValue(settings, "logEps") : undefined;
  return {
    ...(which === "scheduled" && { scheduled: "True" }),
    ...(settings.optimizer === "adam" && { start: `10.0 ** ${float(logEps!)}` }),
    ...(decays(settings) && { decay: float(final["weightDecay"]!) }),
    ...(dampens(settings) && { dampening: float(final["dampening"]!) }),
  };
}
