/**
 * Compares hypergradients with finite differences of the real loss, in float64: changes
 * one stored hyperparameter of a level right before an update, nothing else, and
 * measures the change of the next loss.
 */
import { ReferenceExecutable } from "../../src/core/engines/reference/engine.ts";
import type { TowerLevel } from "../../src/core/hyperoptimizers/tower.ts";
import { level, smallProblem } from "./problems.ts";

const mechanic = { mechanic: true, sInit: 0.5, sDecay: 0.5, sLogEps: -2, learned: ["sInit", "sDecay", "sLogEps"] };

/** Every update rule and every option, at the levels where they differ. */
export const hypergradientStacks: Record<string, readonly TowerLevel[]> = {
  "SGD / SGD / SGD": [level("sgd", { alpha: 0.1 }), level("sgd", { alpha: 0.05 }), level("sgd", { alpha: 0.01 })],
  "SGD, all with momentum": [
    level("sgd", { alpha: 0.1, mu: 0.9 }),
    level("sgd", { alpha: 0.01, mu: 0.5 }),
    level("sgd", { alpha: 0.01, mu: 0.3 }),
  ],
  "Adam / Adam / Adam": [level("adam", { alpha: 0.01 }), level("adam", { alpha: 0.01 }), level("adam", { alpha: 0.01 })],
  "Adam^α / Adam^α / Adam^α": [
    level("adamBaydin", { alpha: 0.01 }),
    level("adamBaydin", { alpha: 0.01 }),
    level("adamBaydin", { alpha: 0.01 }),
  ],
  "AdaGrad / AdaGrad / AdaGrad": [level("adaGrad", { alpha: 0.1 }), level("adaGrad"), level("adaGrad")],
  "RMSProp / RMSProp / RMSProp": [level("rmsProp", { alpha: 0.001 }), level("rmsProp"), level("rmsProp", { alpha: 0.1 })],
  "RMSProp^α / RMSProp^α / RMSProp^α": [
    level("rmsPropAlpha", { alpha: 0.001 }),
    level("rmsPropAlpha", { alpha: 0.001 }),
    level("rmsPropAlpha", { alpha: 0.001 }),
  ],
  "step sizes in log space and squared": [
    level("sgd", { alpha: 0.1, alphaAs: "log" }),
    level("adam", { alpha: 0.01, alphaAs: "squared" }),
    level("rmsProp", { alphaAs: "log" }),
  ],
  "Nesterov with dampening and learned coupled decay / momentum from 0": [
    level("sgd", { alpha: 0.1, mu: 0.9, nesterov: true, dampening: 0.3, weightDecay: 0.01, weightDecayAs: "coupled", learned: ["alpha", "mu", "weightDecay"] }),
    level("sgd", { alpha: 0.01, momentumFromZero: true }),
    level("sgd", { alpha: 0.01 }),
  ],
  "AMSGrad with learned decoupled decay and epsilon": [
    level("adam", { alpha: 0.01, logEps: -2, amsgrad: true, weightDecay: 0.01, learned: ["alpha", "beta1", "beta2", "logEps", "weightDecay"] }),
    level("adam", { alpha: 0.01, logEps: -3, learned: ["alpha", "logEps"] }),
    level("sgd"),
  ],
  "clipped by value and norm, after a wait": [
    level("sgd", { alpha: 0.1, clipNorm: 0.05 }),
    level("adam", { alpha: 0.01, clipValue: 0.01, warmUp: 1 }),
    level("sgd", { clipNorm: 0.001, warmUp: 2 }),
  ],
  "groups: SGD for biases, a step size of their own for the last layer, whose hyperparameters Adam moves apart": [
    level("adam", {
      alpha: 0.01,
      groups: [
        { name: "bias", match: "*.bias", optimizer: "sgd", alpha: 0.1, mu: 0.5 },
        { name: "last", match: "layer2.*", alpha: 0.02, alphaAs: "log" },
      ],
    }),
    level("sgd", { alpha: 0.01, groups: [{ name: "bias", match: "*[bias]", optimizer: "adam", alpha: 0.01 }] }),
    level("sgd", { alpha: 0.01 }),
  ],
  "SGDPerParam / SGDPerParam / SGD": [
    level("sgdPerParam", { alphas: { "layer1.weight": 0.1, "layer1.bias": 0.05 } }),
    level("sgdPerParam", { alphas: { "alpha[layer1.weight]": 0.02, "alpha[layer1.bias]": 0.1 } }),
    level("sgd", { alpha: 0.01 }),
  ],
  "a frozen first layer, clipped together": [
    level("sgd", { alpha: 0.1, clipNorm: 0.05, freeze: "layer1.weight", groups: [{ name: "bias", match: "*.bias", alpha: 0.2, clipValue: 0.01 }] }),
    level("sgd", { alpha: 0.01 }),
  ],
  "within bounds and a largest change": [
    level("sgd", { alpha: 0.1, alphaAs: "log", bounds: { alpha: [1e-3, 2] } }),
    level("adam", { alpha: 0.001, bounds: { alpha: [null, 1], beta1: [0.5, 0.99] }, atBounds: "reflect", maxChange: 0.5 }),
    level("sgd", { maxChange: 0.5 }),
  ],
  "as in PyTorch: Adam / RMSProp / AdaGrad": [
    level("adam", { alpha: 0.01, convention: "pytorch" }),
    level("rmsProp", { alpha: 0.001, convention: "pytorch" }),
    level("adaGrad", { convention: "pytorch" }),
  ],
  "NAdam, everything learned / NAdam / SGD": [
    level("nAdam", { alpha: 0.01, logEps: -2, weightDecay: 0.01, weightDecayAs: "coupled", learned: ["alpha", "beta1", "beta2", "logEps", "weightDecay", "momentumDecay"] }),
    level("nAdam", { alpha: 0.001 }),
    level("sgd", { alpha: 0.01 }),
  ],
  "Lion / SGD": [level("lion", { alpha: 0.01, weightDecay: 0.1, learned: ["alpha", "weightDecay"] }), level("sgd", { alpha: 0.01 })],
  "SGD / Lion / SGD": [level("sgd", { alpha: 0.1 }), level("lion", { alpha: 0.01 }), level("sgd", { alpha: 0.01 })],
  "Schedule-Free SGD / SGD": [level("scheduleFreeSgd", { alpha: 0.3, weightDecay: 0.01, learned: ["alpha", "weightDecay"] }), level("sgd", { alpha: 0.01 })],
  "SGD / Schedule-Free SGD / SGD": [level("sgd", { alpha: 0.1 }), level("scheduleFreeSgd", { alpha: 0.01 }), level("sgd", { alpha: 0.01 })],
  "Schedule-Free AdamW, everything learned / SGD": [
    level("scheduleFreeAdam", { alpha: 0.01, logEps: -2, weightDecay: 0.01, learned: ["alpha", "beta2", "logEps", "weightDecay"] }),
    level("sgd", { alpha: 0.01 }),
  ],
  "SGD / Schedule-Free AdamW / SGD": [level("sgd", { alpha: 0.1 }), level("scheduleFreeAdam", { alpha: 0.01, logEps: -2 }), level("sgd", { alpha: 0.01 })],
  "Prodigy, everything learned / SGD": [
    level("prodigy", { d0: 1e-2, logEps: -2, weightDecay: 0.01, biasCorrection: true, growthRate: 1.5, learned: ["alpha", "beta1", "beta2", "logEps", "weightDecay"] }),
    level("sgd", { alpha: 0.01 }),
  ],
  "SGD / Prodigy / SGD": [level("sgd", { alpha: 0.1 }), level("prodigy", { d0: 1e-2, logEps: -2 }), level("sgd", { alpha: 0.01 })],
  "D-Adaptation SGD / SGD": [level("dAdaptSgd", { d0: 1e-2, mu: 0.5, weightDecay: 0.01, learned: ["alpha", "mu", "weightDecay"] }), level("sgd", { alpha: 0.01 })],
  "D-Adaptation Adam, everything learned / SGD": [
    level("dAdaptAdam", { d0: 1e-2, logEps: -2, weightDecay: 0.01, biasCorrection: true, learned: ["alpha", "beta1", "beta2", "logEps", "weightDecay"] }),
    level("sgd", { alpha: 0.01 }),
  ],
  "SGD / D-Adaptation Adam / SGD": [level("sgd", { alpha: 0.1 }), level("dAdaptAdam", { d0: 1e-2, logEps: -2 }), level("sgd", { alpha: 0.01 })],
  "DoG / SGD": [level("dog", { firstMove: 0.1, weightDecay: 0.01, learned: ["alpha", "weightDecay"] }), level("sgd", { alpha: 0.01 })],
  "LDoG / SGD": [level("lDog", { firstMove: 0.1, averaging: null }), level("sgd", { alpha: 0.01 })],
  "SGD / DoG / SGD": [level("sgd", { alpha: 0.1 }), level("dog", { firstMove: 0.1 }), level("sgd", { alpha: 0.01 })],
  "MoMo, everything learned / SGD": [level("moMo", { alpha: 0.05, weightDecay: 0.01, learned: ["alpha", "beta1", "weightDecay"] }), level("sgd", { alpha: 0.01 })],
  "MoMo-Adam, everything learned / SGD": [
    level("moMoAdam", { alpha: 0.01, logEps: -2, weightDecay: 0.01, learned: ["alpha", "beta1", "beta2", "logEps", "weightDecay"] }),
    level("sgd", { alpha: 0.01 }),
  ],
  "schedules of a learned step size, of a learned beta and of a group's decay": [
    level("adam", {
      alpha: 0.01,
      logEps: -2,
      schedules: { alpha: [{ kind: "warmUp", from: 0.2, until: 0.6 }, { kind: "cosine", to: 0.1 }], beta1: { unit: "steps", pieces: [{ kind: "linear", to: 0.5 }] } },
      groups: [{ name: "bias", match: "*.bias", optimizer: "sgd", alpha: 0.1, alphaAs: "log", mu: 0.5, weightDecay: 0.1, learned: ["alpha", "weightDecay"], schedules: { weightDecay: "polynomial", alpha: "oneCycle" } }],
    }),
    level("sgd", { alpha: 0.01 }),
  ],
  "Muon, everything learned / SGD": [
    level("muon", { logEps: -2, weightDecay: 0.01, adamWeightDecay: 0.01, learned: ["alpha", "beta", "beta1", "beta2", "logEps", "adamScale", "weightDecay", "adamWeightDecay"] }),
    level("sgd", { alpha: 0.01 }),
  ],
  "Muon with plain momentum and equal updates / SGD": [level("muon", { momentumAs: "plain", newtonSchulzSteps: 2, consistentRms: 0.2, learned: ["alpha", "beta"] }), level("sgd", { alpha: 0.01 })],
  "DoWG, everything learned / SGD": [level("dowg", { d0: 0.5, logEps: -2, weightDecay: 0.01, learned: ["alpha", "logEps", "weightDecay"] }), level("sgd", { alpha: 0.01 })],
  "SGD / DoWG / SGD": [level("sgd", { alpha: 0.1 }), level("dowg", { d0: 0.5, logEps: -2 }), level("sgd", { alpha: 0.01 })],
  "LAMB, everything learned / SGD": [
    level("lamb", { alpha: 0.01, logEps: -2, weightDecay: 0.01, learned: ["alpha", "beta1", "beta2", "logEps", "weightDecay"] }),
    level("sgd", { alpha: 0.01 }),
  ],
  "SGD / LAMB / SGD": [level("sgd", { alpha: 0.1 }), level("lamb", { alpha: 0.01, logEps: -2, learned: ["alpha"] }), level("sgd", { alpha: 0.01 })],
  "SGD with momentum under Mechanic, everything learned / SGD": [
    level("sgd", { alpha: 1, mu: 0.5, weightDecay: 0.01, ...mechanic, learned: ["alpha", "mu", "weightDecay", ...mechanic.learned] }),
    level("sgd", { alpha: 0.01 }),
  ],
  "Adam under Mechanic with a recomputed sum, everything learned / SGD": [
    level("adam", { alpha: 0.1, logEps: -2, ...mechanic, mechanicUpdates: "recomputed", learned: ["alpha", "beta1", "beta2", "logEps", ...mechanic.learned] }),
    level("sgd", { alpha: 0.01 }),
  ],
  "Muon under Mechanic without decay / SGD": [
    level("muon", { alpha: 1, logEps: -2, mechanic: true, sInit: 0.5, sDecay: 0, mechanicBetas: [0.5, 0.9], learned: ["alpha", "beta", "beta1", "sInit"] }),
    level("sgd", { alpha: 0.01 }),
  ],
  "Adam / SGD / Adam": [level("adam", { alpha: 0.01 }), level("sgd", { alpha: 0.001 }), level("adam")],
  "SGD / Adam / SGD": [level("sgd", { alpha: 0.1 }), level("adam", { alpha: 0.01 }), level("sgd", { alpha: 0.01 })],
};

