import { float } from "../python.ts";
import { adamDenominator, inUse, shrunk } from "./common.ts";
import type { ExportRules, GroupRule, OptaxRule, SettingsOf } from "./spec.ts";

type Muon = SettingsOf<"muon">;

const options = ["momentumAs", "newtonSchulzSteps", "matrixScale", "consistentRms"];

/** Python of a matrix's scale, from its `rows` and `columns` as the run has them. */
function scaleOf({ consistentRms, matrixScale }: Muon): string {
  if (consistentRms !== null) return ` * (${float(consistentRms)} * max(rows, columns) ** 0.5)`;
  if (matrixScale === "none") return "";
  return ` * max(1.0, ${matrixScale === "outputs" ? "rows / columns" : "columns / rows"}) ** 0.5`;
}

function rule(settings: Muon): GroupRule {
  const mean = settings.momentumAs === "plain" ? "m / (1 - beta**count)" : "beta / (1 - beta ** (count + 1)) * m + (1 - beta) / (1 - beta**count) * g";
  return {
    name: "Muon",
    options,
    slots: { m: "zeros", v: "zeros" },
    runLayout: true,
    body: ({ module, transpose }) => [
      "moved, kept = [], []",
      "for w, g, s in zip(weights, gradients, slots):",
      "    is_matrix = len(w.shape) == 2",
      '    beta = h["beta"] if is_matrix else h["beta1"]',
      '    m, v = s["m"] + (1 - beta) * (g - s["m"]), s["v"]',
      `    mean = ${mean}`,
      "    if is_matrix:",
      "        rows, columns = w.shape",
      `        y = mean / (${module}.sqrt(dot([mean], [mean])) + h["eps"])`,
      `        for _ in range(${settings.newtonSchulzSteps}):`,
      `            square = ${transpose("y")} @ y if rows > columns else y @ ${transpose("y")}`,
      "            polynomial = -4.775 * square + 2.0315 * (square @ square)",
      "            y = 3.4445 * y + (y @ polynomial if rows > columns else polynomial @ y)",
      `        moved.append(${shrunk(inUse(settings))} - h["lr"]${scaleOf(settings)} * y)`,
      "    else:",
      '        v = v + (1 - h["beta2"]) * (g * g - v)',
      '        rate = h["lr"] * h["adam_scale"]',
      `        moved.append(${shrunk(inUse(settings, "adamWeightDecay"), "rate", "adam_weight_decay")} - rate * mean / ${adamDenominator(module)})`,
      '    kept.append({"m": m, "v": v})',
      "return moved, kept, shared",
    ],
  };
}

/** Which axis of a matrix sums up outputs, by the names of Flax (kernels are inputs by outputs) and of the run's model. */
function optaxRule(settings: Muon): OptaxRule {
  const [outputs, other] = settings.matrixScale === "outputs" ? ["(0, 1)", "(1, 0)"] : ["(1, 0)", "(0, 1)"];
  return {
    maker: "muon",
    options,
    definition: (name) => `def ${name}(learning_rate, adam_scale, beta, b1, b2, eps, weight_decay, adam_weight_decay):
    """Optax's Muon. A matrix named kernel has inputs as rows, as in Flax; any other has outputs as rows, as in the run."""
    numbers = optax.contrib.MuonDimensionNumbers

    def dimensions(params):
        is_kernel = lambda path: "kernel" in jax.tree_util.keystr(path[-1:])
        axes = lambda path, p: numbers(*(${outputs} if is_kernel(path) else ${other})) if p.ndim == 2 else None
        return jax.tree_util.tree_map_with_path(axes, params)

    return optax.contrib.muon(
        learning_rate,
        beta=beta,
        eps=eps,
        weight_decay=weight_decay,
        ns_steps=${settings.newtonSchulzSteps},
        nesterov=${settings.momentumAs === "plain" ? "False" : "True"},
        adam_b1=b1,
        adam_b2=b2,
        adam_weight_decay=adam_weight_decay,
        adam_learning_rate=learning_rate * adam_scale,
        consistent_rms=${settings.consistentRms === null ? "None" : float(settings.consistentRms)},
        muon_weight_dimension_numbers=dimensions,
    )`,
    keywords: { alpha: "learning_rate", adamScale: "adam_scale", beta: "beta", beta1: "b1", beta2: "b2", logEps: "eps", weightDecay: "weight_decay", adamWeightDecay: "adam_weight_decay" },
  };
}

export const muon: ExportRules<Muon> = {
  whole: rule,
  pytorch: rule,
  // Optax's always scales matrices.
  optax: (settings) => (settings.matrixScale === "none" && settings.consistentRms === null ? rule(settings) : optaxRule(settings)),
  keras: rule,
};
