/** What level 0 learned, as a Keras optimizer and learning-rate schedule. */
import type { RunDetail } from "../../shared/run.ts";
import type { Settings } from "../../shared/tower.ts";
import { evaluationRemarks, kerasGroupsCode } from "./kerasGroups.ts";
import { kerasFollows } from "./kerasGroupRule.ts";
import { subclassArguments, subclassCode } from "./kerasSubclass.ts";
import { clipsValues, knotLists, type Expressible, type Learned, type LearnedPart } from "./learned.ts";
import { originLines } from "./origin.ts";
import { comment, float } from "./python.ts";
import { kerasRule } from "./rules/index.ts";
import { isGroupRule, type KerasRule } from "./rules/spec.ts";

export function kerasExpresses(settings: Settings): Expressible {
  const rule = kerasRule(settings);
  const { options = [] } = rule;
  return { options, follows: isGroupRule(rule) ? kerasFollows(rule, settings) : ["alpha", ...Object.values(rule.attributes)] };
}

export function kerasCode(run: RunDetail, learned: Learned): string {
  const [part, another] = learned.parts;
  // Keras's own optimizers clip by value or by norm, not by both.
  const clipsTwice = learned.level.clipNorm !== null && clipsValues(learned);
  const rule = part && !another && !clipsTwice ? kerasRule(part.settings) : undefined;
  return part && rule && !isGroupRule(rule) ? onePart(run, learned, part, rule) : groups(run, learned);
}

const valueAt = `def value_at(knots, step):
    """Linear between knots. Keras counts updates from 0, the knots from 1."""
    update = ops.cast(step, "float32") + 1.0
    updates = ops.convert_to_tensor([knot[0] for knot in knots], dtype="float32")
    values = ops.convert_to_tensor([knot[1] for knot in knots], dtype="float32")
    passed = ops.sum(ops.cast(update >= updates, "int32")) - 1
    i = ops.clip(passed, 0, len(knots) - 2)
    x0, x1 = ops.take(updates, i), ops.take(updates, i + 1)
    y0, y1 = ops.take(values, i), ops.take(values, i + 1)
    return y0 + (y1 - y0) * ops.clip((update - x0) / (x1 - x0), 0.0, 1.0)`;

function groups(run: RunDetail, learned: Learned): string {
  const lists = knotLists(learned);
  const { parts, level } = learned;
  const grouped = level.groups.length > 0;
  return `${comment(
    ...originLines(run),
    "",
    `${grouped ? "The groups" : parts[0]!.label} with what ${grouped ? "they" : "it"} learned, for Keras 3: final_optimizer() has the final values,`,
    `scheduled_optimizer() follows the whole way there.${grouped ? " Name the layers as the run's model does." : ""}`,
    ...evaluationRemarks(parts),
    ...learned.notes,
  )}
import re

import keras
from keras import ops

${lists === "" ? "" : `${lists}\n`}

${valueAt}


${kerasGroupsCode(learned)}`;
}

function onePart(run: RunDetail, learned: Learned, part: LearnedPart, rule: KerasRule): string {
  const bare = { ...part, suffix: "" };
  const call = (which: "final" | "scheduled", rate: string) => {
    const { clipNorm } = learned.level;
    const { clipValue } = part.settings;
    const clip = { ...(clipNorm !== null && { global_clipnorm: float(clipNorm) }), ...(clipValue !== null && { clipvalue: float(clipValue) }) };
    const fixed = { ...rule.keywords((hyperparameter) => float(part.final[hyperparameter]!)), ...(rule.why !== undefined && subclassArguments(rule, part, which)), ...clip };
    const listed = Object.entries({ learning_rate: rate, ...fixed }).map(([keyword, text]) => `${keyword}=${text}`);
    return `${rule.why !== undefined ? "Learned" : "keras.optimizers."}${rule.name}(${listed.join(", ")})`;
  };
  const lists = knotLists({ ...learned, parts: [bare] });
  const moves = part.schedules.has("alpha");
  const alpha = float(part.final["alpha"]!);
  const remarks = [...learned.notes, ...fixedWeights(learned)];
  const constant = `ALPHA = [(1, ${alpha}), (2, ${alpha})]`;
  return `${comment(
    ...originLines(run),
    "",
    `${part.label} with what it learned, for Keras 3: final_optimizer() has the final values,`,
    "scheduled_optimizer() follows the whole way there.",
    ...remarks,
  )}
import keras
from keras import ops

${[lists, moves ? "" : constant].filter((text) => text !== "").join("\n")}


${valueAt}


@keras.saving.register_keras_serializable(package="hypertower")
class LearnedSchedule(keras.optimizers.schedules.LearningRateSchedule):
    """The run's learning rate, update by update."""

    def __init__(self, knots=None):
        super().__init__()
        self.knots = [tuple(knot) for knot in (ALPHA if knots is None else knots)]

    def __call__(self, step):
        return value_at(self.knots, step)

    def get_config(self):
        return {"knots": self.knots}


${rule.why !== undefined ? `${subclassCode(rule, bare)}\n\n` : ""}def final_optimizer():
    """Plain ${part.label} at the values that the run ended with."""
    return ${call("final", alpha)}


def scheduled_optimizer():
    """Gives each update the hyperparameters of the run."""
    return ${call("scheduled", "LearnedSchedule()")}
`;
}

/** Keras freezes variables, not weights of an optimizer: instructions for doing it by hand. */
function fixedWeights({ level: { groups, frozen } }: Learned): string[] {
  if (groups.length === 0) return [];
  const fate = (of: { readonly frozen: boolean }) => (of.frozen ? "fixed" : "moved");
  const list = [...groups.map((group) => `${group.match.join(", ")}: ${fate(group)}`), `the rest: ${fate({ frozen })}`];
  return ["Set trainable = False on what the run held fixed (the first pattern that matches wins):", ...list];
}
