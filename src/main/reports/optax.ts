/** What level 0 learned, as an Optax optimizer and its schedules. */
import type { RunDetail } from "../../shared/run.ts";
import type { Settings } from "../../shared/tower.ts";
import { constantName, decays, frozenGroups, groupsCode, knotLists, type Learned, type LearnedPart } from "./learned.ts";
import { originLines } from "./origin.ts";
import { comment, float, string } from "./python.ts";

interface Target {
  readonly name: string;
  /** Keyword of each hyperparameter, in order. */
  readonly keywords: Readonly<Record<string, string>>;
  /** Further keywords, as written; they give Optax's rule the run's constants. */
  readonly fixed?: Readonly<Record<string, string>>;
  /** Options beyond the authors' library that it has. */
  readonly expresses?: readonly string[];
}

function targetOf(of: Settings): Target {
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

export const optaxExpresses = (of: Settings) => targetOf(of).expresses ?? [];

/** The calls that make a part's rule, at the final values and following its schedules. */
function callsOf(part: LearnedPart): { readonly final: string; readonly scheduled: string } {
  const { name, keywords, fixed } = targetOf(part.settings);
  const { logEps } = part.final;
  // The one value that is a power of ten: its schedule has no keyword to go by.
  const constants = { ...fixed, ...(logEps !== undefined && { eps: `10.0 ** ${float(logEps)}` }) };
  const listed = (value: (hyperparameter: string) => string) =>
    [...Object.entries(keywords).map(([hyperparameter, keyword]) => [keyword, value(hyperparameter)]), ...Object.entries(constants)]
      .map(([keyword, text]) => `${keyword!}=${text!}`)
      .join(", ");
  const final = (hyperparameter: string) => float(part.final[hyperparameter]!);
  const scheduled = (hyperparameter: string) => (part.schedules.has(hyperparameter) ? `schedule(${constantName(part, hyperparameter)})` : final(hyperparameter));
  return { final: `optax.${name}(${listed(final)})`, scheduled: `optax.inject_hyperparams(optax.${name})(${listed(scheduled)})` };
}

export function optaxCode(run: RunDetail, learned: Learned): string {
  const { parts, level } = learned;
  const grouped = level.groups.length > 0;
  const lists = knotLists(learned, (part, hyperparameter) => hyperparameter in targetOf(part.settings).keywords);
  const made = (which: "final" | "scheduled") => (grouped ? multiTransform(learned, which) : callsOf(parts[0]!)[which]);
  const what = grouped ? "The groups" : parts[0]!.label;
  return `${comment(
    ...originLines(run),
    "",
    `${what} with what ${grouped ? "they" : "it"} learned, for Optax: final_optimizer() has the final values,`,
    "scheduled_optimizer() follows the whole way there.",
    ...learned.notes,
    ...(parts.some(({ schedules }) => schedules.has("logEps")) ? ["eps stands at its final value."] : []),
  )}
${grouped ? "import re\n\nimport jax\n" : ""}import jax.numpy as jnp
import optax
${lists === "" ? "" : `\n${lists}\n`}${grouped ? labelsCode(learned) : ""}

def schedule(knots):
    """An Optax schedule that is linear between knots. Optax counts updates from 0, the knots from 1."""
    updates = jnp.array([update for update, _ in knots], dtype=jnp.float32)
    values = jnp.array([value for _, value in knots], dtype=jnp.float32)
    return lambda count: jnp.interp(count + 1.0, updates, values)


def final_optimizer():
    """${grouped ? "Each group's plain optimizer" : `Plain ${parts[0]!.label}`} at the values that the run ended with."""
    return ${made("final")}


def scheduled_optimizer():
    """Gives each update the hyperparameters of the run."""
    return ${made("scheduled")}
`;
}

const labelsCode = (learned: Learned) => `
${groupsCode(learned)}


def labels(params):
    """The group of each leaf of a tree of parameters, by its path: params["layer1"]["bias"] is layer1.bias."""
    part = lambda key: str(getattr(key, "key", getattr(key, "name", getattr(key, "idx", key))))
    return jax.tree_util.tree_map_with_path(lambda path, _: group_of(".".join(map(part, path))), params)
`;

/** What the run held fixed gets no updates. */
function multiTransform({ parts, level }: Learned, which: "final" | "scheduled"): string {
  const entries = [
    ...parts.map((part) => `        ${string(part.group ?? "")}: ${callsOf(part)[which]},`),
    ...frozenGroups(level).map((name) => `        ${string(name)}: optax.set_to_zero(),`),
  ];
  return `optax.multi_transform({\n${entries.join("\n")}\n    }, labels)`;
}
