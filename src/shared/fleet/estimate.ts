/** How long a study takes at a fleet, from its estimate for this machine. */
import type { StudyEstimate } from "../study/result.ts";
import type { FleetInfo } from "./requests.ts";

export interface FleetEstimate {
  /** Programs that train at the same time; null where nothing tells. */
  readonly places: number | null;
  /** Milliseconds of training without waiting; null where it is not known. */
  readonly duration: number | null;
  /** What `places` rests on. */
  readonly from: "atOnce" | "workers" | null;
}

/** Every worker is taken to be as fast as this machine: nothing else was measured. */
export function estimateAt({ atOnce, kind, workers }: Pick<FleetInfo, "atOnce" | "kind" | "workers">, { runs, workers: here, threads, cohort, duration }: StudyEstimate): FleetEstimate {
  const programs = Math.ceil(runs / cohort);
  const placesOf = workers.filter(({ draining }) => !draining).reduce((sum, { machine }) => sum + Math.max(1, Math.floor(machine.cores / threads)), 0);
  // Slurm starts workers for the units that it has; those of the moment say nothing.
  const [places, from] = atOnce !== null ? ([atOnce, "atOnce"] as const) : kind !== "slurm" && placesOf > 0 ? ([placesOf, "workers"] as const) : ([null, null] as const);
  if (places === null || duration === null) return { places, from, duration: null };
  const busy = Math.max(1, Math.min(places, programs));
  // A study of few programs takes as long as one of them.
  return { places, from, duration: (duration * Math.min(here, programs)) / busy };
}
