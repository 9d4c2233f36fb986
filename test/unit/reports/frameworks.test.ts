/** Exported code starts where the run started and refuses no more than it must; `npm run test:exports` trains it. */
import { describe, expect, it } from "vitest";
import { exportRun } from "../../../src/main/reports/index.ts";
import type { ExperimentInput } from "../../../src/shared/experiment.ts";
import type { ExportFormatName } from "../../../src/shared/exports.ts";
import { hyperparameterColumns } from "../../../src/shared/tower.ts";
import { aRun } from "../../support/storeFixtures.ts";

type LevelInput = NonNullable<ExperimentInput["tower"]>[number];

/** Code of a run of two updates whose hyperparameters stay, save the ones in `last`. */
function code(format: ExportFormatName, level: LevelInput, last: Readonly<Record<string, number>> = {}): string {
  const base = aRun({ tower: [level, { optimizer: "sgd" }] }, { status: "finished", steps: 2 });
  const columns = hyperparameterColumns(base.experiment.tower);
  const metrics = ["loss", ...columns.map(({ metric }) => metric)];
  const finals = columns.map(({ metric, initial }) => last[metric] ?? initial);
  const hyperparameters = columns.map(({ metric }, i) => ({ ...base.hyperparameters.find((entry) => entry.metric === metric)!, value: finals[i]! }));
  const run = { ...base, hyperparameters, metrics, environment: null, evaluations: [], events: [] };
  const steps = [0, 1].map((step) => ({ step, values: [1, ...columns.map(({ initial }) => initial)] }));
  return [...exportRun(run, steps, format).pieces].join("");
}

