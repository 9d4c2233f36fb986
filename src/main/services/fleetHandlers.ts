/** Handlers of the requests about fleets and Slurm profiles. */
import type { Handlers } from "../../shared/contract.ts";
import { profileName, slurmProfile, type SlurmProfile } from "../../shared/fleet/profile.ts";
import type { fleetRequests } from "../../shared/fleet/requests.ts";
import { profilesPath, readProfiles, writeProfiles } from "../fleet/slurm/profiles.ts";
import { scriptOf } from "../fleet/slurm/script.ts";
import { FleetError } from "../fleet/fleet.ts";
import { refusing, type FleetServices } from "./fleets.ts";
import { UserError } from "./services.ts";

export const fleetHandlers = (fleets: FleetServices): Pick<Handlers, keyof typeof fleetRequests> => ({
  "fleets.list": async () => ({ fleets: await fleets.describe(), now: Date.now() }),
  "fleets.drain": ({ fleet, worker, draining }) => fleets.drain(fleet, worker, draining).then(() => null),
  "fleets.cancel": ({ units }) => fleets.cancel(units).then(() => null),
  "fleets.retry": ({ units }) => fleets.retry(units).then(() => null),
  "fleets.profiles": () => {
    try {
      return { file: profilesPath(), ...readProfiles(), problem: null };
    } catch (error) {
      if (!(error instanceof FleetError)) throw error;
      return { file: profilesPath(), profiles: {}, problem: error.message };
    }
  },
  "fleets.saveProfile": ({ name, profile, replace }) =>
    refusing(() => {
      const named = profileName.safeParse(name);
      if (!named.success) throw new UserError("The profile was not saved:", [{ path: "name", message: named.error.issues[0]!.message }]);
      const valid = validProfile(profile, "The profile was not saved:");
      const { profiles } = readProfiles();
      if (!replace && Object.hasOwn(profiles, named.data)) throw new UserError("The profile was not saved:", [{ path: "name", message: "is the name of another profile" }]);
      writeProfiles({ profiles: { ...profiles, [named.data]: valid } });
      return null;
    }),
  "fleets.removeProfile": ({ name }) =>
    refusing(() => {
      const { profiles } = readProfiles();
      if (!Object.hasOwn(profiles, name)) throw new UserError(`There is no Slurm profile named ${name} in ${profilesPath()}.`);
      const used = fleets.list().find((fleet) => fleet.name === `slurm:${name}`);
      if (used && used.units.length > 0) throw new UserError(`The profile ${name} has ${used.units.length} units at the cluster; cancel them first.`);
      const { [name]: _removed, ...rest } = profiles;
      writeProfiles({ profiles: rest });
      return null;
    }),
  "fleets.script": ({ profile, units, threads }) => {
    const valid = validProfile(profile, "There is no script for this profile:");
    return { script: scriptOf({ profile: valid, name: "hypertower-example", folder: `${valid.folder}/arrays/hypertower-example`, units, threads, throttle: valid.atOnce ?? null, exclude: [] }) };
  },
});

function validProfile(profile: unknown, refusal: string): SlurmProfile {
  const parsed = slurmProfile.safeParse(profile);
  if (parsed.success) return parsed.data;
  throw new UserError(refusal, parsed.error.issues.map(({ path, message }) => ({ path: path.map(String).join("."), message })));
}
