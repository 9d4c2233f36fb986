/** What level 0 learned, as an Optax optimizer and its schedules. */
import type { RunDetail } from "../../shared/run.ts";
import { initialValue, type Settings } from "../../shared/tower.ts";
import { clips, constantName, dampens, decays, frozenGroups, groupsCode, knotLists, noRuleFor, type Learned, type LearnedPart } from "./learned.ts";
import { originLines } from "./origin.ts";
import { comment, float, string } from "./python.ts";

interface OptaxRule {
  /** Python expression of a function that makes the optimizer. */
  readonly name: string;
  /** Functions that the exported file defines, by name. */
  readonly defines?: keyof typeof definitions;
  /** Keyword of each hyperparameter, in order. */
  readonly keywords: Readonly<Record<string, string>>;
  /** Further keyword arguments; they set Optax's constants to the run's. */
  readonly fixed?: Readonly<Record<string, string>>;
  /** Supported options beyond the authors' library. */
  readonly expresses?: readonly string[];
}

/** Rules that Optax has otherwise, or not at all. */
const definitions = {
  adam: `def adam(start):
    """Optax's Adam with a second moment that starts at start, as the run's did; Optax's own starts at 0."""

    def make(learning_rate, b1, b2, eps, weight_decay=0.0, coupled_decay=0.0):
        moments = optax.scale_by_adam(b1=b1, b2=b2, eps=eps)

        def init(params):
            return moments.init(params)._replace(nu=jax.tree_util.tree_map(lambda p: jnp.full_like(p, start), params))

        return optax.chain(
            optax.add_decayed_weights(coupled_decay),
            optax.GradientTransformation(init, moments.update),
            optax.add_decayed_weights(weight_decay),
            optax.scale_by_learning_rate(learning_rate),
        )

    return make`,
  amsgrad: `def amsgrad(start):
    """AMSGrad whose largest second moment is taken before the bias correction, as in the run and PyTorch; Optax's own is taken after it."""

    def make(learning_rate, b1, b2, eps, weight_decay=0.0, coupled_decay=0.0):
        tree_map = jax.tree_util.tree_map

        def init(params):
            filled = lambda value: tree_map(lambda p: jnp.full_like(p, value), params)
            return {"count": jnp.zeros([], jnp.int32), "m": filled(0.0), "v": filled(start), "largest": filled(0.0)}

        def update(gradients, state, params=None):
            count = state["count"] + 1
            m = tree_map(lambda g, m: m + (1 - b1) * (g - m), gradients, state["m"])
            v = tree_map(lambda g, v: v + (1 - b2) * (g * g - v), gradients, state["v"])
            largest = tree_map(jnp.maximum, state["largest"], v)
            root = jnp.sqrt(1 - b2**count)
            rate = root / (1 - b1**count)
            updates = tree_map(lambda m, v: rate * m / (jnp.sqrt(v) + root * eps), m, largest)
            return updates, {"count": count, "m": m, "v": v, "largest": largest}

        return optax.chain(
            optax.add_decayed_weights(coupled_decay),
            optax.GradientTransformation(init, update),
            optax.add_decayed_weights(weight_decay),
            optax.scale_by_learning_rate(learning_rate),
        )

    return make`,
  dampenedSgd: `def dampened_sgd(learning_rate, momentum, dampening, nesterov=False, weight_decay=0.0, coupled_decay=0.0):
    """SGD whose momentum takes in 1 - dampening of each gradient, and all of the first one; Optax has none."""
    tree_map = jax.tree_util.tree_map

    def init(params):
        return {"count": jnp.zeros([], jnp.int32), "trace": tree_map(jnp.zeros_like, params)}

    def update(gradients, state, params=None):
        share = jnp.where(state["count"] == 0, 1.0, 1.0 - dampening)
        trace = tree_map(lambda g, t: momentum * t + share * g, gradients, state["trace"])
        updates = tree_map(lambda g, t: g + momentum * t, gradients, trace) if nesterov else trace
        return updates, {"count": state["count"] + 1, "trace": trace}

    return optax.chain(
        optax.add_decayed_weights(coupled_decay),
        optax.GradientTransformation(init, update),
        optax.add_decayed_weights(weight_decay),
        optax.scale_by_learning_rate(learning_rate),
    )`,
  sgd: `def sgd(learning_rate, momentum, nesterov=False, weight_decay=0.0, coupled_decay=0.0):
    """Optax's SGD with weight decay."""
    return optax.chain(
        optax.add_decayed_weights(coupled_decay),
        optax.trace(decay=momentum, nesterov=nesterov),
        optax.add_decayed_weights(weight_decay),
        optax.scale_by_learning_rate(learning_rate),
    )`,
} as const;

function sgdOf(settings: Extract<Settings, { optimizer: "sgd" }>): Pick<OptaxRule, "name" | "defines"> {
  if (dampens(settings)) return { name: "dampened_sgd", defines: "dampenedSgd" };
  return decays(settings) ? { name: "sgd", defines: "sgd" } : { name: "optax.sgd" };
}

