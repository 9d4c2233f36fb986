/** Each optimizer's exported code is made of what its descriptor says; `npm run test:exports` trains it. */
import { describe, expect, it } from "vitest";
import { exportRun } from "../../../src/main/reports/index.ts";
import type { ExperimentInput } from "../../../src/shared/experiment.ts";
import { exportProblem } from "../../../src/shared/exports.ts";
import { optimizerNames, optimizerSpec, type OptimizerName } from "../../../src/shared/optimizers.ts";
import { optionsOf } from "../../../src/shared/levelOptions.ts";
import { codeFrameworks, type CodeFramework } from "../../../src/shared/optimizers/spec.ts";
import { findPython, runPython } from "../../support/python.ts";
import { aRun } from "../../support/storeFixtures.ts";

type LevelInput = NonNullable<ExperimentInput["tower"]>[number];

function finished(level: LevelInput) {
  const base = aRun({ tower: [level] }, { status: "finished", steps: 2 });
  const metrics = ["loss", ...base.hyperparameters.map(({ metric }) => metric)];
  const values = base.hyperparameters.map(({ initial }) => initial);
  const hyperparameters = base.hyperparameters.map((one) => ({ ...one, value: one.initial }));
  return { run: { ...base, hyperparameters, metrics, environment: null, evaluations: [], events: [] }, steps: [0, 1].map((step) => ({ step, values: [1, ...values] })) };
}

function code(framework: CodeFramework, level: LevelInput): string {
  const { run, steps } = finished(level);
  return [...exportRun(run, steps, framework).pieces].join("");
}

/** Settings with which a framework's own optimizer is what the run computed. */
const plain: Partial<Record<OptimizerName, object>> = {
  adam: { convention: "pytorch" },
  rmsProp: { convention: "pytorch" },
  prodigy: { biasCorrection: true },
  dAdaptAdam: { biasCorrection: true },
  dog: { averaging: null },
  lDog: { averaging: null },
};

const cases = optimizerNames.flatMap((optimizer) => codeFrameworks.map((framework) => ({ optimizer, framework, exports: optimizerSpec(optimizer).exports[framework] })));
const levelOf = (optimizer: OptimizerName) => ({ optimizer, ...plain[optimizer] }) as LevelInput;

describe("code of an optimizer", () => {
  it.each(cases.filter(({ exports }) => exports.as !== "refused"))("$optimizer in $framework is what its descriptor says", ({ optimizer, framework, exports }) => {
    const text = code(framework, levelOf(optimizer));
    if (exports.as === "own") expect(text).toContain(`${exports.why}.`);
    else if (exports.as !== "refused") expect(text).toMatch(new RegExp(`${exports.what.replaceAll(".", "\\.")}\\(|Learned${exports.what.split(".").at(-1)!}\\(`));
    if (exports.as === "package") expect(text).toContain(`# Needs: pip install ${exports.package}`);
  });

  it.each(cases.filter(({ exports }) => exports.as === "refused"))("$optimizer in $framework is refused with the reason, before anything is read", ({ optimizer, framework, exports }) => {
    const { run } = finished({ optimizer });
    const problem = exportProblem(run, framework);
    expect(problem).toContain(exports.as === "refused" ? exports.why : "");
    expect(() => code(framework, { optimizer })).toThrow(problem!);
    // A group of it is refused too, and a frozen one is not exported.
    expect(() => code(framework, { optimizer: "sgd", groups: [{ name: "biases", match: "*.bias", optimizer }] })).toThrow(problem!);
    expect(code(framework, { optimizer: "sgd", groups: [{ name: "biases", match: "*.bias", optimizer, frozen: true }] })).toContain("SGD");
  });

  const python = findPython();
  it.skipIf(!python)("is Python", () => {
    const codes = cases.flatMap(({ optimizer, framework, exports }) =>
      exports.as === "refused"
        ? []
        : [levelOf(optimizer), { optimizer } as LevelInput, { optimizer, groups: [{ name: "biases", match: "*.bias", optimizer: "prodigy" }, { name: "out", match: "layer2.*", optimizer: "dog" }] } as LevelInput].map((level) => code(framework, level)),
    );
    expect(codes.length).toBeGreaterThan(100);
    expect(JSON.parse(runPython(python!, "import json, sys\nfor i, code in enumerate(json.load(sys.stdin)): compile(code, f'code {i}', 'exec')\nprint('true')", codes))).toBe(true);
  });
});

