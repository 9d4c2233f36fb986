/** Fleets that this machine is set up for, and passwords that stay on it. */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { ExtraMissing, packageFolder } from "../../core/extras/index.ts";
import { messageOf } from "../../shared/errors.ts";
import type { SlurmProfile } from "../../shared/fleet/profile.ts";
import { parseFleetName, withoutPassword } from "./name.ts";
import { passwordless } from "./queue/address.ts";
import { postgresPackage } from "./queue/binaries.ts";
import { keepPassword } from "./queue/passwords.ts";
import { readProfiles } from "./slurm/profiles.ts";

export interface KnownFleet {
  /** Without a password. */
  readonly name: string;
  readonly profile: SlurmProfile | null;
}

/** The queue that HYPERTOWER_QUEUE names, with its password; null for none. */
function ownQueue(env: NodeJS.ProcessEnv): string | null {
  const url = env["HYPERTOWER_QUEUE"]?.trim();
  return url !== undefined && /^postgres(ql)?:\/\//.test(url) && URL.canParse(url) ? url : null;
}

/** Slurm profiles, the queue of HYPERTOWER_QUEUE, and the one on this machine. A file of profiles that cannot be read counts as empty. */
export function knownFleets(env: NodeJS.ProcessEnv = process.env): KnownFleet[] {
  const url = ownQueue(env);
  const queues = url === null ? ["queue"] : [`queue:${passwordless(url)}`, "queue"];
  return [...profilesOr(env).map(([name, profile]) => ({ name: `slurm:${name}`, profile })), ...queues.map((name) => ({ name, profile: null }))];
}

function profilesOr(env: NodeJS.ProcessEnv): [string, SlurmProfile][] {
  try {
    return Object.entries(readProfiles(env["HYPERTOWER_SLURM"]?.trim() || undefined).profiles);
  } catch {
    // The list of profiles says what is wrong with the file.
    return [];
  }
}

/**
 * The name under which a study keeps its fleet: a URL without its password, which goes into a file of this user. The
 * password of the queue that HYPERTOWER_QUEUE names need not be given.
 * @throws FleetError for a name of no kind
 */
export async function fleetToStore(name: string, storeFolder: string, env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const parsed = parseFleetName(name);
  if (parsed.kind !== "queue" || parsed.url === null) return name.trim();
  const own = ownQueue(env);
  const bare = passwordless(parsed.url);
  await keepPassword(own !== null && parsed.url === bare && passwordless(own) === bare ? own : parsed.url, storeFolder);
  return `queue:${bare}`;
}

/** Fleets in the order in which they are shown, each once. */
export function fleetNames(known: readonly KnownFleet[], used: readonly string[]): string[] {
  return [...new Set([...known.map(({ name }) => name), ...used.map(withoutPassword)])];
}

/** Whether asking a fleet for its workers is cheap enough to do it unasked: the queue on this machine would be started by it. */
export const isAskedUnused = (name: string): boolean => name !== "queue";

/** Why a fleet cannot be used whatever it answers: a program that this machine lacks. Null for none. Starts nothing. */
export function lacking(name: string, env: NodeJS.ProcessEnv = process.env): string | null {
  if (name === "queue") return packageFolder(postgresPackage()) === null ? `A queue on this machine needs PostgreSQL. ${new ExtraMissing(postgresPackage()).message}` : null;
  if (!name.startsWith("slurm:")) return null;
  const missing = (["sbatch", "squeue", "scancel"] as const).filter((program) => !isOnPath(program, env));
  return missing.length === 0 ? null : `Slurm’s ${missing.join(", ")} ${missing.length === 1 ? "is" : "are"} not on the PATH: start Hypertower on a login node of the cluster (hypertower serve).`;
}

function isOnPath(program: string, env: NodeJS.ProcessEnv): boolean {
  return (env["PATH"] ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return folder !== "";
    } catch {
      return false;
    }
  });
}

export const kindOf = (name: string): "slurm" | "folder" | "queue" => {
  const { kind } = parseFleetName(name);
  return kind === "local" ? "folder" : kind;
};

export const wordsOf = (error: unknown): string => withoutPassword(messageOf(error));