/** @param start Python expression of Adam's first second moment */
function ruleOf(settings: Settings, start = "0.0"): OptaxRule {
  const decay: Readonly<Record<string, string>> = decays(settings) ? { weightDecay: settings.weightDecayAs === "coupled" ? "coupled_decay" : "weight_decay" } : {};
  switch (settings.optimizer) {
    case "sgd":
      return {
        ...sgdOf(settings),
        keywords: { alpha: "learning_rate", mu: "momentum", ...(dampens(settings) ? { dampening: "dampening" } : {}), ...decay },
        fixed: settings.nesterov ? { nesterov: "True" } : {},
        expresses: ["momentumFromZero", "nesterov", "dampening", "weightDecay", "weightDecayAs"],
      };
    case "adam":
      return {
        name: `${settings.amsgrad ? "amsgrad" : "adam"}(${start})`,
        defines: settings.amsgrad ? "amsgrad" : "adam",
        keywords: { alpha: "learning_rate", beta1: "b1", beta2: "b2", logEps: "eps", ...decay },
        expresses: ["amsgrad", "weightDecay", "weightDecayAs"],
      };
    case "adaGrad":
      return { name: "optax.adagrad", keywords: { alpha: "learning_rate" }, fixed: { initial_accumulator_value: "0.1", eps: "1e-10" } };
    case "rmsProp":
      return { name: "optax.rmsprop", keywords: { alpha: "learning_rate", gamma: "decay" }, fixed: { eps: "1e-8" } };
    default:
      return noRuleFor(settings, "Optax");
  }
}

export const optaxExpresses = (settings: Settings) => ruleOf(settings).expresses ?? [];

/** The calls that make a part's optimizer, with final values and with schedules. */
function callsOf(part: LearnedPart): { readonly final: string; readonly scheduled: string } {
  const { settings, schedules } = part;
  const power = (logEps: number) => `10.0 ** ${float(logEps)}`;
  const finalRule = ruleOf(settings, power(part.final["logEps"] ?? 0));
  const scheduledRule = settings.optimizer === "adam" ? ruleOf(settings, power(initialValue(settings, "logEps"))) : finalRule;
  const { keywords, fixed } = finalRule;
  const listed = (value: (hyperparameter: string) => string) =>
    [...Object.entries(keywords).map(([hyperparameter, keyword]) => [keyword, value(hyperparameter)]), ...Object.entries(fixed ?? {})]
      .map(([keyword, text]) => `${keyword!}=${text!}`)
      .join(", ");
  const final = (hyperparameter: string) => (hyperparameter === "logEps" ? power(part.final[hyperparameter]!) : float(part.final[hyperparameter]!));
  const scheduled = (hyperparameter: string) => {
    if (!schedules.has(hyperparameter)) return final(hyperparameter);
    const knots = constantName(part, hyperparameter);
    return hyperparameter === "logEps" ? `lambda count: 10.0 ** schedule(${knots})(count)` : `schedule(${knots})`;
  };
  return { final: `${finalRule.name}(${listed(final)})`, scheduled: `optax.inject_hyperparams(${scheduledRule.name})(${listed(scheduled)})` };
}

export function optaxCode(run: RunDetail, learned: Learned): string {
  const { parts, level } = learned;
  const grouped = level.groups.length > 0;
  const lists = knotLists(learned);
  const defined = [...new Set(parts.flatMap(({ settings }) => ruleOf(settings).defines ?? []))];
  const made = (which: "final" | "scheduled") => clipped(learned, grouped ? multiTransform(learned, (part) => callsOf(part)[which]) : callsOf(parts[0]!)[which]);
  const what = grouped ? "The groups" : parts[0]!.label;
  return `${comment(
    ...originLines(run),
    "",
    `${what} with what ${grouped ? "they" : "it"} learned, for Optax: final_optimizer() has the final values,`,
    "scheduled_optimizer() follows the whole way there.",
    ...learned.notes,
  )}
${grouped ? "import re\n\n" : ""}import jax
import jax.numpy as jnp
import optax
${lists === "" ? "" : `\n${lists}\n`}${grouped ? labelsCode(learned) : ""}
${defined.map((name) => `\n${definitions[name]}\n\n`).join("")}
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

/** Clips gradients before the optimizer takes them. What is held fixed does not count in their norm. */
function clipped(learned: Learned, optimizer: string): string {
  const { level, parts } = learned;
  if (!clips(learned)) return optimizer;
  const byValue = ({ settings: { clipValue } }: LearnedPart) => (clipValue === null ? "optax.identity()" : `optax.clip(${float(clipValue)})`);
  const values = level.groups.length > 0 ? multiTransform(learned, byValue) : byValue(parts[0]!);
  return `optax.chain(${[values, ...(level.clipNorm === null ? [] : [`optax.clip_by_global_norm(${float(level.clipNorm)})`]), optimizer].join(", ")})`;
}

/** Frozen parts get no updates. */
function multiTransform({ parts, level }: Learned, transform: (part: LearnedPart) => string): string {
  const entries = [
    ...parts.map((part) => `        ${string(part.group ?? "")}: ${transform(part)},`),
    ...frozenGroups(level).map((name) => `        ${string(name)}: optax.set_to_zero(),`),
  ];
  return `optax.multi_transform({\n${entries.join("\n")}\n    }, labels)`;
}
