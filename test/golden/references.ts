/** Traces of reference optimizers (PyTorch, Optax and the authors' packages), replayed on the float64 reference. */
import { z } from "zod";
import { ReferenceExecutable } from "../../src/core/engines/reference/engine.ts";
import { scheduledLevel } from "../../src/core/training/prepare.ts";
import { buildTrainingProgram } from "../../src/core/training/trainingProgram.ts";
import type { PieceInput } from "../../src/shared/schedules/schema.ts";
import { inForceMetric, initialValue, level, type LevelInput } from "../../src/shared/tower.ts";
import { problemTask, type Problem } from "./problems.ts";
import { Comparison, type Difference } from "./comparison.ts";

const numbers = z.array(z.number());
const parameters = z.record(z.string(), z.union([numbers, z.array(numbers)]));

export const referenceCase = z.object({
  name: z.string(),
  package: z.string(),
  reference: z.string(),
  settings: z.record(z.string(), z.unknown()),
  steps: z.number().int().positive(),
  /** Before each step, at the training weights. */
  loss: numbers,
  /** In force at each step. */
  lr: numbers.optional(),
  finalLoss: z.number(),
  finalParams: parameters,
  /** At the weights that the method evaluates with, where they differ. */
  evalLoss: z.number().optional(),
  evalParams: parameters.optional(),
});
export type ReferenceCase = z.infer<typeof referenceCase>;

type Value = number | string | boolean | null | readonly number[];
type Settings = Readonly<Record<string, unknown>>;
type Renamed = Readonly<Record<string, (value: unknown, settings: Settings) => Readonly<Record<string, Value>>>>;

const number = (value: unknown): number => z.number().parse(value);
const as = (name: string) => (value: unknown) => ({ [name]: number(value) });
const betas = (value: unknown) => {
  const [beta1, beta2] = z.tuple([z.number(), z.number()]).parse(value);
  return { beta1, beta2 };
};
/** A flag of the reference that must have the value it has here. */
const always = (expected: unknown) => (value: unknown) => {
  if (value !== expected) throw new Error(`only ${JSON.stringify(expected)} is known here, not ${JSON.stringify(value)}`);
  return {};
};
const epsilon = (value: unknown) => ({ logEps: Math.log10(number(value)) });
const flag = (name: string) => (value: unknown) => ({ [name]: z.boolean().parse(value) });
const growth = (value: unknown) => ({ growthRate: value === null || value === "inf" ? null : number(value) });
const coupled = { weightDecayAs: "coupled" } as const;
const decayAs = (value: unknown) => ({ weightDecayAs: z.boolean().parse(value) ? "decoupled" : "coupled" });

