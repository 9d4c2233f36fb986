/** What level 0 learned, as a Keras optimizer and learning-rate schedule. */
import type { RunDetail } from "../../shared/run.ts";
import type { Settings } from "../../shared/tower.ts";
import { ExportError } from "./errors.ts";
import { decays, knotLists, type Learned } from "./learned.ts";
import { originLines } from "./origin.ts";
import { comment, float } from "./python.ts";

interface Target {
  readonly name: string;
  /** Keywords beside the learning rate. */
  readonly keywords: (value: (name: string) => string) => Readonly<Record<string, string>>;
  /** Options beyond the authors' library that it has. */
  readonly expresses?: readonly string[];
  readonly note?: readonly string[];
}

function targetOf(of: Settings): Target {
  // Decoupled decay is a keyword of every Keras optimizer.
  const decoupled = decays(of) && of.weightDecayAs === "decoupled";
  const expresses = decoupled ? ["weightDecay"] : [];
  switch (of.optimizer) {
    case "sgd":
      return {
        name: "SGD",
        keywords: (v) => ({ momentum: v("mu"), ...(of.nesterov && { nesterov: "True" }), ...(decoupled && { weight_decay: v("weightDecay") }) }),
        expresses: [...expresses, "momentumFromZero", "nesterov"],
        ...((of.mu !== 0 || of.momentumFromZero) && {
          note: ["Keras multiplies by the learning rate before the running sum of the momentum, the run did after it;", "the two agree while the learning rate is constant."],
        }),
      };
    case "adam":
      return {
        name: decoupled ? "AdamW" : "Adam",
        keywords: (v) => ({
          beta_1: v("beta1"),
          beta_2: v("beta2"),
          epsilon: `10.0 ** ${v("logEps")}`,
          ...(decoupled && { weight_decay: v("weightDecay") }),
          ...(of.amsgrad && { amsgrad: "True" }),
        }),
        expresses: [...expresses, "amsgrad"],
        note: ["Keras adds epsilon before the bias correction of the second moment, the run after it."],
      };
    case "adaGrad":
      return { name: "Adagrad", keywords: () => ({ initial_accumulator_value: "0.1", epsilon: "1e-10" }) };
    case "rmsProp":
      return { name: "RMSprop", keywords: (v) => ({ rho: v("gamma"), epsilon: "1e-8" }) };
    default:
      return of satisfies never;
  }
}

export const kerasExpresses = (of: Settings) => targetOf(of).expresses ?? [];

/** @throws ExportError where several groups move: a Keras optimizer has one set of values for all weights */
export function kerasCode(run: RunDetail, learned: Learned): string {
  const [part, another] = learned.parts;
  if (!part || another) {
    throw new ExportError("Level 0 moves several groups by settings of their own; a Keras optimizer has one set for all weights. PyTorch and Optax code, CSV and JSON can express it.");
  }
  const { name, keywords, note } = targetOf(part.settings);
  const fixed = Object.entries(keywords((hyperparameter) => float(part.final[hyperparameter]!)))
    .map(([keyword, text]) => `, ${keyword}=${text}`)
    .join("");
  const rest = [...part.schedules.keys()].filter((one) => one !== "alpha");
  const moves = part.schedules.has("alpha");
  const alpha = float(part.final["alpha"]!);
  const remarks = [
    ...(rest.length > 0 ? [`Keras takes a schedule for the learning rate alone: ${rest.join(" and ")} stand at the final values.`] : []),
    ...(note ?? []),
    ...learned.notes,
    ...fixedWeights(learned),
  ];
  return `${comment(
    ...originLines(run),
    "",
    `${part.label} with what it learned, for Keras 3: final_optimizer() has the final values,`,
    "scheduled_optimizer() follows the whole way there.",
    ...remarks,
  )}
import keras
from keras import ops

${moves ? knotLists({ ...learned, parts: [{ ...part, suffix: "" }] }, (_, hyperparameter) => hyperparameter === "alpha") : `ALPHA = [(1, ${alpha}), (2, ${alpha})]`}


@keras.saving.register_keras_serializable(package="hypertower")
class LearnedSchedule(keras.optimizers.schedules.LearningRateSchedule):
    """The run's learning rate, update by update: linear between knots. Keras counts updates from 0, the knots from 1."""

    def __init__(self, knots=None):
        super().__init__()
        self.knots = [tuple(knot) for knot in (ALPHA if knots is None else knots)]

    def __call__(self, step):
        update = ops.cast(step, "float32") + 1.0
        updates = ops.convert_to_tensor([knot[0] for knot in self.knots], dtype="float32")
        values = ops.convert_to_tensor([knot[1] for knot in self.knots], dtype="float32")
        passed = ops.sum(ops.cast(update >= updates, "int32")) - 1
        i = ops.clip(passed, 0, len(self.knots) - 2)
        x0, x1 = ops.take(updates, i), ops.take(updates, i + 1)
        y0, y1 = ops.take(values, i), ops.take(values, i + 1)
        return y0 + (y1 - y0) * ops.clip((update - x0) / (x1 - x0), 0.0, 1.0)

    def get_config(self):
        return {"knots": self.knots}


def final_optimizer():
    """Plain ${part.label} at the values that the run ended with."""
    return keras.optimizers.${name}(learning_rate=${alpha}${fixed})


def scheduled_optimizer():
    """Gives each update the learning rate of the run."""
    return keras.optimizers.${name}(learning_rate=LearnedSchedule()${fixed})
`;
}

/** Keras freezes variables, not the weights of an optimizer: what to do by hand. */
function fixedWeights({ level: { groups, frozen } }: Learned): string[] {
  if (groups.length === 0) return [];
  const fate = (of: { readonly frozen: boolean }) => (of.frozen ? "fixed" : "moved");
  const list = [...groups.map((group) => `${group.match.join(", ")}: ${fate(group)}`), `the rest: ${fate({ frozen })}`];
  return ["Set trainable = False on what the run held fixed (the first pattern that matches wins):", ...list];
}
