/** Groups of level 0 as one Keras optimizer, which moves each weight by the rule and the values of its group. */
import { slotsOf } from "../../shared/slots.ts";
import { initialValues, slotSettings } from "../../shared/tower.ts";
import { kerasRule, slotVariable, valueNow } from "./kerasRules.ts";
import { clips, clipsValues, clipValuesCode, frozenGroups, groupsCode, type Learned, type LearnedPart } from "./learned.ts";
import { float, string } from "./python.ts";

const functionName = (part: LearnedPart) => `step${part.suffix.toLowerCase() || "_rest"}`;

export function kerasGroupsCode(learned: Learned): string {
  const { parts, level } = learned;
  const frozen = frozenGroups(level);
  const table = (text: (part: LearnedPart) => string) => parts.map((part) => `    ${string(part.group ?? "")}: ${text(part)},`).join("\n");
  return `${groupsCode(learned)}


def parameter_name(variable):
    """A variable's name as the run's model has it: layer1.weight for the kernel of the layer named layer1."""
    layer, which = variable.path.split("/")[-2:]
    return f"{layer}.{KERAS_NAMES.get(which, which)}"


KERAS_NAMES = {"kernel": "weight", "embeddings": "weight", "gamma": "weight", "beta": "bias"}

${parts.map(stepCode).join("\n\n")}

# What moves each group, and where its slots start in the final and in the scheduled optimizer.
STEPS = {
${table(functionName)}
}
SLOTS = {
${table((part) => `(${slotsCode(part, "final")}, ${slotsCode(part, "scheduled")})`)}
}


@keras.saving.register_keras_serializable(package="hypertower")
class LearnedGroups(keras.optimizers.Optimizer):
    """Moves each group as the run did${frozen.length === 0 ? "" : `; ${frozen.map((name) => (name === "" ? "what is in no group" : name)).join(", ")} stays as it is`}. learning_rate scales the step sizes of all groups."""

    def __init__(self, learning_rate=1.0, scheduled=False, name="learned_groups", **keywords):
        super().__init__(learning_rate=learning_rate, name=name, **keywords)
        self.scheduled = scheduled

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        names = [parameter_name(variable) for variable in variables]
        for group, patterns in GROUPS:
            if not any(group_of(name) == group for name in names):
                raise ValueError(f"no variable is in group {group} ({', '.join(patterns)}); name the layers as the run's model does. Variables: {', '.join(names)}")
        slots_of = lambda name: SLOTS.get(group_of(name), ({}, {}))[1 if self.scheduled else 0]
        self._slots = [
            [self.add_variable_from_reference(variable, slot, initializer=keras.initializers.Constant(start)) for slot, start in slots_of(name).items()]
            for name, variable in zip(names, variables)
        ]

${clipMethod(learned)}    def update_step(self, gradient, variable, learning_rate):
        step = STEPS.get(group_of(parameter_name(variable)))
        if step is not None:
            slots = self._slots[self._get_variable_index(variable)]
            step(self, ops.cast(gradient, variable.dtype), variable, ops.cast(learning_rate, variable.dtype), *slots)

    def get_config(self):
        return {**super().get_config(), "scheduled": self.scheduled}


def final_optimizer():
    """Each group's plain optimizer at the values that the run ended with."""
    return LearnedGroups()


def scheduled_optimizer():
    """Gives each update the hyperparameters of the run."""
    return LearnedGroups(scheduled=True)
`;
}

/** Clips gradients before they are applied. What is held fixed does not count in their norm. */
function clipMethod(learned: Learned): string {
  if (!clips(learned)) return "";
  const { clipNorm } = learned.level;
  const byValue = [
    `limits = ${clipValuesCode(learned)}`,
    "clip = lambda g, limit: g if g is None or limit is None else ops.clip(g, -limit, limit)",
    "grads = [clip(g, limits.get(group)) for g, group in zip(grads, groups)]",
  ];
  const byNorm = [
    "squares = [ops.sum(ops.square(g)) for g, group in zip(grads, groups) if g is not None and group in STEPS]",
    `scale = ops.minimum(1.0, ${clipNorm === null ? "" : float(clipNorm)} / ops.sqrt(sum(squares)))`,
    "grads = [g if g is None else g * scale for g in grads]",
  ];
  const lines = [
    "variables = self._trainable_variables if trainable_variables is None else list(trainable_variables)",
    "groups = [group_of(parameter_name(variable)) for variable in variables]",
    ...(clipsValues(learned) ? byValue : []),
    ...(clipNorm === null ? [] : byNorm),
    "super().apply(grads, trainable_variables)",
  ];
  return `    def apply(self, grads, trainable_variables=None):
${lines.map((line) => `        ${line}\n`).join("")}
`;
}

/** A function that moves one variable of a part. */
function stepCode(part: LearnedPart): string {
  const { attributes, slots, step } = kerasRule(part.settings);
  const value = (hyperparameter: string) => {
    const final = float(part.final[hyperparameter]!);
    return valueNow(part, hyperparameter, hyperparameter === "logEps" ? `10.0 ** ${final}` : final);
  };
  const alpha = value("alpha");
  const lines = [
    `lr = learning_rate * ${part.schedules.has("alpha") ? `(${alpha})` : alpha}`,
    ...Object.entries(attributes).map(([attribute, hyperparameter]) => `${attribute} = ${value(hyperparameter)}`),
    ...step,
  ];
  const parameters = ["self", "gradient", "variable", "learning_rate", ...Object.keys(slots).map(slotVariable)];
  return `
def ${functionName(part)}(${parameters.join(", ")}):
${lines.map((line) => `    ${line}\n`).join("")}`;
}

/** Initial values of a part's slots as a Python dictionary, in the order of the rule's. */
function slotsCode({ settings, final }: LearnedPart, which: "final" | "scheduled"): string {
  const initial = which === "final" ? final : initialValues(settings);
  const starts = new Map(slotsOf({ ...slotSettings(settings), initial }).map((slot) => [slot.name, slot.initial]));
  const entries = Object.keys(kerasRule(settings).slots).map((slot) => `${string(slot)}: ${float(Number(starts.get(slot)))}`);
  return `{${entries.join(", ")}}`;
}