/** Hypergradient of a hyperparameter from the program and from central differences. */
export interface HypergradientCheck {
  readonly name: string;
  readonly analytic: number;
  readonly numeric: number;
}

/** Checks every hyperparameter of a stack at the sixth step of a small classification. */
export function hypergradientChecks(levels: readonly TowerLevel[]): HypergradientCheck[] {
  const { training, initialState, batchSize, batch } = smallProblem(levels);
  const engine = new ReferenceExecutable(training.program);
  engine.restore(initialState);
  engine.runNow(`begin@${batchSize}`, batch(0));
  for (let t = 1; t < 5; t++) engine.runNow(`step@${batchSize}`, batch(t));
  const before = engine.stateNow();
  const outputs = engine.runNow(`step@${batchSize}`, batch(5));

  /**
   * The loss after the update, and the hyperparameter's *new* value, with a change of the old one.
   * Where the optimizer above looks at the value that it moves, the new one changes by more or less.
   */
  const after = (name: string, nudge: number): { readonly loss: number; readonly value: number } => {
    engine.restore({ ...before, [name]: before[name]!.map((value) => value + nudge) });
    const { loss, [name]: value } = engine.runNow(`step@${batchSize}`, batch(5));
    return { loss: loss!, value: value! };
  };

  const h = 1e-5;
  return training.hyperparameters.map(({ name, hypergradient }) => {
    const [more, less] = [after(name, h), after(name, -h)];
    return { name, analytic: outputs[hypergradient]!, numeric: (more.loss - less.loss) / (more.value - less.value) };
  });
}