/** How the settings of each reference are named here. */
const rules: readonly { readonly reference: RegExp; readonly fixed: Readonly<Record<string, Value>>; readonly settings: Renamed }[] = [
  {
    reference: /^torch\.optim\.SGD\b/,
    fixed: { optimizer: "sgd", alpha: 0.001, ...coupled },
    settings: { lr: as("alpha"), momentum: as("mu"), dampening: as("dampening"), nesterov: flag("nesterov"), weight_decay: as("weightDecay") },
  },
  {
    reference: /^torch\.optim\.Adam$/,
    fixed: { optimizer: "adam", convention: "pytorch", ...coupled },
    settings: { lr: as("alpha"), betas, eps: epsilon, weight_decay: as("weightDecay"), amsgrad: flag("amsgrad") },
  },
  {
    reference: /^torch\.optim\.AdamW$/,
    fixed: { optimizer: "adam", convention: "pytorch", weightDecay: 0.01 },
    settings: { lr: as("alpha"), betas, eps: epsilon, weight_decay: as("weightDecay"), amsgrad: flag("amsgrad") },
  },
  {
    reference: /^torch\.optim\.NAdam\(decoupled_weight_decay=True\)$/,
    fixed: { optimizer: "nAdam" },
    settings: { lr: as("alpha"), betas, eps: epsilon, weight_decay: as("weightDecay"), momentum_decay: as("momentumDecay") },
  },
  {
    reference: /^torch\.optim\.NAdam$/,
    fixed: { optimizer: "nAdam", ...coupled },
    settings: { lr: as("alpha"), betas, eps: epsilon, weight_decay: as("weightDecay"), momentum_decay: as("momentumDecay"), decoupled_weight_decay: decayAs },
  },
  { reference: /^torch\.optim\.Adagrad$/, fixed: { optimizer: "adaGrad", convention: "pytorch" }, settings: { lr: as("alpha"), lr_decay: always(0), eps: always(1e-10), initial_accumulator_value: always(0), weight_decay: always(0) } },
  {
    reference: /^torch\.optim\.RMSprop$/,
    fixed: { optimizer: "rmsProp", convention: "pytorch" },
    settings: { lr: as("alpha"), alpha: as("gamma"), eps: always(1e-8), momentum: always(0), centered: always(false), weight_decay: always(0) },
  },
  { reference: /^lion_pytorch\.Lion$/, fixed: { optimizer: "lion" }, settings: { lr: as("alpha"), betas, weight_decay: as("weightDecay") } },
  {
    reference: /^schedulefree\.SGDScheduleFree$/,
    fixed: { optimizer: "scheduleFreeSgd" },
    settings: { lr: as("alpha"), momentum: as("beta1"), warmup_steps: always(0), weight_decay: as("weightDecay"), r: always(0), weight_lr_power: always(2) },
  },
  {
    reference: /^schedulefree\.AdamWScheduleFree$/,
    fixed: { optimizer: "scheduleFreeAdam" },
    settings: { lr: as("alpha"), betas, eps: epsilon, warmup_steps: always(0), weight_decay: as("weightDecay"), r: always(0), weight_lr_power: always(2) },
  },
  {
    reference: /^prodigyopt\.Prodigy$/,
    fixed: { optimizer: "prodigy" },
    settings: { lr: as("alpha"), d0: as("d0"), betas, eps: epsilon, weight_decay: as("weightDecay"), decouple: decayAs, use_bias_correction: flag("biasCorrection"), growth_rate: growth, d_coef: always(1), beta3: always(null), safeguard_warmup: always(false) },
  },
  {
    reference: /^dadaptation\.DAdaptSGD$/,
    fixed: { optimizer: "dAdaptSgd" },
    settings: { lr: as("alpha"), d0: as("d0"), momentum: as("mu"), weight_decay: as("weightDecay"), growth_rate: growth },
  },
  {
    reference: /^dadaptation\.DAdaptAdam$/,
    fixed: { optimizer: "dAdaptAdam", ...coupled },
    settings: { lr: as("alpha"), d0: as("d0"), betas, eps: epsilon, weight_decay: as("weightDecay"), decouple: decayAs, use_bias_correction: flag("biasCorrection"), growth_rate: growth },
  },
  {
    reference: /^dog\.(L?DoG)\b/,
    fixed: {},
    settings: { reps_rel: as("firstMove"), lr: as("alpha"), weight_decay: as("weightDecay"), eps: always(1e-8), init_eta: always(null), gamma: as("averaging") },
  },
  {
    reference: /^optax\.contrib\.muon\b/,
    fixed: { optimizer: "muon", matrixScale: "columns" },
    settings: {
      learning_rate: as("alpha"),
      beta: as("beta"),
      eps: epsilon,
      weight_decay: as("weightDecay"),
      nesterov: (value) => ({ momentumAs: z.boolean().parse(value) ? "nesterov" : "plain" }),
      ns_steps: as("newtonSchulzSteps"),
      adam_b1: as("beta1"),
      adam_b2: as("beta2"),
      adam_weight_decay: as("adamWeightDecay"),
      adam_learning_rate: (value, { learning_rate }) => ({ adamScale: value === null ? 1 : number(value) / number(learning_rate) }),
      consistent_rms: (value) => ({ consistentRms: value === null ? null : number(value) }),
      adaptive: always(false),
      preconditioning: always("frobenius"),
      adam_eps_root: always(0),
    },
  },
  {
    reference: /^optax\.contrib\.dowg$/,
    fixed: { optimizer: "dowg" },
    settings: {
      learning_rate: as("alpha"),
      // Without a first distance, its square is epsilon.
      eps: (value, { init_estim_sq_dist: first = null }) => ({ ...epsilon(value), d0: Math.sqrt(number(first ?? value)) }),
      init_estim_sq_dist: (value, { eps = 1e-4 }) => ({ d0: Math.sqrt(number(value ?? eps)) }),
      weight_decay: (value) => ({ weightDecay: value === null ? 0 : number(value) }),
    },
  },
  {
    reference: /^optax\.lamb$/,
    fixed: { optimizer: "lamb" },
    settings: { learning_rate: as("alpha"), b1: as("beta1"), b2: as("beta2"), eps: epsilon, eps_root: always(0), weight_decay: as("weightDecay") },
  },
  {
    reference: /^momo\.Momo$/,
    fixed: { optimizer: "moMo" },
    settings: { lr: as("alpha"), beta: as("beta1"), lb: as("lowerBound"), weight_decay: as("weightDecay"), bias_correction: always(false), use_fstar: always(false) },
  },
  {
    reference: /^momo\.MomoAdam$/,
    fixed: { optimizer: "moMoAdam" },
    settings: { lr: as("alpha"), betas, eps: epsilon, lb: as("lowerBound"), weight_decay: as("weightDecay"), divide: always(true), use_fstar: always(false) },
  },
];

