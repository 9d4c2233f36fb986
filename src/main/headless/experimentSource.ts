/** Where `train` gets its experiment: a file, a preset or the defaults, then `--set`. Nothing is written here. */
import { readFile } from "node:fs/promises";
import { parse as locate, type ParseError } from "jsonc-parser";
import { validateExperiment, type Experiment } from "../../shared/experiment.ts";
import { findPreset, presetNames } from "../../shared/presets.ts";
import { UserError } from "../services/services.ts";
import { assign, parseAssignment } from "./setValue.ts";

export interface ExperimentSource {
  readonly file?: string | undefined;
  readonly preset?: string | undefined;
  /** `path=value`, applied in order. */
  readonly set: readonly string[];
}

/**
 * The experiment to train, with every default filled in.
 * @throws UserError naming the file, preset or field that is wrong and what is allowed.
 */
export async function loadExperiment({ file, preset, set }: ExperimentSource): Promise<Experiment> {
  const assignments = set.map(parseAssignment);
  const { input, origin } = await readSource(file, preset);
  const base = validated(input, origin);
  if (assignments.length === 0) return base;
  const changed = assignments.reduce<unknown>(assign, base);
  return validated(changed, `${origin} with ${set.map((text) => `--set ${text}`).join(" ")}`);
}

async function readSource(file: string | undefined, preset: string | undefined): Promise<{ input: unknown; origin: string }> {
  if (file !== undefined && preset !== undefined) {
    throw new UserError(`both an experiment file (${file}) and a preset (${preset}) were given; give one of them`);
  }
  if (file !== undefined) return { input: await readJson(file), origin: file };
  if (preset === undefined) return { input: {}, origin: "the default experiment" };
  const found = findPreset(preset);
  if (!found) throw new UserError(`there is no preset named ${preset}; known presets: ${presetNames.join(", ")}`);
  return { input: found.experiment, origin: `preset ${preset}` };
}

async function readJson(file: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    throw new UserError(`cannot read the experiment file ${file}: ${reason(error)}`, undefined, { cause: error });
  }
  text = text.replace(/^\uFEFF/, "");
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new UserError(`${file}${position(text)} is not valid JSON: ${error instanceof Error ? error.message : String(error)}`, undefined, { cause: error });
  }
}

function reason(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOENT") return "there is no such file";
  if (code === "EISDIR") return "it is a folder";
  if (code === "EACCES" || code === "EPERM") return "this account may not read it";
  return error instanceof Error ? error.message : String(error);
}

/** `:LINE:COLUMN` of the first thing wrong, for JSON.parse does not always say. */
function position(text: string): string {
  const errors: ParseError[] = [];
  locate(text, errors, { disallowComments: true, allowTrailingComma: false, allowEmptyContent: false });
  const [first] = errors;
  if (!first) return "";
  const before = text.slice(0, first.offset).split("\n");
  return `:${before.length}:${before.at(-1)!.length + 1}`;
}

function validated(input: unknown, origin: string): Experiment {
  const result = validateExperiment(input);
  if (result.ok) return result.experiment;
  throw new UserError(`${origin} is not a valid experiment:`, result.errors);
}
