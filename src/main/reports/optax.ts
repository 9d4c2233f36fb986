/** What level 0 learned, as an Optax optimizer and its schedules. */
import type { RunDetail } from "../../shared/run.ts";
import { initialValue, type Settings } from "../../shared/tower.ts";
import { definitionsOf } from "./definitions.ts";
import { clips, constantName, frozenGroups, groupsCode, knotLists, type Expressible, type Learned, type LearnedPart } from "./learned.ts";
import { evaluationFunction, groupAsOptax } from "./optaxGroupRule.ts";
import { originLines } from "./origin.ts";
import { comment, float, string } from "./python.ts";
import { optaxRule } from "./rules/index.ts";
import { isGroupRule, type OptaxRule } from "./rules/spec.ts";

type Rule = OptaxRule & { readonly helpers?: readonly string[] };

function ruleOf(settings: Settings): Rule {
  const rule = optaxRule(settings);
  return isGroupRule(rule) ? groupAsOptax(settings, rule) : rule;
}

export function optaxExpresses(settings: Settings): Expressible {
  const { options = [], keywords } = ruleOf(settings);
  return { options, follows: Object.keys(keywords) };
}

/** The calls that make a part's optimizer, with final values and with schedules. */
function callsOf(part: LearnedPart, maker: string): { readonly final: string; readonly scheduled: string } {
  const { settings, schedules } = part;
  const { keywords, fixed = {}, first, secondMoment, keepsConstants } = ruleOf(settings);
  const power = (logEps: number) => `10.0 ** ${float(logEps)}`;
  const final = (hyperparameter: string) => (hyperparameter === "logEps" ? power(part.final[hyperparameter]!) : float(part.final[hyperparameter]!));
  const scheduled = (hyperparameter: string) => {
    if (!schedules.has(hyperparameter)) return final(hyperparameter);
    const knots = constantName(part, hyperparameter);
    return hyperparameter === "logEps" ? `lambda count: 10.0 ** schedule(${knots})(count)` : `schedule(${knots})`;
  };
  const constants = { ...fixed, ...first?.(final) };
  const listed = (value: (hyperparameter: string) => string) =>
    [...Object.entries(keywords).map(([hyperparameter, keyword]) => [keyword, value(hyperparameter)]), ...Object.entries(constants)]
      .map(([keyword, text]) => `${keyword!}=${text!}`)
      .join(", ");
  const startingAt = (logEps: () => number) => (secondMoment === undefined ? maker : `${maker}(${secondMoment === "zero" ? "0.0" : power(logEps())})`);
  const still = [...Object.entries(keywords).flatMap(([hyperparameter, keyword]) => (schedules.has(hyperparameter) ? [] : [keyword])), ...Object.keys(constants)];
  const kept = keepsConstants && still.length > 0 ? `, static_args=[${still.map(string).join(", ")}]` : "";
  return {
    final: `${startingAt(() => part.final["logEps"]!)}(${listed(final)})`,
    scheduled: `optax.inject_hyperparams(${startingAt(() => initialValue(settings, "logEps"))}${kept})(${listed(scheduled)})`,
  };
}

/** What the rules ask of whoever calls the optimizer. */
const remarks = (rules: readonly Rule[]) => [
  ...(rules.some(({ takesLoss }) => takesLoss) ? ["Its step size depends on the loss: call optimizer.update(gradients, state, params, value=loss)."] : []),
  ...(rules.some(({ evaluates }) => evaluates) ? ["The run evaluated an average of the weights: evaluate and save evaluation_params(state, params), train on with params."] : []),
];

export function optaxCode(run: RunDetail, learned: Learned): string {
  const { parts, level } = learned;
  const grouped = level.groups.length > 0;
  const lists = knotLists(learned);
  const rules = parts.map(({ settings }) => ruleOf(settings));
  const { texts, makers } = definitionsOf(parts, rules);
  const callOf = (part: LearnedPart, which: "final" | "scheduled") => callsOf(part, makers[parts.indexOf(part)]!)[which];
  const made = (which: "final" | "scheduled") => clipped(learned, grouped ? multiTransform(learned, (part) => callOf(part, which)) : callOf(parts[0]!, which));
  const evaluates = new Set(rules.flatMap((rule) => rule.evaluates ?? []));
  const what = grouped ? "The groups" : parts[0]!.label;
  return `${comment(
    ...originLines(run),
    "",
    `${what} with what ${grouped ? "they" : "it"} learned, for Optax: final_optimizer() has the final values,`,
    "scheduled_optimizer() follows the whole way there.",
    ...remarks(rules),
    ...learned.notes,
  )}
${grouped ? "import re\n\n" : ""}import jax
import jax.numpy as jnp
import optax
${lists === "" ? "" : `\n${lists}\n`}${grouped ? labelsCode(learned) : ""}
${[...texts, ...(evaluates.size > 0 ? [evaluationFunction(evaluates)] : [])].map((text) => `\n${text}\n\n`).join("")}
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