/** The step size's schedule of PyTorch's schedulers, and the settings that are the optimizer's. */
const schedulers: readonly {
  readonly scheduler: RegExp;
  readonly split: (settings: ReferenceCase["settings"]) => { readonly pieces: readonly PieceInput[]; readonly settings: ReferenceCase["settings"] };
}[] = [
  {
    scheduler: /^SequentialLR\(LinearLR, CosineAnnealingLR\)$/,
    split: ({ warmup, start_factor = 1 / 3, eta_min = 0, ...settings }) => ({
      settings,
      pieces: [
        { kind: "warmUp", from: number(start_factor), until: number(warmup) },
        { kind: "cosine", to: number(eta_min) / number(settings["lr"]) },
      ],
    }),
  },
  { scheduler: /^CosineAnnealingLR$/, split: ({ total, eta_min = 0, ...settings }) => ({ settings, pieces: [{ kind: "cosine", to: number(eta_min) / number(settings["lr"]), until: number(total) }] }) },
  { scheduler: /^LinearLR\(1, 0\)$/, split: ({ total, start_factor = 1, end_factor = 0, ...settings }) => ({ settings, pieces: [{ kind: "linear", from: number(start_factor), to: number(end_factor), until: number(total) }] }) },
  { scheduler: /^PolynomialLR$/, split: ({ total, power = 1, ...settings }) => ({ settings, pieces: [{ kind: "polynomial", power: number(power), until: number(total) }] }) },
  {
    scheduler: /^MultiStepLR$/,
    split: ({ milestones, gamma = 0.1, ...settings }) => ({ settings, pieces: [{ kind: "step", at: numbers.parse(milestones), factor: number(gamma) }] }),
  },
  {
    // Its scheduler was made for one step more than the trace has, so that it ends after the last one.
    scheduler: /^OneCycleLR\(cycle_momentum=False\)$/,
    split: ({ max_lr, total, pct_start = 0.3, div_factor = 25, final_div_factor = 1e4, ...settings }) => {
      const last = number(total);
      const from = 1 / number(div_factor);
      return {
        settings: { ...settings, lr: number(max_lr) },
        pieces: [{ kind: "oneCycle", from, to: from / number(final_div_factor), warmUp: (number(pct_start) * (last + 1) - 1) / last, until: last }],
      };
    },
  },
];

/** `dog.LDoG with PolynomialDecayAverager(gamma=8)`; nothing is averaged where the reference names no averager. */
function dogOf(reference: string): Readonly<Record<string, Value>> {
  const gamma = /PolynomialDecayAverager\(gamma=([\d.]+)\)/.exec(reference)?.[1];
  return { optimizer: reference.startsWith("dog.L") ? "lDog" : "dog", averaging: gamma === undefined ? null : Number(gamma) };
}

/** Settings of Mechanic in its package: `mechanize(torch.optim.SGD)`; other settings are those of the optimizer that it tunes. */
const mechanic: Renamed = {
  s_init: as("sInit"),
  s_decay: as("sDecay"),
  eps: (value) => ({ sLogEps: Math.log10(number(value)) }),
  betas: (value) => ({ mechanicBetas: numbers.parse(value) }),
  store_delta: (value) => ({ mechanicUpdates: z.boolean().parse(value) ? "stored" : "recomputed" }),
};

