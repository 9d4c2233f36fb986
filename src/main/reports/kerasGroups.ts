/** Level 0 as one Keras optimizer, which moves each group, or all weights, by the rule and the values of the run. */
import { slotsOf } from "../../shared/slots.ts";
import { initialValues, slotSettings } from "../../shared/tower.ts";
import { groupFunction, kerasHelpers, sharedStarts } from "./kerasGroupRule.ts";
import { slotVariable, valueNow } from "./kerasSubclass.ts";
import { clips, clipsValues, clipValuesCode, frozenGroups, groupsCode, type Learned, type LearnedPart } from "./learned.ts";
import { float, string } from "./python.ts";
import { kerasRule } from "./rules/index.ts";
import { isGroupRule, type GroupRule, type KerasRule } from "./rules/spec.ts";

const functionName = (part: LearnedPart) => `step${part.suffix.toLowerCase() || "_rest"}`;

interface RuledPart {
  readonly part: LearnedPart;
  readonly rule: GroupRule;
}

const groupRulesOf = (parts: readonly LearnedPart[]): RuledPart[] =>
  parts.flatMap((part) => {
    const rule = kerasRule(part.settings);
    return isGroupRule(rule) ? [{ part, rule }] : [];
  });

/** Lines of the file's head where the run evaluated averages. */
export const evaluationRemarks = (parts: readonly LearnedPart[]) =>
  groupRulesOf(parts).some(({ rule }) => rule.evaluated !== undefined)
    ? ["The run evaluated an average of the weights: call optimizer.eval() before evaluating or saving, optimizer.train() before training on."]
    : [];

