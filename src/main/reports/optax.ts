/** What level 0 learned, as an Optax optimizer and its schedules. */
import type { RunDetail } from "../../shared/run.ts";
import type { Level } from "../../shared/tower.ts";
import { constantName, decays, knotLists, type Learned } from "./learned.ts";
import { originLines } from "./origin.ts";
import { comment, float } from "./python.ts";

interface Target {
  readonly name: string;
  /** Keyword of each hyperparameter, in order. */
  readonly keywords: Readonly<Record<string, string>>;
  /** Further keywords, as written; they give Optax's rule the run's constants. */
  readonly fixed?: Readonly<Record<string, string>>;
  /** Options beyond the authors' library that it has. */
  readonly expresses?: readonly string[];
}

function targetOf(of: Level): Target {
  switch (of.optimizer) {
    case "sgd":
      return {
        name: "sgd",
        keywords: { alpha: "learning_rate", mu: "momentum" },
        fixed: of.nesterov ? { nesterov: "True" } : {},
        expresses: ["momentumFromZero", "nesterov"],
      };
    case "adam": {
      const keywords = { alpha: "learning_rate", beta1: "b1", beta2: "b2" };
      if (!decays(of) || of.weightDecayAs !== "decoupled") return { name: "adam", keywords };
      return { name: "adamw", keywords: { ...keywords, weightDecay: "weight_decay" }, expresses: ["weightDecay"] };
    }
    case "adaGrad":
      return { name: "adagrad", keywords: { alpha: "learning_rate" }, fixed: { initial_accumulator_value: "0.1", eps: "1e-10" } };
    case "rmsProp":
      return { name: "rmsprop", keywords: { alpha: "learning_rate", gamma: "decay" }, fixed: { eps: "1e-8" } };
    default:
      return of satisfies never;
  }
}

export const optaxExpresses = (of: Level) => targetOf(of).expresses ?? [];

export function optaxCode(run: RunDetail, learned: Learned): string {
  const { name, keywords, fixed } = targetOf(learned.level);
  const { logEps } = learned.final;
  // The one value that is a power of ten: its schedule has no keyword to go by.
  const constants = { ...fixed, ...(logEps !== undefined && { eps: `10.0 ** ${float(logEps)}` }) };
  const listed = (value: (hyperparameter: string) => string) =>
    [...Object.entries(keywords).map(([hyperparameter, keyword]) => [keyword, value(hyperparameter)]), ...Object.entries(constants)]
      .map(([keyword, text]) => `${keyword!}=${text!}`)
      .join(", ");
  const finals = listed((hyperparameter) => float(learned.final[hyperparameter]!));
  const scheduled = listed((hyperparameter) =>
    learned.schedules.has(hyperparameter) ? `schedule(${constantName(hyperparameter)})` : float(learned.final[hyperparameter]!),
  );
  const lists = knotLists(learned, [...learned.schedules.keys()].filter((hyperparameter) => hyperparameter in keywords));
  return `${comment(
    ...originLines(run),
    "",
    `${learned.label} with what it learned, for Optax: final_optimizer() has the final values,`,
    "scheduled_optimizer() follows the whole way there.",
    ...(learned.schedules.has("logEps") ? ["eps stands at its final value."] : []),
  )}
import jax.numpy as jnp
import optax
${lists === "" ? "" : `\n${lists}\n`}

def schedule(knots):
    """An Optax schedule that is linear between knots. Optax counts updates from 0, the knots from 1."""
    updates = jnp.array([update for update, _ in knots], dtype=jnp.float32)
    values = jnp.array([value for _, value in knots], dtype=jnp.float32)
    return lambda count: jnp.interp(count + 1.0, updates, values)


def final_optimizer():
    """Plain ${learned.label} at the values that the run ended with."""
    return optax.${name}(${finals})


def scheduled_optimizer():
    """Gives each update the hyperparameters of the run."""
    return optax.inject_hyperparams(optax.${name})(${scheduled})
`;
}
