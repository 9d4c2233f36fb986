/** `hypertower slurm`: profiles of clusters, the script that they make, and whether Slurm takes it. */
import { FleetError } from "../../fleet/fleet.ts";
import { findProfile, profilesPath, readProfiles } from "../../fleet/slurm/profiles.ts";
import { SlurmFleet } from "../../fleet/slurm/slurmFleet.ts";
import { scriptOf } from "../../fleet/slurm/script.ts";
import { UserError } from "../../services/services.ts";
import { exitCodes } from "../exitCodes.ts";
import { table } from "../format.ts";

export interface SlurmScriptOptions {
  readonly units: number;
  readonly threads: number;
}

export function profiles({ json }: { readonly json?: boolean }): Promise<number> {
  return worded(() => {
    const path = profilesPath();
    const all = readProfiles(path);
    if (json) console.log(JSON.stringify({ path, ...all }));
    else {
      const rows = Object.entries(all.profiles).map(([name, { partition, minutes, atOnce, folder }]) => [name, partition ?? "the cluster's default", `${minutes} min`, atOnce === undefined ? "–" : String(atOnce), folder]);
      console.log(rows.length === 0 ? `no profiles in ${path}` : `${table([["PROFILE", "PARTITION", "TIME", "AT ONCE", "SHARED FOLDER"], ...rows])}\n\n${path}`);
    }
    return Promise.resolve(exitCodes.ok);
  });
}

export function script(name: string, { units, threads }: SlurmScriptOptions): Promise<number> {
  return worded(() => {
    const profile = findProfile(name);
    process.stdout.write(scriptOf({ profile, name: "hypertower-example", folder: `${profile.folder}/arrays/hypertower-example`, units, threads, throttle: profile.atOnce ?? null, exclude: [] }));
    return Promise.resolve(exitCodes.ok);
  });
}

export function check(name: string, { threads }: Pick<SlurmScriptOptions, "threads">): Promise<number> {
  return worded(async () => {
    const fleet = await SlurmFleet.open({ profile: findProfile(name), profileName: name });
    console.log(`Slurm takes jobs of the profile ${name}: ${await fleet.check(threads)}`);
    return exitCodes.ok;
  });
}

/** Errors of a fleet are for people to read. */
async function worded(work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof FleetError) throw new UserError(error.message, undefined, { cause: error });
    throw error;
  }
}