/** The level of an optimizer that Mechanic tunes. Settings of the optimizer that Mechanic has too begin with `base_`. */
function mechanizedLevel(reference: string, settings: Settings): LevelInput {
  const isOwn = (name: string) => Object.hasOwn(mechanic, name);
  const own = Object.entries(settings).filter(([name]) => isOwn(name)).map(([name, value]) => mechanic[name]!(value, settings));
  const base = Object.fromEntries(Object.entries(settings).filter(([name]) => !isOwn(name)).map(([name, value]) => [name.replace(/^base_/, ""), value]));
  // Its cases were recorded without weight decay where they do not name one.
  const of = referenceLevel({ reference, settings: reference === "torch.optim.AdamW" ? { weight_decay: 0, ...base } : base });
  return Object.assign({}, of, { mechanic: true, mechanicUpdates: "recomputed" }, ...own) as LevelInput;
}

/** @throws Error naming a reference or a setting that is not known here */
export function referenceLevel({ reference: whole, settings: all }: Pick<ReferenceCase, "reference" | "settings">): LevelInput {
  const [, wrapped] = /^mechanize\((.+)\)$/.exec(whole) ?? [];
  if (wrapped !== undefined) return mechanizedLevel(wrapped, all);
  const [name = "", scheduler] = whole.split("; ");
  const found = schedulers.find((one) => scheduler !== undefined && one.scheduler.test(scheduler));
  if (scheduler !== undefined && !found) throw new Error(`unknown scheduler ${scheduler}`);
  const reference = found ? `torch.optim.${name}` : whole;
  const { pieces, settings } = found ? found.split(all) : { pieces: [], settings: all };
  const rule = rules.find((one) => one.reference.test(reference));
  if (!rule) throw new Error(`unknown reference ${reference}`);
  const fixed = reference.startsWith("dog.") ? { ...rule.fixed, ...dogOf(reference) } : rule.fixed;
  const given = Object.entries(settings).map(([name, value]) => {
    const renamed = rule.settings[name];
    if (!renamed) throw new Error(`unknown setting ${name} of ${reference}`);
    try {
      return renamed(value, settings);
    } catch (error) {
      throw new Error(`setting ${name} of ${reference}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  });
  return Object.assign({}, fixed, ...given, found ? { schedules: { alpha: { unit: "steps", pieces } } } : {}) as LevelInput;
}

/** Replays one case and compares losses, the final weights and loss, and those that the method evaluates with. */
export function replayReference(data: Problem, traced: ReferenceCase): Difference {
  const { task, inputs, batchSize, initialParameters } = problemTask(data);
  const bottom = level.parse(referenceLevel(traced));
  const training = buildTrainingProgram({
    task,
    levels: [scheduledLevel(bottom, { stepsPerEpoch: traced.steps, totalSteps: traced.steps })],
    batchSizes: [batchSize],
    evaluationBatchSizes: [batchSize],
    hypergradients: "moving",
  });
  const engine = new ReferenceExecutable(training.program);
  engine.restore(training.initialState(initialParameters));
  const outputs = Array.from({ length: traced.steps }, (_, t) => ({ ...engine.runNow(`${t === 0 ? "begin" : "step"}@${batchSize}`, inputs) }));
  const losses = outputs.map(({ loss }) => loss!);
  engine.runNow("settle");
  const evaluated = { loss: engine.runNow(`evaluate@${batchSize}`, inputs)["loss"]! / batchSize, parameters: training.parametersOf(engine.stateNow()) };
  // One more step first applies the last update.
  const ended = engine.runNow(`step@${batchSize}`, inputs);
  const finalLoss = ended["loss"]!;
  const state = engine.stateNow();
  const final = training.parametersOf({ ...state, ...Object.fromEntries(training.settledState.map((name) => [name, state[name.replace(/^settled\./, "")]!])) });

  const comparison = new Comparison();
  comparison.series((t) => `loss at step ${t}`, losses, traced.loss);
  // Update t is what the row after step t was measured with.
  if (traced.lr) comparison.series((t) => `lr at step ${t}`, [...outputs.slice(1), ended].map((row) => row[inForceMetric("alpha")] ?? initialValue(bottom, "alpha")), traced.lr);
  comparison.series(() => "final loss", [finalLoss], [traced.finalLoss]);
  const compare = (what: string, ours: typeof final, theirs: z.infer<typeof parameters>) => {
    for (const [name, value] of Object.entries(theirs)) comparison.series((i) => `${what} ${name}[${i}]`, [...ours[name]!], value.flat());
  };
  compare("final", final, traced.finalParams);
  if (traced.evalLoss !== undefined) comparison.series(() => "evaluated loss", [evaluated.loss], [traced.evalLoss]);
  if (traced.evalParams) compare("evaluated", evaluated.parameters, traced.evalParams);
  return comparison.worst;
}
