/** The file of Slurm profiles in the user's folder for configuration. */
import { mkdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import envPaths from "env-paths";
import { parse, printParseErrorCode, type ParseError } from "jsonc-parser";
import { replaceFile } from "../../../core/durable/files.ts";
import { messageOf } from "../../../shared/errors.ts";
import { slurmProfiles, type SlurmProfile, type SlurmProfiles } from "../../../shared/fleet/profile.ts";
import { FleetError } from "../fleet.ts";

/** HYPERTOWER_SLURM, or `slurm.json` in the system's place for configuration. */
export function profilesPath(env: NodeJS.ProcessEnv = process.env): string {
  const named = env["HYPERTOWER_SLURM"]?.trim();
  return named ? resolve(named) : join(envPaths("hypertower", { suffix: "" }).config, "slurm.json");
}

/** JSON, comments allowed. None where there is no file. @throws FleetError naming what is not valid */
export function readProfiles(path = profilesPath()): SlurmProfiles {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { profiles: {} };
    throw new FleetError(`The Slurm profiles in ${path} cannot be read: ${messageOf(error)}`, { retry: false, cause: error });
  }
  const errors: ParseError[] = [];
  const value: unknown = parse(text.replace(/^\uFEFF/, ""), errors, { allowTrailingComma: true });
  const [wrong] = errors;
  if (wrong) throw new FleetError(`The Slurm profiles in ${path} are not valid JSON: ${printParseErrorCode(wrong.error)} in line ${text.slice(0, wrong.offset).split("\n").length}`, { retry: false });
  const parsed = slurmProfiles.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.map(String).join(".") || "the file"}: ${issue.message}`);
  throw new FleetError(`The Slurm profiles in ${path} are not valid:\n${problems.join("\n")}`, { retry: false });
}

/** @throws FleetError where it cannot be written */
export function writeProfiles(profiles: SlurmProfiles, path = profilesPath()): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    replaceFile(path, `${JSON.stringify(slurmProfiles.parse(profiles), null, 2)}\n`);
  } catch (error) {
    throw new FleetError(`The Slurm profiles could not be written to ${path}: ${messageOf(error)}`, { retry: false, cause: error });
  }
}

/** @throws FleetError where there is none of that name */
export function findProfile(name: string, path = profilesPath()): SlurmProfile {
  const { profiles } = readProfiles(path);
  if (Object.hasOwn(profiles, name)) return profiles[name]!;
  const names = Object.keys(profiles);
  throw new FleetError(`There is no Slurm profile named ${name} in ${path}; ${names.length === 0 ? "it has none: add one" : `it has ${names.join(", ")}`}.`, { retry: false });
}
