/** A Keras optimizer that computes what a level computed, where Keras's own computes otherwise: a subclass of it. */
import { initialValue } from "../../shared/tower.ts";
import { constantName, type LearnedPart } from "./learned.ts";
import { float } from "./python.ts";
import type { KerasRule } from "./rules/spec.ts";

/** Local variables of slots in Python. */
const slotVariables: Readonly<Record<string, string>> = { momentum: "buffer", m: "m", v: "v", largestV: "largest", squares: "squares" };

export const slotVariable = (slot: string) => slotVariables[slot]!;

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

/** Arguments of the subclass beside Keras's: where its second moment starts, its decay and its dampening. */
export function subclassArguments({ attributes, startsSecondMoment }: KerasRule, { settings, final }: LearnedPart, which: "final" | "scheduled"): Readonly<Record<string, string>> {
  return {
    ...(which === "scheduled" && { scheduled: "True" }),
    ...(startsSecondMoment && { start: `10.0 ** ${float(which === "final" ? final["logEps"]! : initialValue(settings, "logEps"))}` }),
    ...(attributes["decay"] !== undefined && { decay: float(final["weightDecay"]!) }),
    ...(attributes["dampening"] !== undefined && { dampening: float(final["dampening"]!) }),
  };
}
