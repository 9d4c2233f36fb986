/** What a study takes at a fleet, for `hypertower study --dry-run --on`. */
import { estimateAt, type FleetEstimate } from "../../../shared/fleet/estimate.ts";
import type { StudyEstimate } from "../../../shared/study/result.ts";
import { plural } from "../../../shared/text.ts";
import type { Services } from "../../services/services.ts";
import { kindOf } from "../../fleet/known.ts";
import { formatDuration } from "../format.ts";

export interface NamedEstimate {
  readonly fleet: string;
  /** Why the fleet cannot be used at present; null while it can. */
  readonly problem: string | null;
  readonly atFleet: FleetEstimate;
}

/** Submits nothing. */
export async function fleetEstimate(services: Services, name: string, estimate: StudyEstimate): Promise<NamedEstimate> {
  const found = (await services.fleets.describe()).find((fleet) => fleet.name === name);
  if (found) return { fleet: name, problem: found.problem, atFleet: estimateAt(found, estimate) };
  try {
    const workers = [...(await services.fleets.workers(name))];
    return { fleet: name, problem: null, atFleet: estimateAt({ kind: kindOf(name), atOnce: null, workers }, estimate) };
  } catch (error) {
    return { fleet: name, problem: error instanceof Error ? error.message : String(error), atFleet: { places: null, duration: null, from: null } };
  }
}

export function inWords({ fleet, problem, atFleet: { places, from, duration } }: NamedEstimate): string {
  if (problem !== null) return `${fleet} cannot be used at present: ${problem}`;
  if (places === null) return `at ${fleet}: how many train at the same time is not known; the fleet decides`;
  const rests = from === "atOnce" ? "as many as its profile allows" : "as many as its workers have room for";
  return `at ${fleet}: ${plural(places, "program")} at a time, ${rests}: ${duration === null ? "time not known" : `about ${formatDuration(duration)} at this machine's speed, without waiting`}`;
}
