/** Names of fleets, as `--on` takes them and a study stores them: `local`, `slurm:PROFILE`, `folder:DIR`, `queue`, `queue:URL`. */
import { isAbsolute, resolve } from "node:path";
import { FleetError } from "./fleet.ts";

export const local = "local";

export type FleetName =
  | { readonly kind: "local" }
  | { readonly kind: "slurm"; readonly profile: string }
  /** Absolute path of a folder that workers share. */
  | { readonly kind: "folder"; readonly folder: string }
  /** `url`: null for the Postgres that Hypertower starts on this machine. */
  | { readonly kind: "queue"; readonly url: string | null };

export const fleetNames = "local, slurm:PROFILE, folder:DIR, queue, or queue:postgres://USER@HOST/DATABASE";

/** @throws FleetError for a name of no kind */
export function parseFleetName(text: string): FleetName {
  const name = text.trim();
  const [, kind, rest] = /^([a-z]+)(?::(.*))?$/s.exec(name) ?? [];
  if (kind === "local" && rest === undefined) return { kind };
  if (kind === "slurm") {
    if (rest !== undefined && /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(rest)) return { kind, profile: rest };
    throw new FleetError(`“${withoutPassword(name)}” names no profile of Slurm. Write slurm:PROFILE with the name of a profile: 1 to 100 letters, digits, “.”, “-” or “_”.`, { retry: false });
  }
  if (kind === "folder") {
    if (rest !== undefined && isAbsolute(rest) && !rest.includes("\n")) return { kind, folder: resolve(rest) };
    throw new FleetError(`“${name}” names no shared folder. Write folder:DIR with an absolute path, which is the same on every machine.`, { retry: false });
  }
  if (kind === "queue") {
    if (rest === undefined || rest === "") return { kind, url: null };
    if (/^postgres(ql)?:\/\//.test(rest) && URL.canParse(rest)) return { kind, url: rest };
    throw new FleetError(`“${withoutPassword(name)}” names no queue. Write queue for the one on this machine, or queue:postgres://USER@HOST/DATABASE.`, { retry: false });
  }
  throw new FleetError(`There is no fleet “${withoutPassword(name)}”. Allowed are ${fleetNames}.`, { retry: false });
}

/** A name as people may see it: without the password of a URL. */
export const withoutPassword = (name: string): string => name.replace(/(:\/\/[^/@\s]*?):[^@/\s]*@/, "$1@");
