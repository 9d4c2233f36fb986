/** A rule that is written once for all frameworks, as an Optax transformation. */
import type { Settings } from "../../shared/tower.ts";
import { dotFunction, followedBy, hyperparametersOf, ruleFunction, usesDot, whyOwn } from "./groupRules.ts";
import { string } from "./python.ts";
import { keyOf } from "./rules/common.ts";
import type { Arrays, GroupRule, OptaxRule } from "./rules/spec.ts";

const arrays: Arrays = { module: "jnp", transpose: (matrix) => `${matrix}.T`, vector: (numbers) => `jnp.asarray(${numbers})` };

const starts = { zeros: "jnp.zeros_like(w)", weight: "jnp.asarray(w)", zero: "jnp.zeros([], w.dtype)" };

export function groupAsOptax(settings: Settings, rule: GroupRule): OptaxRule & { readonly helpers: readonly string[] } {
  const names = hyperparametersOf(rule, settings, arrays);
  const followed = followedBy(rule, settings, arrays);
  return {
    maker: rule.name.toLowerCase(),
    keepsConstants: true,
    ...(rule.options && { options: rule.options }),
    definition: (name) => functionCode(settings, rule, name, names.map(keyOf)),
    keywords: Object.fromEntries(followed.map((name) => [name, keyOf(name)])),
    first: (value) => Object.fromEntries(names.filter((name) => !followed.includes(name)).map((name) => [keyOf(name), value(name)])),
    ...(rule.evaluated !== undefined && { evaluates: "average" as const }),
    helpers: usesDot(rule, arrays) ? [dotFunction(arrays)] : [],
  };
}

function functionCode(settings: Settings, rule: GroupRule, name: string, keys: readonly string[]): string {
  const update = `${name}_update`;
  const slots = Object.entries(rule.slots).map(([slot, start]) => `${string(slot)}: ${starts[start]}`);
  const shared = Object.entries(rule.shared ?? {}).map(([slot, start]) => `${string(slot)}: jnp.asarray(${start}, jnp.float32)`);
  const evaluated = rule.evaluated === undefined ? "" : `, "evaluated": tree.unflatten([slot[${string(rule.evaluated)}] for slot in kept])`;
  return `${ruleFunction(rule, update, arrays)}


def ${name}(${keys.join(", ")}):
    """${whyOwn(settings, "optax")}"""
    h = dict(${keys.map((key) => `${key}=${key}`).join(", ")})

    def init(params):
        kept = [{${slots.join(", ")}} for w in jax.tree.leaves(params)]
        return {"count": jnp.zeros([], jnp.int32), "slots": kept, "shared": {${shared.join(", ")}}${rule.evaluated === undefined ? "" : ', "evaluated": params'}}

    def update(gradients, state, params=None):
        weights, tree = jax.tree.flatten(params)
        count = state["count"] + 1
        moved, kept, shared = ${update}(weights, jax.tree.leaves(gradients), state["slots"], state["shared"], h, count.astype(jnp.float32))
        updates = tree.unflatten([new - w for new, w in zip(moved, weights)])
        return updates, {"count": count, "slots": kept, "shared": shared${evaluated}}

    return optax.GradientTransformation(init, update)`;
}

/** @param kinds of states whose averages are evaluated */
export function evaluationFunction(kinds: ReadonlySet<string>): string {
  const own = kinds.has("average");
  const scheduleFree = kinds.has("scheduleFree");
  return `def evaluation_params(state, params):
    """What the run evaluated: the averages that the optimizer keeps in its state, and params for what has none."""
    masked = lambda node: isinstance(node, optax.MaskedNode)
${own ? '    averages = lambda node: isinstance(node, dict) and "evaluated" in node\n' : ""}${scheduleFree ? "    is_free = lambda node: isinstance(node, optax.contrib.ScheduleFreeState)\n" : ""}    for node in jax.tree.leaves(state, is_leaf=lambda node: ${[...(own ? ["averages(node)"] : []), ...(scheduleFree ? ["is_free(node)"] : [])].join(" or ")}):
${own ? `        if averages(node):
            params = jax.tree.map(lambda average, p: p if masked(average) else average, node["evaluated"], params, is_leaf=masked)
` : ""}${scheduleFree ? `        if is_free(node):
            average = lambda z, y, b1=node.b1: y if masked(z) else (y - (1 - b1) * z) / b1
            params = jax.tree.map(average, node.z, params, is_leaf=masked)
` : ""}    return params`;
}
