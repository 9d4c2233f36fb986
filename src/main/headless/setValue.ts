/** `--set path=value`: sets one value of an experiment or study by its path. */
import { isDeepStrictEqual } from "node:util";
import { catalogEntry } from "../../shared/catalog/index.ts";
import { ownFacts } from "../../shared/datasets.ts";
import { defaultModel } from "../../shared/experiment.ts";
import { initialOption, optionsOf } from "../../shared/levelOptions.ts";
import { model as modelSchema } from "../../shared/models/schema.ts";
import { findForm, optimizerSpec, type LevelForm, type OptimizerName } from "../../shared/optimizers.ts";
import { publishedAlpha } from "../../shared/tower.ts";
import { clipped } from "../../shared/text.ts";
import { UserError } from "../services/services.ts";

export interface Assignment {
  /** `["tower", "0", "alpha"]` */
  readonly path: readonly string[];
  readonly value: unknown;
}

type Container = Record<string, unknown>;

/** No definition nests deeper; copying one that does would overflow the stack. */
const maxDepth = 100;

function isDeeper(value: unknown, depth: number): boolean {
  return typeof value === "object" && value !== null && (depth === 0 || Object.values(value).some((inner) => isDeeper(inner, depth - 1)));
}

/**
 * Reads `path=value`. The value is JSON (`1e-3`, `true`, `[128, 64]`, `"text"`);
 * anything else is taken as text.
 * @throws UserError when the path or the `=` is missing.
 */
export function parseAssignment(text: string): Assignment {
  const equals = text.indexOf("=");
  const path = equals === -1 ? [] : text.slice(0, equals).trim().split(".");
  if (path.length === 0 || path.some((segment) => segment === "" || segment === "__proto__")) {
    throw new UserError(`--set ${clipped(text)}: expected PATH=VALUE, for example --set tower.0.alpha=1e-3`);
  }
  const raw = text.slice(equals + 1);
  let value: unknown;
  try {
    value = JSON.parse(raw);
  } catch {
    value = raw;
  }
  if (path.length > maxDepth || isDeeper(value, maxDepth)) throw new UserError(`--set ${clipped(text)}: at most ${maxDepth} values may be nested`);
  return { path, value };
}

/**
 * Returns a copy of `target` with the value set. Also sets unknown fields: the
 * validation reports them later.
 * @throws UserError when the path leads beyond the end of a list, or into a plain value.
 */
export function assign(target: unknown, { path, value }: Assignment): unknown {
  const copy = structuredClone(target);
  let at = copy;
  /** Parent of `container`. */
  let parent: Container = {};
  for (const [depth, key] of path.entries()) {
    const container = asContainer(at, path, depth);
    if (depth === path.length - 1) {
      const form = key === "optimizer" ? formOf(value) : undefined;
      if (form) replaceOptimizer(container, form);
      else if (key === "kind" && path.at(-2) === "dataset") replaceDataset(container, value, parent);
      else if (key === "kind" && path.at(-2) === "model") replaceModel(container, value);
      else if (key === "network" && path.at(-2) === "model") replaceNetwork(container, value);
      else container[key] = value;
    } else {
      if (!Object.hasOwn(container, key)) container[key] = {};
      parent = container;
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
      throw new UserError(`--set ${clipped(path.join("."))}: ${clipped(here)} has no entry ${clipped(key)}; ${allowed}`);
    }
    return at as unknown as Container;
  }
  if (typeof at !== "object" || at === null) {
    throw new UserError(`--set ${clipped(path.join("."))}: ${clipped(here) || "the experiment"} is ${clipped(JSON.stringify(at))}, which has no field ${clipped(key)}`);
  }
  return at as Container;
}

const formOf = (name: unknown): LevelForm | undefined => (typeof name === "string" ? findForm(name) : undefined);

/**
 * Replaces the dataset. Sizes that equal the old dataset's full sizes are dropped, other sizes stay.
 * The model stays too, unless it is the default model for the old data.
 */
function replaceDataset(dataset: Container, kind: unknown, experiment: Container): void {
  const old = ownFacts.safeParse(dataset["facts"]).data ?? catalogEntry(String(dataset["kind"]));
  for (const size of ["trainExamples", "testExamples"] as const) if (dataset[size] === old?.[size]) delete dataset[size];
  delete dataset["facts"];
  dataset["kind"] = kind;
  if (old && isDeepStrictEqual(experiment["model"], modelSchema.parse(defaultModel(old.task)))) delete experiment["model"];
}

/** Replaces the model's kind. Another kind has other fields, so it starts from its own defaults. */
function replaceModel(model: Container, kind: unknown): void {
  if (model["kind"] !== kind) for (const field of Object.keys(model)) delete model[field];
  model["kind"] = kind;
}

/** Replaces an imported network; what was recorded of the old one is dropped. */
function replaceNetwork(model: Container, network: unknown): void {
  delete model["facts"];
  model["network"] = network;
}

/** Default hyperparameters and options of an optimizer, by field. */
function defaultsOf(name: OptimizerName): Map<string, unknown> {
  return new Map<string, unknown>([
    ...optimizerSpec(name).hyperparameters.map((spec) => [spec.name, spec.initial] as const),
    ...optionsOf(name).map((spec) => [spec.name, initialOption(spec, publishedAlpha(name))] as const),
  ]);
}

/**
 * Replaces a level's optimizer. Of the old level only fields stay that differ from the
 * old defaults and exist in the new optimizer; `learned` becomes the new default.
 */
function replaceOptimizer(level: Container, form: LevelForm): void {
  const known = defaultsOf(form.optimizer);
  const old = formOf(level["optimizer"]);
  const oldDefaults = old ? defaultsOf(old.optimizer) : new Map<string, unknown>();
  for (const key of Object.keys(level)) {
    if (!oldDefaults.has(key)) continue;
    if (!known.has(key) || isDeepStrictEqual(level[key], oldDefaults.get(key))) delete level[key];
  }
  delete level["learned"];
  level["optimizer"] = form.name;
}