describe("PyTorch code", () => {
  it("starts Adam's second moment where the run started it", () => {
    const adam = code("pytorch", { optimizer: "adam", logEps: -6 });
    expect(adam).toContain("    return start_second_moment(torch.optim.Adam(parameters, lr=0.001, betas=(0.9, 0.999), eps=10.0 ** -6.0), 10.0 ** -6.0)");
    expect(adam.match(/start_second_moment\(/g)).toHaveLength(2);
  });

  it("starts it at the initial epsilon where epsilon was learned, and at the final one in plain Adam", () => {
    const learned = code("pytorch", { optimizer: "adam", learned: ["logEps"] }, { "L0.logEps": -5 });
    expect(learned).toContain("eps=10.0 ** -5.0), 10.0 ** -5.0)");
    expect(learned).toContain("    start_second_moment(optimizer, 10.0 ** -8.0)\n    return optimizer, LearnedSchedule(optimizer)");
  });

  it("brings an RMSProp with epsilon inside the root", () => {
    const rmsProp = code("pytorch", { optimizer: "rmsProp" });
    expect(rmsProp).toContain("parameter.addcdiv_(parameter.grad, (squares + 1e-8).sqrt_(), value=-group[\"lr\"])");
    expect(rmsProp).toContain("    return RMSProp(parameters, lr=0.01, alpha=0.99)");
    expect(rmsProp).not.toContain("torch.optim.RMSprop(");
  });

  it("keeps momentum from the first update on where the run did", () => {
    expect(code("pytorch", { optimizer: "sgd", momentumFromZero: true })).toContain("momentum=0.0 or 1e-30");
    expect(code("pytorch", { optimizer: "sgd" })).toContain("momentum=0.0)");
  });

  it("moves weights with decay and biases without by one AdamW", () => {
    const groups = code("pytorch", { optimizer: "adam", weightDecay: 0.1, groups: [{ name: "biases", match: "*.bias", weightDecay: 0 }] });
    expect(groups).toContain("torch.optim.AdamW(groups, lr=0.0)");
    expect(groups).toContain('"biases": dict(lr=0.001, betas=(0.9, 0.999), eps=10.0 ** -8.0, weight_decay=0.0),');
    expect(groups).toContain('"": dict(lr=0.001, betas=(0.9, 0.999), eps=10.0 ** -8.0, weight_decay=0.1),');
  });

  it("brings an SGD with decoupled decay and dampened Nesterov momentum, and keeps torch's where it is the same", () => {
    expect(code("pytorch", { optimizer: "sgd", weightDecay: 0.1 })).toContain("return SGD(parameters, lr=0.01, momentum=0.0, weight_decay=0.1)");
    const dampened = code("pytorch", { optimizer: "sgd", mu: 0.9, dampening: 0.5, nesterov: true });
    expect(dampened).toContain("return SGD(parameters, lr=0.01, momentum=0.9, dampening=0.5, nesterov=True)");
    expect(dampened.match(/^class SGD\(/gm)).toHaveLength(1);
    expect(code("pytorch", { optimizer: "sgd", mu: 0.9, dampening: 0.5 })).toContain("return torch.optim.SGD(parameters, lr=0.01, momentum=0.9, dampening=0.5)");
    expect(code("pytorch", { optimizer: "sgd", weightDecay: 0.1, weightDecayAs: "coupled" })).toContain("return torch.optim.SGD(parameters, lr=0.01, momentum=0.0, weight_decay=0.1)");
  });

  it("moves groups of one class by one optimizer, each with its kind of decay", () => {
    const sgd = code("pytorch", { optimizer: "sgd", weightDecay: 0.1, groups: [{ name: "biases", match: "*.bias", weightDecayAs: "coupled" }] });
    expect(sgd).toContain("return SGD(groups, lr=0.0)");
    expect(sgd).toContain('"biases": dict(lr=0.01, momentum=0.0, coupled_decay=0.1),');
    expect(sgd).not.toContain("class Together");
  });

  it("steps several optimizers together where groups have several rules", () => {
    const several = code("pytorch", {
      optimizer: "adam",
      weightDecay: 0.1,
      groups: [{ name: "biases", match: "*.bias", weightDecayAs: "coupled" }, { name: "out", match: "layer2.*", optimizer: "adaGrad" }],
    });
    expect(several).toContain('KINDS = {\n    "": torch.optim.AdamW,\n    "biases": torch.optim.Adam,\n    "out": adagrad,\n}');
    expect(several).toContain("class Together(torch.optim.Optimizer):");
    expect(several).toContain('{"": 10.0 ** -8.0, "biases": 10.0 ** -8.0})');
    expect(several).toContain("return torch.optim.Adagrad(groups, lr=lr, initial_accumulator_value=0.1)");
  });
});

describe("a schedule", () => {
  /** A run of four updates, of one level: row t has the values in force of update t. */
  function scheduledCode(format: ExportFormatName, level: LevelInput, values: Readonly<Record<string, readonly number[]>>): string {
    const base = aRun({ tower: [level] }, { status: "stopped", steps: 4 });
    const metrics = ["loss", ...base.hyperparameters.map(({ metric }) => metric)];
    const at = (metric: string, row: number) => values[metric]?.[row] ?? base.hyperparameters.find((one) => one.metric === metric)!.initial;
    const hyperparameters = base.hyperparameters.map((one) => ({ ...one, value: at(one.metric, 4) }));
    const run = { ...base, hyperparameters, metrics, environment: null, evaluations: [], events: [] };
    const steps = [0, 1, 2, 3].map((step) => ({ step, values: [1, ...metrics.slice(1).map((metric) => at(metric, step))] }));
    return [...exportRun(run, steps, format).pieces].join("");
  }
  const level: LevelInput = { optimizer: "sgd", alpha: 0.5, mu: 0.9, schedules: { alpha: { unit: "steps", pieces: [{ kind: "step", at: [2], factor: 0.5 }] }, mu: "linear" } };
  const values = { "L0.alpha.inForce": [0.5, 0.5, 0.5, 0.25, 0.25], "L0.mu.inForce": [0.9, 0.9, 0.6, 0.3, 0] };

  it.each(["pytorch", "optax", "keras"] as const)("is in %s what was in force", (format) => {
    const text = scheduledCode(format, level, values);
    expect(text).toContain("ALPHA = [\n    (1, 0.5), (2, 0.5), (3, 0.25), (4, 0.25),\n]");
    expect(text).toContain("MU = [\n    (1, 0.9), (4, 0.0),\n]");
  });

  it("is a column of the table", () => {
    expect(scheduledCode("csv", level, values)).toContain("L0.alpha,L0.mu,L0.alpha.inForce,L0.mu.inForce");
  });

  it("is refused by name for the authors' library", () => {
    expect(() => scheduledCode("library", level, values)).toThrow("In level 0, alpha and mu follow schedules, which this form cannot express; CSV and JSON can.");
  });
});

describe("Optax code", () => {
  it("starts Adam's second moment where the run started it, and follows a learned epsilon", () => {
    expect(code("optax", { optimizer: "adam", logEps: -6 })).toContain("return adam(10.0 ** -6.0)(learning_rate=0.001, b1=0.9, b2=0.999, eps=10.0 ** -6.0)");
    const learned = code("optax", { optimizer: "adam", learned: ["logEps"] }, { "L0.logEps": -5 });
    expect(learned).toContain("return adam(10.0 ** -5.0)(");
    expect(learned).toContain("return optax.inject_hyperparams(adam(10.0 ** -8.0))(");
    expect(learned).toContain("eps=lambda count: 10.0 ** schedule(LOGEPS)(count)");
  });

  it("decays weights coupled and decoupled", () => {
    expect(code("optax", { optimizer: "adam", weightDecay: 0.1, weightDecayAs: "coupled" })).toContain("coupled_decay=0.1)");
    expect(code("optax", { optimizer: "sgd", weightDecay: 0.1 })).toContain("return sgd(learning_rate=0.01, momentum=0.0, weight_decay=0.1)");
    expect(code("optax", { optimizer: "sgd" })).toContain("return optax.sgd(");
  });
});

describe("what a framework has otherwise", () => {
  it("Optax takes AMSGrad's largest second moment before the bias correction, and dampens momentum", () => {
    const amsgrad = code("optax", { optimizer: "adam", amsgrad: true });
    expect(amsgrad).toContain('largest = tree_map(jnp.maximum, state["largest"], v)');
    expect(amsgrad).toContain("return amsgrad(10.0 ** -8.0)(learning_rate=0.001,");
    expect(code("optax", { optimizer: "sgd", mu: 0.9, dampening: 0.5 })).toContain("return dampened_sgd(learning_rate=0.01, momentum=0.9, dampening=0.5)");
    // Without momentum there is nothing to dampen.
    expect(code("optax", { optimizer: "sgd", dampening: 0.5 })).toContain("return optax.sgd(");
  });

  it("Keras dampens momentum", () => {
    const dampened = code("keras", { optimizer: "sgd", mu: 0.9, dampening: 0.5 });
    expect(dampened).toContain("share = ops.where(self.iterations == 0, 1.0, 1.0 - dampening)");
    expect(dampened).toContain("return LearnedSGD(learning_rate=0.01, momentum=0.9, dampening=0.5)");
  });

  it("Keras moves groups by rules and values of their own, and leaves frozen ones as they are", () => {
    const groups = code("keras", {
      optimizer: "adam",
      groups: [{ name: "biases", match: "*.bias", optimizer: "sgd", alpha: 0.1, mu: 0.9 }, { name: "out", match: "layer2.*", frozen: true }],
    });
    expect(groups).toContain('STEPS = {\n    "": step_rest,\n    "biases": step_biases,\n}');
    expect(groups).toContain('    "": ({"m": 0.0, "v": 1e-8}, {"m": 0.0, "v": 1e-8}),\n    "biases": ({"momentum": 0.0}, {"momentum": 0.0}),');
    expect(groups).toContain("def step_biases(self, gradient, variable, learning_rate, buffer):\n    lr = learning_rate * 0.1\n    momentum = 0.9\n");
    expect(groups).toContain("out stays as it is");
  });
});

describe("Keras code", () => {
  it("brings Adam as the run's, and keeps Keras's own where it is the same", () => {
    const adam = code("keras", { optimizer: "adam", logEps: -6 });
    expect(adam).toContain("self.assign_sub(variable, rate * m / (ops.sqrt(v) + root * epsilon))");
    expect(adam).toContain("return LearnedAdam(learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=10.0 ** -6.0, start=10.0 ** -6.0)");
    expect(code("keras", { optimizer: "adaGrad" })).toContain("return keras.optimizers.Adagrad(learning_rate=0.01,");
  });

  it("has coupled decay", () => {
    expect(code("keras", { optimizer: "adam", weightDecay: 0.1, weightDecayAs: "coupled" })).toContain("gradient = gradient + decay * variable");
  });
});

describe("a learned decay that ended below 0", () => {
  const level: LevelInput = { optimizer: "adam", weightDecay: 1e-6, learned: ["weightDecay"] };
  it.each(["pytorch", "optax", "keras"] as const)("is kept at 0 in %s, which says so", (format) => {
    const kept = code(format, level, { "L0.weightDecay": -4.7e-8 });
    expect(kept).toContain("# The run's λ was as low as -4.7e-8; it is kept at 0 or more here.");
    expect(kept).not.toMatch(/^[^#\n]*-4\.7e-8/m);
  });
});
