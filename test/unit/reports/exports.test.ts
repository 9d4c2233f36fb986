/** Runs as files: tables to the last digit, code that Python accepts and that gives the values it should. */
import { describe, expect, it } from "vitest";
import { exportRun } from "../../../src/main/reports/index.ts";
import { exportFormatNames, type ExportFormatName } from "../../../src/shared/exports.ts";
import type { ExperimentInput } from "../../../src/shared/experiment.ts";
import type { RunDetail, RunStatus } from "../../../src/shared/run.ts";
import { hyperparameterColumns } from "../../../src/shared/tower.ts";
import { findPython, runPython } from "../../support/python.ts";
import { aRun, anEnvironment } from "../../support/storeFixtures.ts";

const count = 300;

/** What the pretended trajectories hold after `update` updates. */
const pretended = (metric: string, update: number): number => {
  if (metric === "loss") return 2.3 / (1 + update / 50);
  if (metric.startsWith("L0.alpha")) return 1e-3 * 10 ** (1 - Math.exp(-update / 40)) * (1 + 0.002 * Math.sin(update));
  if (metric.includes("beta1")) return 0.9 + 0.05 * (1 - Math.exp(-update / 100));
  if (metric.includes("beta2")) return 0.999 - 0.002 * (1 - Math.exp(-update / 100));
  if (metric.includes("weightDecay")) return 0.01 * Math.exp(-update / 200);
  if (metric.includes("logEps")) return -8 + update / 100;
  if (metric.includes("mu") || metric.includes("gamma")) return 0.9 + 0.0001 * update;
  return NaN;
};

interface Pretended {
  readonly run: RunDetail;
  readonly steps: { step: number; values: number[] }[];
}

function logged(input: ExperimentInput, { status = "finished", value = pretended }: { status?: RunStatus; value?: typeof pretended } = {}): Pretended {
  const base = aRun({ name: 'a "name"\n# with \\ everything', dataset: { trainExamples: 2560 }, ...input }, { status, steps: count, testError: 4.5 });
  const columns = hyperparameterColumns(base.experiment.tower);
  const top = base.experiment.tower.length - 1;
  const metrics = ["loss", "stepTime", ...columns.map((c) => c.metric), ...columns.filter((c) => c.level < top).map((c) => c.hypergradient)];
  const at = (metric: string, update: number) => {
    const column = columns.find((c) => c.metric === metric);
    return column?.level === top ? column.initial : metric === "stepTime" ? 1.5 : metric.endsWith(".hypergradient") ? -update / 8 : value(metric, update);
  };
  const hyperparameters = base.hyperparameters.map((h) => ({ ...h, value: Number.isFinite(at(h.metric, count)) ? at(h.metric, count) : null }));
  return {
    run: { ...base, hyperparameters, environment: anEnvironment, metrics, evaluations: [], events: [] },
    steps: Array.from({ length: count }, (_, step) => ({ step, values: metrics.map((metric) => at(metric, step)) })),
  };
}

const text = ({ run, steps }: Pretended, format: ExportFormatName) => [...exportRun(run, steps, format).pieces].join("");
const stacks: Record<string, ExperimentInput> = {
  adam: { tower: [{ optimizer: "adam" }, { optimizer: "sgd", alpha: 1e-5 }] },
  "Adam^α": { tower: [{ optimizer: "adamBaydin", alpha: 1, logEps: -6 }, { optimizer: "adam" }, { optimizer: "sgd" }] },
  "SGD with momentum": { tower: [{ optimizer: "sgd", mu: 0.9 }, { optimizer: "sgd" }] },
  AdaGrad: { tower: [{ optimizer: "adaGrad" }, { optimizer: "adaGrad" }] },
  RMSProp: { tower: [{ optimizer: "rmsProp" }, { optimizer: "rmsPropAlpha" }, { optimizer: "adam" }] },
  AdamW: {
    tower: [{ optimizer: "adam", learned: ["alpha", "weightDecay", "logEps"], weightDecay: 0.01, amsgrad: true, alphaAs: "log" }, { optimizer: "sgd", every: 2 }],
  },
  "Nesterov with coupled decay": { tower: [{ optimizer: "sgd", mu: 0.9, nesterov: true, weightDecay: 1e-4, weightDecayAs: "coupled" }, { optimizer: "sgd" }] },
  "plain Adam": { tower: [{ optimizer: "adam" }] },
};