export function kerasGroupsCode(learned: Learned): string {
  const { parts, level } = learned;
  const frozen = frozenGroups(level);
  const whole = groupRulesOf(parts);
  const single = parts.filter((part) => !isGroupRule(kerasRule(part.settings)));
  const table = (of: readonly LearnedPart[], text: (part: LearnedPart) => string) => of.map((part) => `    ${string(part.group ?? "")}: ${text(part)},\n`).join("");
  const helpers = [...new Set(whole.flatMap(({ rule }) => kerasHelpers(rule)))];
  const functions = [...helpers, ...whole.map(({ part, rule }) => groupFunction(part, rule, functionName(part)))].map((text) => `\n${text}\n`);
  return `${groupsCode(learned)}


def parameter_name(variable):
    """A variable's name as the run's model has it: layer1.weight for the kernel of the layer named layer1."""
    layer, which = ("/" + variable.path).split("/")[-2:]
    return f"{layer}.{KERAS_NAMES.get(which, which)}"


KERAS_NAMES = {"kernel": "weight", "embeddings": "weight", "gamma": "weight", "beta": "bias"}

${[...single.map((part) => stepCode(part, kerasRule(part.settings) as KerasRule)), ...functions].join("\n\n")}

# What moves each variable of a group, and where its slots start in the final and in the scheduled optimizer.
STEPS = {
${table(single, functionName)}}
SLOTS = {
${table(parts, (part) => `(${slotsCode(part, "final")}, ${slotsCode(part, "scheduled")})`)}}
${whole.length === 0 ? "" : wholeTables(whole)}

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
            {slot: self._slot(variable, slot, start) for slot, start in slots_of(name).items()}
            for name, variable in zip(names, variables)
        ]
${whole.length === 0 ? "" : `        constant = keras.initializers.Constant
        self._shared = {
            group: {slot: self.add_variable(shape=${hasLists(whole) ? "(len(start),) if isinstance(start, list) else ()" : "()"}, initializer=constant(start), name=slot) for slot, start in slots.items()}
            for group, slots in SHARED.items()
        }
`}
    def _slot(self, variable, name, start):
${whole.length === 0 ? "" : `        if start == "zero":
            return self.add_variable(shape=(), initializer="zeros", name=name)
        if start == "weight":
            slot = self.add_variable_from_reference(variable, name)
            slot.assign(ops.copy(variable))
            return slot
`}        return self.add_variable_from_reference(variable, name, initializer=keras.initializers.Constant(start))

${applyMethod(learned, whole)}    def update_step(self, gradient, variable, learning_rate):
        step = STEPS.get(group_of(parameter_name(variable)))
        if step is not None:
            slots = self._slots[self._get_variable_index(variable)].values()
            step(self, ops.cast(gradient, variable.dtype), variable, ops.cast(learning_rate, variable.dtype), *slots)
${whole.length === 0 ? "" : moveMethod(whole)}${whole.some(({ rule }) => rule.evaluated !== undefined) ? evaluateMethods : ""}
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

/** What moves all variables of a group together. */
function wholeTables(whole: readonly RuledPart[]): string {
  const table = (text: (ruled: RuledPart) => string | undefined) => whole.flatMap((ruled) => (text(ruled) === undefined ? [] : [`    ${string(ruled.part.group ?? "")}: ${text(ruled)!},\n`])).join("");
  const evaluated = table(({ rule }) => (rule.evaluated === undefined ? undefined : string(rule.evaluated)));
  return `
# What moves all variables of a group together, and where what they share starts.
RULES = {
${table(({ part }) => functionName(part))}}
SHARED = {
${table(({ part, rule }) => sharedStarts(part, rule))}}
${evaluated === "" ? "" : `# The slot that the run evaluated instead of the weights.\nEVALUATED = {\n${evaluated}}\n`}`;
}

/** Whether some slot that weights share is a list. */
const hasLists = (whole: readonly RuledPart[]) => whole.some(({ rule }) => Object.values(rule.shared ?? {}).some((start) => start.startsWith("[")));

/** Whether rules depend on which axis of a matrix is which: Keras's kernels are inputs by outputs. */
const turns = (whole: readonly RuledPart[]) => whole.some(({ rule }) => rule.runLayout);

const moveMethod = (whole: readonly RuledPart[]) => `
    def _move(self, group, gradients, variables):
        slots = [self._slots[self._get_variable_index(variable)] for variable in variables]
        shared = self._shared[group]
        value = ops.convert_to_tensor
${turns(whole) ? `        # Kernels are inputs by outputs here, outputs by inputs in the run.
        is_kernel = lambda variable: len(variable.shape) == 2 and "kernel" in variable.name
        turned = lambda variable, array: ops.transpose(array) if is_kernel(variable) else array
` : "        turned = lambda variable, array: array\n"}        moved, kept, later = RULES[group](
            self,
            [turned(variable, value(variable)) for variable in variables],
            [turned(variable, ops.cast(gradient, variable.dtype)) for variable, gradient in zip(variables, gradients)],
            [{name: turned(variable, value(slot)) for name, slot in own.items()} for variable, own in zip(variables, slots)],
            {name: value(slot) for name, slot in shared.items()},
            ops.cast(self.learning_rate, "float32"),
        )
        for variable, own, new, values in zip(variables, slots, moved, kept):
            variable.assign(turned(variable, new))
            for name, slot in own.items():
                slot.assign(turned(variable, values[name]))
        for name, slot in shared.items():
            slot.assign(later[name])
`;

const evaluateMethods = `
    def eval(self):
        """Puts the averages that the run evaluated in place of the weights: before evaluating or saving."""
        self.train(False)

    def train(self, training=True):
        """Puts the training weights back: before training on."""
        if training == getattr(self, "training", True):
            return
        self.training = training
        for variable, slots in zip(self._trainable_variables, self._slots):
            name = EVALUATED.get(group_of(parameter_name(variable)))
            if name is not None:
                value = ops.copy(variable)
                variable.assign(slots[name])
                slots[name].assign(value)
`;

/** Clips gradients before they are applied, and moves what is moved together. What is held fixed does not count in the norm. */
function applyMethod(learned: Learned, whole: readonly RuledPart[]): string {
  if (!clips(learned) && whole.length === 0) return "";
  const { clipNorm } = learned.level;
  const byValue = [
    `limits = ${clipValuesCode(learned)}`,
    "clip = lambda g, limit: g if g is None or limit is None else ops.clip(g, -limit, limit)",
    "grads = [clip(g, limits.get(group)) for g, group in zip(grads, groups)]",
  ];
  const byNorm = [
    `squares = [ops.sum(ops.square(g)) for g, group in zip(grads, groups) if g is not None and group in ${whole.length === 0 ? "STEPS" : "SLOTS"}]`,
    `scale = ops.minimum(1.0, ${clipNorm === null ? "" : float(clipNorm)} / ops.sqrt(sum(squares)))`,
    "grads = [g if g is None else g * scale for g in grads]",
  ];
  const together = [
    "for group in RULES:",
    "    members = [i for i, one in enumerate(groups) if one == group and grads[i] is not None]",
    "    if len(members) > 0:",
    "        self._move(group, [grads[i] for i in members], [variables[i] for i in members])",
  ];
  const lines = [
    "variables = self._trainable_variables if trainable_variables is None else list(trainable_variables)",
    ...(whole.length === 0 ? [] : ["if not self.built:", "    self.build(variables)"]),
    "groups = [group_of(parameter_name(variable)) for variable in variables]",
    ...(clipsValues(learned) ? byValue : []),
    ...(clipNorm === null ? [] : byNorm),
    ...(whole.length === 0 ? [] : together),
    "super().apply(grads, trainable_variables)",
  ];
  return `    def apply(self, grads, trainable_variables=None):
${lines.map((line) => `        ${line}\n`).join("")}
`;
}

/** A function that moves one variable of a part. */
function stepCode(part: LearnedPart, { attributes, slots, step }: KerasRule): string {
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

/** Where a part's slots start, as a Python dictionary in the order of the rule's. */
function slotsCode({ settings, final }: LearnedPart, which: "final" | "scheduled"): string {
  const rule = kerasRule(settings);
  if (isGroupRule(rule)) return `{${Object.entries(rule.slots).map(([slot, start]) => `${string(slot)}: ${start === "zeros" ? "0.0" : string(start)}`).join(", ")}}`;
  const initial = which === "final" ? final : initialValues(settings);
  const starts = new Map(slotsOf({ ...slotSettings(settings), initial }).map((slot) => [slot.name, slot.initial]));
  const entries = Object.keys(rule.slots).map((slot) => `${string(slot)}: ${float(Number(starts.get(slot)))}`);
  return `{${entries.join(", ")}}`;
}