describe("Mechanic", () => {
  const optimizers = optimizerNames.filter((optimizer) => optionsOf(optimizer).some(({ name }) => name === "mechanic"));
  const levelsOf = (optimizer: OptimizerName): LevelInput[] => [
    { optimizer, mechanic: true, alpha: 1 } as LevelInput,
    { optimizer, mechanic: true, mechanicUpdates: "recomputed", mechanicBetas: [0.9, 0.99], sDecay: 0, groups: [{ name: "biases", match: "*.bias", optimizer: "sgd", mechanic: true, mu: 0.9, sDecay: 0 }, { name: "out", match: "layer2.*", optimizer: "adam" }] } as LevelInput,
  ];

  it("wraps the rule of every optimizer that has it, in each framework", () => {
    expect(optimizers.toSorted()).toEqual(["adaGrad", "adam", "lamb", "lion", "muon", "nAdam", "rmsProp", "sgd"]);
    const [stored, recomputed] = levelsOf("adam").map((level) => code("pytorch", level));
    expect(stored).toContain("class MechanicAdam(torch.optim.Optimizer):\n    \"\"\"The run's Adam under Mechanic (Cutkosky, Defazio and Mehta 2023).\"\"\"");
    expect(stored).toContain("MechanicAdam(parameters, lr=1.0, beta1=0.9, beta2=0.999, eps=10.0 ** -8.0, s_init=1e-8, s_decay=0.01, s_log_eps=-8.0)");
    expect(stored).toContain('deltas = [s["delta"] for s in slots]');
    expect(recomputed).toContain('deltas = [(w - s["start"]) / (scale + eps) for w, s in zip(weights, slots)]');
    expect(recomputed).not.toContain("s_decay");
    expect(code("pytorch", { optimizer: "lion", mechanic: true })).not.toContain("pip install");
    expect(code("optax", { optimizer: "muon", mechanic: true })).toContain("def mechanicmuon(");
    expect(code("keras", { optimizer: "sgd", mechanic: true })).toContain("(len(start),) if isinstance(start, list) else ()");
  });

  const python = findPython();
  it.skipIf(!python)("is Python", () => {
    const codes = codeFrameworks.flatMap((framework) => optimizers.flatMap((optimizer) => levelsOf(optimizer).map((level) => code(framework, level))));
    expect(JSON.parse(runPython(python!, "import json, sys\nfor i, code in enumerate(json.load(sys.stdin)): compile(code, f'code {i}', 'exec')\nprint('true')", codes))).toBe(true);
  });
});

describe("evaluation of averages", () => {
  it.each(["scheduleFreeSgd", "scheduleFreeAdam", "dog", "lDog"] as const)("%s has a switch, and says when to use it", (optimizer) => {
    const pytorch = code("pytorch", { optimizer });
    expect(pytorch).toContain("# The run evaluated an average of the weights: call optimizer.eval() before evaluating or saving, optimizer.train() before training on.");
    expect(pytorch).toMatch(/return in_training\(/);
    expect(code("optax", { optimizer })).toMatch(/evaluate and save evaluation_params\(state, params\)[^]*def evaluation_params\(state, params\):/);
    expect(code("keras", { optimizer })).toMatch(/call optimizer\.eval\(\) before[^]*def eval\(self\):[^]*def train\(self, training=True\):/);
  });

  it("has none without an average", () => {
    for (const framework of codeFrameworks) expect(code(framework, { optimizer: "dog", averaging: null })).not.toContain("average of the weights:");
  });
});

describe("what a package or framework does otherwise", () => {
  it("the file brings", () => {
    expect(code("optax", { optimizer: "prodigy" })).toMatch(/def prodigy\(lr, .*static_args=/s);
    expect(code("optax", { optimizer: "scheduleFreeSgd" })).toContain("optax.contrib.schedule_free_sgd(");
    expect(code("optax", { optimizer: "moMo", weightDecay: 0.1 })).toContain("inner = optax.contrib.momo(learning_rate, weight_decay=weight_decay, beta=beta, lower_bound=lower_bound)");
    expect(code("pytorch", { optimizer: "adam", convention: "pytorch" })).not.toContain("start_second_moment");
    expect(code("optax", { optimizer: "adam", convention: "pytorch", amsgrad: true })).toContain("return amsgrad(0.0)(");
    expect(code("keras", { optimizer: "adaGrad", convention: "pytorch" })).toContain("(ops.sqrt(squares) + 1e-10)");
  });

  it("gives each group its own distance, and the loss to those that need it", () => {
    const groups = [{ name: "biases", match: "*.bias", optimizer: "prodigy", d0: 1e-5 }];
    const text = code("pytorch", { optimizer: "prodigy", groups } as LevelInput);
    expect(text.match(/lambda groups, lr: prodigyopt\.Prodigy\(groups, .*d0=(1e-05|0\.00001|0\.000001|1e-06)/g)).toHaveLength(2);
    const momo = code("pytorch", { optimizer: "moMo", groups: [{ name: "biases", match: "*.bias", optimizer: "adam" }] } as LevelInput);
    expect(momo).toContain("optimizer.step(loss=loss) if isinstance(optimizer, (momo.Momo,)) else optimizer.step()");
  });

  it("names a constant of the package that changed", () => {
    const { run, steps } = finished({ optimizer: "moMo", schedules: { beta1: [{ kind: "linear", to: 0.5 }] } } as LevelInput);
    const metrics = [...run.metrics];
    const changing = steps.map(({ step, values }) => ({ step, values: values.map((value, i) => (metrics[i]!.includes("beta1") ? value * (1 - step / 2) : value)) }));
    expect(() => exportRun(run, changing, "pytorch")).toThrow("MoMo’s β₁ changed during the run, but is a constant in this form; CSV and JSON have every value.");
    expect([...exportRun(run, changing, "optax").pieces].join("")).toContain("beta=schedule(BETA1)");
  });
});