const first = { name: "first", match: "layer1.weight", frozen: true };
/** Groups, beyond what every form can express. */
const grouped: Record<"two groups and a frozen one" | "two rules" | "one that moves" | "SGDPerParam", ExperimentInput> = {
  "two groups and a frozen one": {
    tower: [{ optimizer: "adam", groups: [first, { name: "bias.es", match: ["*.bias"], alpha: 0.01, learned: ["alpha"] }] }, { optimizer: "sgd", alpha: 1e-5 }],
  },
  "two rules": { tower: [{ optimizer: "adam", groups: [{ name: "bias", match: "*.bias", optimizer: "sgd", mu: 0.5 }] }, { optimizer: "sgd" }] },
  "one that moves": { tower: [{ optimizer: "adam", freeze: "layer1.*" }, { optimizer: "sgd" }] },
  SGDPerParam: {
    tower: [
      { optimizer: "sgdPerParam", alphas: { "layer1.weight": 0.1, "layer2.bias": 0.05 } },
      { optimizer: "sgdPerParam", alphas: { "alpha[layer1.weight]": 0.02 } },
    ],
  },
};

const adamColumns = [
  ...["step", "epoch", "loss", "L0.alpha", "L0.beta1", "L0.beta2", "L1.alpha"],
  ...["stepTime", "L0.alpha.hypergradient", "L0.beta1.hypergradient", "L0.beta2.hypergradient"],
];

describe("tables", () => {
  it("CSV holds every value, the update after the last step too, under the configuration", () => {
    const made = logged(stacks["adam"]!);
    const lines = text(made, "csv").trimEnd().split("\n");
    const comments = lines.filter((line) => line.startsWith("#"));
    expect(JSON.parse(comments.at(-1)!.replace("# experiment: ", ""))).toEqual(made.run.experiment);
    const [head, ...rows] = lines.slice(comments.length).map((line) => line.split(","));
    expect(head).toEqual(adamColumns);
    expect(rows).toHaveLength(count + 1);
    rows.forEach((row, update) => {
      const loss = update < count ? String(pretended("loss", update)) : "";
      const learned = ["L0.alpha", "L0.beta1", "L0.beta2"].map((metric) => String(pretended(metric, update)));
      const hypergradient = String(-update / 8 + 0);
      const measured = update < count ? ["1.5", hypergradient, hypergradient, hypergradient] : ["", "", "", ""];
      expect(row).toEqual([String(update), String(update / 10), loss, ...learned, "0.00001", ...measured]);
    });
  });

  it("JSON holds the same rows, with the experiment", () => {
    const made = logged(stacks["adam"]!);
    const { experiment, columns, rows, run } = JSON.parse(text(made, "json")) as Record<string, never> & { rows: unknown[][] };
    expect(experiment).toEqual(made.run.experiment);
    expect(run).toMatchObject({ id: made.run.id, status: "finished", testError: 4.5 });
    expect(columns).toEqual(adamColumns);
    expect(rows).toHaveLength(count + 1);
    expect(rows[7]).toEqual([7, 0.7, ...["loss", "L0.alpha", "L0.beta1", "L0.beta2"].map((metric) => pretended(metric, 7)), 1e-5, 1.5, -7 / 8, -7 / 8, -7 / 8]);
    expect(rows.at(-1)!.slice(0, 3)).toEqual([count, count / 10, null]);
    expect(rows.at(-1)!.slice(-4)).toEqual([null, null, null, null]);
  });

  it("show what diverged as it is, and make up no update after it", () => {
    const made = logged(stacks["adam"]!, { status: "diverged", value: (metric, update) => (update === count - 1 ? NaN : pretended(metric, update)) });
    expect(text(made, "csv").trimEnd().split("\n").at(-1)).toBe(`${count - 1},${(count - 1) / 10},nan,nan,nan,nan,0.00001,1.5${`,${-(count - 1) / 8}`.repeat(3)}`);
    const { rows } = JSON.parse(text(made, "json")) as { rows: unknown[][] };
    expect(rows.at(-1)).toEqual([count - 1, (count - 1) / 10, null, null, null, null, 1e-5, 1.5, ...Array.from({ length: 3 }, () => -(count - 1) / 8)]);
  });
});

