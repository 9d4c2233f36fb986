/** Which Keras optimizer computes what a level computed; where Keras's own computes otherwise, a subclass of it. */
import { initialValue, type Settings } from "../../shared/tower.ts";
import { constantName, decays, type LearnedPart } from "./learned.ts";
import { float } from "./python.ts";

export interface KerasRule {
  /** Keras's class. */
  readonly name: string;
  /** Keywords beside the learning rate, from values of the hyperparameters as Python. */
  readonly keywords: (value: (name: string) => string) => Readonly<Record<string, string>>;
  /** Steps that replace Keras's, with what the subclass is for. */
  readonly own?: OwnSteps;
  /** Options beyond the authors' library that can be expressed. */
  readonly expresses?: readonly string[];
}

interface OwnSteps {
  readonly why: string;
  /** Extra lines of build(). */
  readonly build?: readonly string[];
  /** Hyperparameters by their attribute; a learned one follows its schedule. */
  readonly attributes: Readonly<Record<string, string>>;
  /** Lines of update_step(), after `lr`, `gradient` and the attributes are there. */
  readonly step: readonly string[];
}

export function kerasRule(settings: Settings): KerasRule {
  switch (settings.optimizer) {
    case "sgd": {
      const momentum = settings.mu !== 0 || settings.momentumFromZero;
      const decay = decaySteps(settings);
      // A buffer that Keras makes only where the momentum is not 0.
      const kept = settings.momentumFromZero ? " or 1e-30" : "";
      return {
        name: "SGD",
        keywords: (v) => ({ ...(momentum && { momentum: `${v("mu")}${kept}` }), ...(settings.nesterov && { nesterov: "True" }) }),
        expresses: ["momentumFromZero", "nesterov", "weightDecay", "weightDecayAs"],
        ...((momentum || decay.length > 0) && {
          own: {
            why: "The learning rate multiplies the running sum of the momentum, not what enters it.",
            attributes: { ...(momentum && { momentum: "mu" }), ...decayAttribute(settings) },
            step: [
              ...decay,
              ...(momentum
                ? [
                    "buffer = self.momentums[self._get_variable_index(variable)]",
                    "self.assign(buffer, momentum * buffer + gradient)",
                    settings.nesterov ? "gradient = gradient + momentum * buffer" : "gradient = ops.convert_to_tensor(buffer)",
                  ]
                : []),
              "self.assign_sub(variable, lr * gradient)",
            ],
          },
        }),
      };
    }
    case "adam":
      return {
        name: "Adam",
        keywords: (v) => ({ beta_1: v("beta1"), beta_2: v("beta2"), epsilon: `10.0 ** ${v("logEps")}`, ...(settings.amsgrad && { amsgrad: "True" }) }),
        expresses: ["amsgrad", "weightDecay", "weightDecayAs"],
        own: {
          why: "The second moment starts at start, Keras's own at 0, and epsilon follows the bias correction.",
          build: ["for velocity in self._velocities:", "    velocity.assign(ops.full(velocity.shape, self.start, dtype=velocity.dtype))"],
          attributes: { beta_1: "beta1", beta_2: "beta2", epsilon: "logEps", ...decayAttribute(settings) },
          step: [
            ...decaySteps(settings),
            "count = ops.cast(self.iterations + 1, variable.dtype)",
            "index = self._get_variable_index(variable)",
            "m, v = self._momentums[index], self._velocities[index]",
            "self.assign_add(m, (gradient - m) * (1 - beta_1))",
            "self.assign_add(v, (ops.square(gradient) - v) * (1 - beta_2))",
            ...(settings.amsgrad ? ["largest = self._velocity_hats[index]", "self.assign(largest, ops.maximum(largest, v))", "v = largest"] : []),
            "root = ops.sqrt(1 - ops.power(ops.cast(beta_2, variable.dtype), count))",
            "rate = lr * root / (1 - ops.power(ops.cast(beta_1, variable.dtype), count))",
            "self.assign_sub(variable, rate * m / (ops.sqrt(v) + root * epsilon))",
          ],
        },
      };
    case "adaGrad":
      return { name: "Adagrad", keywords: () => ({ initial_accumulator_value: "0.1", epsilon: "1e-10" }) };
    case "rmsProp":
      return {
        name: "RMSprop",
        keywords: (v) => ({ rho: v("gamma"), epsilon: "1e-8" }),
        own: {
          why: "The decay can follow the run's.",
          attributes: { rho: "gamma" },
          step: [
            "squares = self._velocities[self._get_variable_index(variable)]",
            "self.assign_add(squares, (ops.square(gradient) - squares) * (1 - rho))",
            "self.assign_sub(variable, lr * gradient / ops.sqrt(squares + self.epsilon))",
          ],
        },
      };
    default:
      return settings satisfies never;
  }
}

const decayAttribute = (settings: Settings): Readonly<Record<string, string>> => (decays(settings) ? { decay: "weightDecay" } : {});

function decaySteps(settings: Settings): string[] {
  if (!decays(settings)) return [];
  return settings.weightDecayAs === "coupled" ? ["gradient = gradient + decay * variable"] : ["self.assign(variable, variable * (1 - lr * decay))"];
}

/** Definition of the subclass. @param part whose schedules it follows */
export function subclassCode({ name, own }: KerasRule, part: LearnedPart): string {
  const { why, build = [], attributes, step } = own!;
  const values = Object.entries(attributes).map(([attribute, hyperparameter]) => {
    if (!part.schedules.has(hyperparameter)) return `${attribute} = self.${attribute}`;
    const now = `value_at(${constantName(part, hyperparameter)}, self.iterations)`;
    return `${attribute} = ${hyperparameter === "logEps" ? `10.0 ** ${now}` : now} if self.scheduled else self.${attribute}`;
  });
  const indented = (lines: readonly string[]) => lines.map((line) => `        ${line}\n`).join("");
  return `@keras.saving.register_keras_serializable(package="hypertower")
class Learned${name}(keras.optimizers.${name}):
    """${name} as the run's. ${why}"""

    def __init__(self, learning_rate=0.001, scheduled=False, start=0.0, decay=0.0, **keywords):
        super().__init__(learning_rate=learning_rate, **keywords)
        self.scheduled, self.start, self.decay = scheduled, start, decay
${build.length === 0 ? "" : `
    def build(self, variables):
        if self.built:
            return
        super().build(variables)
${indented(build)}`}
    def update_step(self, gradient, variable, learning_rate):
        lr = ops.cast(learning_rate, variable.dtype)
        gradient = ops.cast(gradient, variable.dtype)
${indented([...values, ...step])}
    def get_config(self):
        return {**super().get_config(), "scheduled": self.scheduled, "start": self.start, "decay": self.decay}
`;
}

/** Arguments of the subclass beside Keras's: where its moments start, and its decay. */
export function subclassArguments({ settings, final }: LearnedPart, which: "final" | "scheduled"): Readonly<Record<string, string>> {
  const logEps = which === "final" ? final["logEps"] : settings.optimizer === "adam" ? initialValue(settings, "logEps") : undefined;
  return {
    ...(which === "scheduled" && { scheduled: "True" }),
    ...(settings.optimizer === "adam" && { start: `10.0 ** ${float(logEps!)}` }),
    ...(decays(settings) && { decay: float(final["weightDecay"]!) }),
  };
}
