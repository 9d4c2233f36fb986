/** Reads the experiment of `train`, or the study of `study`, from a file, a preset or the defaults, then applies `--set`. Writes nothing. */
import { readFile, stat } from "node:fs/promises";
import { parse as locate, type ParseError } from "jsonc-parser";
import { messageOf } from "../../shared/errors.ts";
import { formatBytes } from "../../shared/format.ts";
import { asNew, validateExperiment, type Experiment, type FieldError } from "../../shared/experiment.ts";
import { findPreset, newExperiment, presetNames } from "../../shared/presets.ts";
import { maxDefinitionBytes } from "../../shared/sharing.ts";
import { findStudyPreset, studyPresetNames } from "../../shared/study/presets.ts";
import { asNewStudy, validateStudy, type Study } from "../../shared/study/study.ts";
import { storedNetworks } from "../services/storedNetworks.ts";
import { storeDirOf } from "./session.ts";
import { isObject, withNetworkFacts, withOwnFacts } from "../services/experiments.ts";
import { UserError } from "../services/services.ts";
import { assign, parseAssignment } from "./setValue.ts";

export interface DefinitionSource {
  readonly file?: string | undefined;
  readonly preset?: string | undefined;
  /** An existing definition in place of file and preset, and its name in messages. */
  readonly given?: { readonly input: unknown; readonly origin: string } | undefined;
  /** Folder of the store, for the networks that are imported there; the default store without it. */
  readonly store?: string | undefined;
  /** `path=value`, applied in order. */
  readonly set: readonly string[];
}

/** A kind of definition: its name in messages, its presets and its default. */
interface DefinitionKind<T> {
  readonly what: "experiment" | "study";
  readonly presets: readonly string[];
  preset(name: string): unknown;
  /** Adds the facts of a user's own data and of an imported network where they are here. */
  withFacts(input: unknown, store: string | undefined): Promise<unknown>;
  /** A new definition gets the latest generator unless it names one. */
  asNew(input: unknown): unknown;
  /** Default definition; undefined where a file or preset is required. */
  readonly fallback?: unknown;
  validate(input: unknown): { readonly ok: true; readonly value: T } | { readonly ok: false; readonly errors: readonly FieldError[] };
}

async function factsIn(input: unknown, store: string | undefined): Promise<unknown> {
  return withNetworkFacts(await withOwnFacts(input), storedNetworks(storeDirOf(store)));
}

const experiments: DefinitionKind<Experiment> = {
  what: "experiment",
  presets: presetNames,
  preset: (name) => findPreset(name)?.experiment,
  withFacts: factsIn,
  asNew,
  fallback: newExperiment,
  validate: (input) => {
    const result = validateExperiment(input);
    return result.ok ? { ok: true, value: result.experiment } : result;
  },
};

const studies: DefinitionKind<Study> = {
  what: "study",
  presets: studyPresetNames,
  preset: (name) => findStudyPreset(name)?.study,
  withFacts: async (input, store) => (isObject(input) && "base" in input ? { ...input, base: await factsIn(input["base"], store) } : input),
  asNew: asNewStudy,
  validate: (input) => {
    const result = validateStudy(input);
    return result.ok ? { ok: true, value: result.study } : result;
  },
};

/**
 * The experiment to train, with every default filled in.
 * @throws UserError naming the file, preset or field that is wrong and what is allowed.
 */
export function loadExperiment(source: DefinitionSource): Promise<Experiment> {
  return load(experiments, source);
}

/** The study to train; it has no default. Contradictions between its runs are not checked here. */
export function loadStudy(source: DefinitionSource): Promise<Study> {
  return load(studies, source);
}

async function load<T>(definition: DefinitionKind<T>, { file, preset, given, set, store }: DefinitionSource): Promise<T> {
  const assignments = set.map(parseAssignment);
  const { input, origin } = given ?? (await readSource(definition, file, preset));
  const base = validated(definition, await definition.withFacts(given ? input : definition.asNew(input), store), origin);
  if (assignments.length === 0) return base;
  const changed = assignments.reduce<unknown>((target, assignment) => assign(target, assignment), base);
  return validated(definition, await definition.withFacts(changed, store), `${origin} with ${set.map((text) => `--set ${text}`).join(" ")}`);
}

async function readSource({ what, presets, preset: find, fallback }: DefinitionKind<unknown>, file: string | undefined, preset: string | undefined): Promise<{ input: unknown; origin: string }> {
  if (file !== undefined && preset !== undefined) {
    throw new UserError(`both ${article(what)} file (${file}) and a preset (${preset}) were given; give one of them`);
  }
  if (file !== undefined) return { input: await readJson(what, file), origin: file };
  if (preset === undefined) {
    if (fallback === undefined) throw new UserError(`give ${article(what)} file, or --preset with one of: ${presets.join(", ")}`);
    return { input: fallback, origin: `the default ${what}` };
  }
  const found = find(preset);
  if (found === undefined) throw new UserError(`there is no preset named ${preset}; known presets: ${presets.join(", ")}`);
  return { input: found, origin: `preset ${preset}` };
}

const article = (what: string) => (what === "experiment" ? `an ${what}` : `a ${what}`);

async function readJson(what: string, file: string): Promise<unknown> {
  let text: string;
  try {
    const found = await stat(file);
    if (found.isFile() && found.size > maxDefinitionBytes) throw new Error(`it has ${formatBytes(found.size)}; at most ${formatBytes(maxDefinitionBytes)} are allowed`);
    text = await readFile(file, "utf8");
  } catch (error) {
    throw new UserError(`cannot read the ${what} file ${file}: ${reason(error)}`, undefined, { cause: error });
  }
  text = text.replace(/^\uFEFF/, "");
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new UserError(`${file}${position(text)} is not valid JSON: ${messageOf(error)}`, undefined, { cause: error });
  }
}

function reason(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOENT") return "the file does not exist";
  if (code === "EISDIR") return "it is a folder";
  if (code === "EACCES" || code === "EPERM") return "permission denied";
  return messageOf(error);
}

/** `:LINE:COLUMN` of the first syntax error, because JSON.parse does not always name it. */
function position(text: string): string {
  const errors: ParseError[] = [];
  try {
    locate(text, errors, { disallowComments: true, allowTrailingComma: false, allowEmptyContent: false });
  } catch {
    return ""; // nested too deeply for this parser's stack
  }
  const [first] = errors;
  if (!first) return "";
  const before = text.slice(0, first.offset).split("\n");
  return `:${before.length}:${before.at(-1)!.length + 1}`;
}

function validated<T>({ what, validate }: DefinitionKind<T>, input: unknown, origin: string): T {
  const result = validate(input);
  if (result.ok) return result.value;
  throw new UserError(`${origin} is not a valid ${what}:`, result.errors);
}