describe("refusals", () => {
  const refused = (made: Pretended, format: ExportFormatName) => {
    expect(() => exportRun(made.run, made.steps, format)).toThrow();
    try {
      exportRun(made.run, made.steps, format);
    } catch (error) {
      return (error as Error).message;
    }
    return "";
  };

  it("has no schedule of a run under way, but the script", () => {
    const made = logged(stacks["adam"]!, { status: "running" });
    for (const format of exportFormatNames.filter((name) => name !== "library")) expect(refused(made, format)).toContain("The run is running;");
    expect(text(made, "library")).toContain("gdtuo.Adam(");
  });

  it("names what is not finite and where", () => {
    const made = logged(stacks["adam"]!, { value: (metric, update) => (metric === "L0.beta1" && update > 100 ? NaN : pretended(metric, update)) });
    expect(refused(made, "pytorch")).toContain("β₁ of level 0 is not finite at step 101");
  });

  it("replays what a horizon led to, but the authors' library has none", () => {
    const made = logged({ tower: [{ optimizer: "sgd" }, { optimizer: "sgd", horizon: 1 }] });
    expect(refused(made, "library")).toContain("Level 1 sets horizon to 1, which this form cannot express");
    for (const format of ["pytorch", "optax", "keras"] as const) expect(text(made, format)).not.toBe("");
  });

  it("names an option that the form cannot express, where another can", () => {
    const refusals = (level: NonNullable<ExperimentInput["tower"]>[number]) => {
      const made = logged({ tower: [level, { optimizer: "sgd" }] });
      const codes = ["pytorch", "optax", "keras", "library"] as const;
      return codes.filter((format) => {
        try {
          return text(made, format) === "";
        } catch (error) {
          expect((error as Error).message).toMatch(/^Level 0 (sets (clipNorm|clipValue|dampening|amsgrad|nesterov|weightDecay|weightDecayAs) to|learns logEps)/);
          return true;
        }
      });
    };
    expect(refusals({ optimizer: "adam", clipNorm: 1 })).toEqual(["library"]);
    expect(refusals({ optimizer: "sgd", clipValue: 1 })).toEqual(["library"]);
    expect(refusals({ optimizer: "sgd", mu: 0.9, dampening: 0.5 })).toEqual(["library"]);
    expect(refusals({ optimizer: "sgd", mu: 0.9, dampening: 0.5, nesterov: true })).toEqual(["library"]);
    expect(refusals({ optimizer: "adam", amsgrad: true })).toEqual(["library"]);
    expect(refusals({ optimizer: "sgd", mu: 0.9, nesterov: true })).toEqual(["library"]);
    expect(refusals({ optimizer: "adam", weightDecay: 0.01 })).toEqual(["library"]);
    expect(refusals({ optimizer: "sgd", weightDecay: 0.01 })).toEqual(["library"]);
    expect(refusals({ optimizer: "adam", weightDecay: 0.01, weightDecayAs: "coupled" })).toEqual(["library"]);
    expect(refusals({ optimizer: "adam", learned: ["alpha", "logEps"] })).toEqual(["library"]);
    expect(refusals({ optimizer: "adam", weightDecayAs: "coupled" })).toEqual([]);
  });

  it("names a guard that went back: what was undone cannot be followed elsewhere", () => {
    const { run, steps } = logged(stacks["adam"]!);
    const made = { run: { ...run, events: [{ at: 0, step: 7, kind: "guard", message: "back" }] }, steps };
    for (const format of ["pytorch", "optax", "keras", "library"] as const) expect(refused(made, format)).toMatch(/^The guard went back once in this run/);
    expect(text(made, "csv")).not.toBe("");
  });

  it("names groups where the form has none", () => {
    for (const input of [grouped["two rules"], grouped["two groups and a frozen one"]]) {
      expect(refused(logged(input), "library")).toMatch(/^Level 0 has groups or frozen parts, which the authors’ library knows only as SGDPerParam/);
    }
    expect(refused(logged({ tower: [{ optimizer: "sgd", frozen: true }] }), "keras")).toMatch(/^Everything was frozen/);
  });

  it("clips in each framework: by group, then all together", () => {
    const level = { optimizer: "sgd", clipNorm: 2, groups: [{ name: "bias", match: "*.bias", clipValue: 1 }, { name: "out", match: "layer2.*", frozen: true }] } as const;
    const made = logged({ tower: [level] });
    expect(text(made, "pytorch")).toMatch(/limit = \{"bias": 1\.0\}\.get[^]*torch\.clamp\(2\.0 \/ norm[^]*return clipped\(/);
    expect(text(made, "optax")).toMatch(/"bias": optax\.clip\(1\.0\),\s+"out": optax\.set_to_zero\(\),\s+\}, labels\), optax\.clip_by_global_norm\(2\.0\)/);
    expect(text(made, "keras")).toMatch(/def apply\(self, grads[^]*\{"bias": 1\.0\}[^]*2\.0 \/ ops\.sqrt/);
    expect(text(logged({ tower: [{ optimizer: "sgd", clipNorm: 2 }] }), "keras")).toContain("global_clipnorm=2.0");
  });

  it("names a final value no optimizer can start from", () => {
    const made = logged({ tower: [{ optimizer: "sgd" }, { optimizer: "sgd" }] }, { value: (metric, update) => (metric === "L0.alpha" ? 0.5 - update / 400 : 1) });
    expect(refused(made, "optax")).toMatch(/^SGD’s α ended at -0\.25, .*allowed: 0 or more/);
  });

  it("says that nothing was logged", () => {
    const made = logged(stacks["adam"]!);
    expect(refused({ run: { ...made.run, steps: 0 }, steps: [] }, "csv")).toContain("logged no steps");
    expect(refused({ run: { ...made.run, steps: 1, status: "interrupted" }, steps: made.steps.slice(0, 1) }, "keras")).toContain("no update");
  });
});

describe("the script on the authors' library", () => {
  it("builds the same tower out of the library's classes, top level first", () => {
    const script = text(logged(stacks["Adam^α"]!), "library");
    expect(script).toContain(
      [
        "    level2 = gdtuo.SGD(alpha=0.01, mu=0.0)",
        "    level1 = gdtuo.Adam(alpha=0.001, beta1=0.9, beta2=0.999, log_eps=-8.0, optimizer=level2)",
        "    level0 = gdtuo.AdamBaydin(alpha=1.0, beta1=0.9, beta2=0.999, log_eps=-6.0, optimizer=level1)",
      ].join("\n"),
    );
    expect(script).not.toContain("class Only");
  });

  it("has SGDPerParam by the names that its model and the level below have there", () => {
    expect(text(logged(grouped["SGDPerParam"]), "library")).toContain(
      [
        '    level1 = gdtuo.SGDPerParam(params=[("0.weight_alpha", 0.02)])',
        '    level0 = gdtuo.SGDPerParam(params=[("0.weight", 0.1), ("2.bias", 0.05)], optimizer=level1)',
      ].join("\n"),
    );
  });

  it("holds still what a level does not learn", () => {
    const script = text(logged({ tower: [{ optimizer: "adam", learned: ["beta1"] }, { optimizer: "sgd" }] }), "library");
    expect(script).toContain('optimizer=Only(["beta1"], level1))');
    expect(script).toContain("class Only");
  });

  it("has the model, the data and the budget of the experiment", () => {
    const input: ExperimentInput = { model: { hidden: [32, 16], activation: "relu", outputActivation: "identity" }, batchSize: 100, budget: { epochs: 3 }, seed: 9 };
    const script = text(logged(input), "library");
    expect(script).toMatch(/Linear\(784, 32\),\s+torch\.nn\.ReLU\(\),\s+torch\.nn\.Linear\(32, 16\),\s+torch\.nn\.ReLU\(\),\s+torch\.nn\.Linear\(16, 10\),\s+torch\.nn\.LogSoftmax/);
    for (const line of ["BATCH_SIZE = 100", "EPOCHS = 3", "SEED = 9", "TRAIN_EXAMPLES = 2560", "TEST_EXAMPLES = 10000"]) expect(script).toContain(line);
  });
});

const python = findPython();
const withTorch = findPython("torch");
if (!python) console.warn("no Python here: whether it accepts the exported code was not checked");
else if (!withTorch) console.warn("no Python with torch here: the exported PyTorch code was compiled, not run");

describe("Python", () => {
  it.skipIf(!python)("accepts all of it", () => {
    const beyond = new Set(["AdamW", "Nesterov with coupled decay"]);
    const codes = Object.entries(stacks).flatMap(([name, input]) =>
      (beyond.has(name) ? (["pytorch"] as const) : (["pytorch", "optax", "keras", "library"] as const)).map((format) => text(logged(input), format)),
    );
    codes.push(
      ...(["pytorch", "optax", "keras"] as const).map((format) => text(logged(grouped["two groups and a frozen one"]), format)),
      ...(["pytorch", "optax", "keras"] as const).map((format) => text(logged(grouped["two rules"]), format)),
      text(logged(grouped["one that moves"]), "keras"),
      ...(["pytorch", "optax", "keras", "library"] as const).map((format) => text(logged(grouped["SGDPerParam"]), format)),
    );
    runPython(python!, `import json, sys\nfor code in json.load(sys.stdin): compile(code, "exported", "exec")`, codes);
  });

  it.skipIf(!withTorch)("PyTorch's scheduler gives every step the run's values, within the error it states", () => {
    const codes = Object.fromEntries(Object.entries(stacks).map(([name, input]) => [name, text(logged(input), "pytorch")]));
    const source = `
import json, sys, torch
seen = {}
for name, code in json.load(sys.stdin).items():
    exported = {}
    exec(code, exported)
    weights = [torch.nn.Parameter(torch.ones(2))]
    optimizer, scheduler = exported["scheduled_optimizer"](weights)
    rows = []
    for _ in range(${count + 5}):
        weights[0].grad = torch.full((2,), 0.1)
        group = {key: value for key, value in optimizer.param_groups[0].items() if key in ("lr", "betas", "momentum", "alpha", "eps", "weight_decay", "nesterov", "amsgrad")}
        rows.append(group)
        optimizer.step()
        scheduler.step()
    final = exported["final_optimizer"](weights).param_groups[0]
    seen[name] = {"rows": rows, "final": {key: final[key] for key in rows[0]}, "moved": weights[0][0].item() != 1, "class": type(optimizer).__name__}
print(json.dumps(seen))`;
    interface Group {
      lr: number;
      betas?: [number, number];
      momentum?: number;
      alpha?: number;
      eps?: number;
      weight_decay?: number;
      nesterov?: boolean;
      amsgrad?: boolean;
    }
    const seen = JSON.parse(runPython(withTorch!, source, codes)) as Record<string, { rows: Group[]; final: Group; moved: boolean; class: string }>;
    for (const [name, { rows, final, moved }] of Object.entries(seen)) {
      expect(moved, name).toBe(true);
      expect(rows, name).toHaveLength(count + 5);
      if (name === "plain Adam") {
        expect(new Set(rows.map(({ lr }) => lr)), name).toEqual(new Set([0.001]));
        continue;
      }
      rows.forEach(({ lr }, i) => expect(Math.abs(lr / pretended("L0.alpha", Math.min(i + 1, count)) - 1), `${name}, update ${i + 1}`).toBeLessThan(0.001001));
      expect(final.lr, name).toBe(pretended("L0.alpha", count));
      // Constant once the run is over.
      expect(rows.at(-1)!.lr, name).toBeCloseTo(final.lr, 8);
    }
    const { rows, final } = seen["adam"]!;
    rows.slice(0, count).forEach(({ betas }, i) => {
      expect((1 - betas![0]) / (1 - pretended("L0.beta1", i + 1))).toBeCloseTo(1, 2);
      expect((1 - betas![1]) / (1 - pretended("L0.beta2", i + 1))).toBeCloseTo(1, 2);
    });
    expect(final.eps).toBe(1e-8);
    expect(seen["Adam^α"]!.final).toMatchObject({ betas: [0.9, 0.999], eps: 1e-6 });
    expect(seen["SGD with momentum"]!.rows[9]!.momentum).toBeCloseTo(pretended("L0.mu", 10), 4);
    expect(seen["AdamW"]).toMatchObject({ class: "AdamW", final: { weight_decay: pretended("L0.weightDecay", count), amsgrad: true, eps: 10 ** -5 } });
    expect(seen["AdamW"]!.rows[49]!.weight_decay! / pretended("L0.weightDecay", 50)).toBeCloseTo(1, 2);
    expect(seen["AdamW"]!.rows[49]!.eps! / 10 ** -7.5).toBeCloseTo(1, 2);
    expect(seen["Nesterov with coupled decay"]).toMatchObject({ class: "SGD", final: { nesterov: true, weight_decay: 1e-4 } });
    expect(seen["RMSProp"]!.rows[9]!.alpha).toBeCloseTo(pretended("L0.gamma", 10), 4);
  });

  it.skipIf(!withTorch)("PyTorch's optimizers of several groups are saved and loaded as one", () => {
    const source = `
import io, json, sys, torch
exported = {}
exec(json.load(sys.stdin), exported)
names = ["layer1.weight", "layer1.bias"]
def made(values):
    weights = {name: torch.nn.Parameter(value.clone()) for name, value in zip(names, values)}
    return weights, *exported["scheduled_optimizer"](weights.items())
def step(weights, optimizer, scheduler):
    for weight in weights.values(): weight.grad = weight.detach() * 0.1 + 0.05
    optimizer.step()
    scheduler.step()
first = made([torch.ones(2), torch.ones(2)])
for _ in range(30): step(*first)
saved = io.BytesIO()
torch.save([first[1].state_dict(), first[2].state_dict()], saved)
saved.seek(0)
second = made([weight.detach() for weight in first[0].values()])
for part, state in zip(second[1:], torch.load(saved)): part.load_state_dict(state)
for _ in range(30):
    step(*first)
    step(*second)
print(json.dumps([[weight.tolist() for weight in weights.values()] for weights in (first[0], second[0])]))`;
    const [whole, resumed] = JSON.parse(runPython(withTorch!, source, text(logged(grouped["two rules"]), "pytorch"))) as [number[][], number[][]];
    expect(resumed).toEqual(whole);
    expect(whole.flat().every((value) => value !== 1)).toBe(true);
  });

  it.skipIf(!withTorch)("PyTorch's parameter groups follow each its own schedule, and what was frozen is in none", () => {
    const source = `
import json, sys, torch
exported = {}
exec(json.load(sys.stdin), exported)
names = ["layer1.weight", "layer1.bias", "layer2.weight", "layer2.bias"]
weights = {name: torch.nn.Parameter(torch.ones(2)) for name in names}
optimizer, scheduler = exported["scheduled_optimizer"](weights.items())
rows = []
for _ in range(60):
    for weight in weights.values(): weight.grad = torch.full((2,), 0.1)
    rows.append([{"group": g["group"], "size": len(g["params"]), "lr": g["lr"], "betas": g["betas"]} for g in optimizer.param_groups])
    optimizer.step()
    scheduler.step()
print(json.dumps({"rows": rows, "moved": {name: weight[0].item() != 1 for name, weight in weights.items()}}))`;
    const seen = JSON.parse(runPython(withTorch!, source, text(logged(grouped["two groups and a frozen one"]), "pytorch"))) as {
      rows: { group: string; size: number; lr: number; betas: number[] }[][];
      moved: Record<string, boolean>;
    };
    expect(seen.moved).toEqual({ "layer1.weight": false, "layer1.bias": true, "layer2.weight": true, "layer2.bias": true });
    seen.rows.forEach((groups, i) => {
      expect(groups.map(({ group, size }) => [group, size])).toEqual([["bias.es", 2], ["", 1]]);
      for (const { lr } of groups) expect(Math.abs(lr / pretended("L0.alpha", i + 1) - 1)).toBeLessThan(0.001001);
      expect(groups[0]!.betas).toEqual([0.9, 0.999]);
      expect((1 - groups[1]!.betas[0]!) / (1 - pretended("L0.beta1", i + 1))).toBeCloseTo(1, 2);
    });
  });
});
