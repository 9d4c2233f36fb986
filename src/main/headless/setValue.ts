/** `--set path=value`: changes one value of an experiment by its path. */
import { isDeepStrictEqual } from "node:util";
import { catalogEntry } from "../../shared/catalog/index.ts";
import { ownFacts } from "../../shared/datasets.ts";
import { defaultModel } from "../../shared/experiment.ts";
import { initialOption, optionsOf } from "../../shared/levelOptions.ts";
import { model as modelSchema } from "../../shared/models/schema.ts";
import { findForm, optimizerSpec, type LevelForm, type OptimizerName } from "../../shared/optimizers.ts";
import { publishedAlpha } from "../../shared/tower.ts";
import { UserError } from "../services/services.ts";

export interface Assignment {
  /** `["tower", "0", "alpha"]` */
  readonly path: readonly string[];
  readonly value: unknown;
}

type Container = Record<string, unknown>;

/**
 * Reads `path=value`. The value is JSON (`1e-3`, `true`, `[128, 64]`, `"text"`);
 * what is not JSON is taken as text.
 * @throws UserError when there is no path or no `=`.
 */
export function parseAssignment(text: string): Assignment {
  const equals = text.indexOf("=");
  const path = equals === -1 ? [] : text.slice(0, equals).trim().split(".");
  if (path.length === 0 || path.some((segment) => segment === "" || segment === "__proto__")) {
    throw new UserError(`--set ${text}: expected PATH=VALUE, for example --set tower.0.alpha=1e-3`);
  }
  const raw = text.slice(equals + 1);
  try {
    return { path, value: JSON.parse(raw) as unknown };
  } catch {
    return { path, value: raw };
  }
}

/**
 * A copy of `target` with the value set. Fields nobody knows are set as well: the
 * experiment's validation names them.
 * @throws UserError when the path leads through a list's end or through a plain value.
 */
export function assign(target: unknown, { path, value }: Assignment): unknown {
  const copy = structuredClone(target);
  let at = copy;
  /** What holds the container at hand. */
  let within: Container = {};
  for (const [depth, key] of path.entries()) {
    const container = asContainer(at, path, depth);
    if (depth === path.length - 1) {
      const form = key === "optimizer" ? formOf(value) : undefined;
      if (form) replaceOptimizer(container, form);
      else if (key === "kind" && path.at(-2) === "dataset") replaceDataset(container, value, within);
      else if (key === "kind" && path.at(-2) === "model") replaceModel(container, value);
      else container[key] = value;
    } else {
      if (!Object.hasOwn(container, key)) container[key] = {};
      within = container;
      at = container[key];
    }
  }
  return copy;
}

function asContainer(at: unknown, path: readonly string[], depth: number): Container {
  const here = path.slice(0, depth).join(".");
  const key = path[depth]!;
  if (Array.isArray(at)) {
    const index = Number(key);
    if (!/^\d+$/.test(key) || index >= at.length) {
      const allowed = at.length === 0 ? "the list is empty" : `allowed: 0 to ${at.length - 1}`;
      throw new UserError(`--set ${path.join(".")}: ${here} has no entry ${key}; ${allowed}`);
    }
    return at as unknown as Container;
  }
  if (typeof at !== "object" || at === null) {
    throw new UserError(`--set ${path.join(".")}: ${here || "the experiment"} is ${JSON.stringify(at)}, which has no field ${key}`);
  }
  return at as Container;
}

const formOf = (name: unknown): LevelForm | undefined => (typeof name === "string" ? findForm(name) : undefined);

/**
 * Another dataset has other sizes: those that said "all of the old one" go, one that was chosen stays.
 * So does a model, unless it is the usual one of the old data.
 */
function replaceDataset(dataset: Container, kind: unknown, experiment: Container): void {
  const old = ownFacts.safeParse(dataset["facts"]).data ?? catalogEntry(String(dataset["kind"]));
  for (const size of ["trainExamples", "testExamples"] as const) if (dataset[size] === old?.[size]) delete dataset[size];
  delete dataset["facts"];
  dataset["kind"] = kind;
  if (old && isDeepStrictEqual(experiment["model"], modelSchema.parse(defaultModel(old.task)))) delete experiment["model"];
}

/** Another model has other fields: it begins with its own defaults. */
function replaceModel(model: Container, kind: unknown): void {
  if (model["kind"] !== kind) for (const field of Object.keys(model)) delete model[field];
  model["kind"] = kind;
}

/** Defaults of an optimizer's hyperparameters and options, by field. */
function defaultsOf(name: OptimizerName): Map<string, unknown> {
  return new Map<string, unknown>([
    ...optimizerSpec(name).hyperparameters.map((spec) => [spec.name, spec.initial] as const),
    ...optionsOf(name).map((spec) => [spec.name, initialOption(spec, publishedAlpha(name))] as const),
  ]);
}

/**
 * Another optimizer has other hyperparameters and other defaults: of the old level
 * only what was chosen on purpose and exists in the new one stays, and it learns what
 * the new one learns.
 */
function replaceOptimizer(level: Container, form: LevelForm): void {
  const known = defaultsOf(form.optimizer);
  const old = formOf(level["optimizer"]);
  const oldDefaults = old ? defaultsOf(old.optimizer) : new Map<string, unknown>();
  for (const key of Object.keys(level)) {
    if (!oldDefaults.has(key)) continue;
    if (!known.has(key) || level[key] === oldDefaults.get(key)) delete level[key];
  }
  delete level["learned"];
  level["optimizer"] = form.name;
}
