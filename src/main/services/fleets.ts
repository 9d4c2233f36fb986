/** Fleets for the window and the command line: what is there, who trains it, and requests to them. */
import type { FleetInfo } from "../../shared/fleet/requests.ts";
import type { WorkerState } from "../../shared/fleet/worker.ts";
import type { Coordinator, FleetView } from "../fleet/coordinator/coordinator.ts";
import { FleetError } from "../fleet/fleet.ts";
import { fleetNames, fleetToStore, isAskedUnused, kindOf, knownFleets, lacking, wordsOf } from "../fleet/known.ts";
import { withoutPassword } from "../fleet/name.ts";
import type { Studies } from "../studies/studies.ts";
import { UserError } from "./services.ts";

/** Requests are refused with a UserError that says why. */
export interface FleetServices {
  /** Fleets that have units or were used since the start, with their units in flight, waiting and failed. */
  list(): FleetView[];
  /** Fleets that are set up, have units or were used, with their workers. Waits for slow ones some seconds at most. */
  describe(): Promise<FleetInfo[]>;
  /** Name under which a study keeps its fleet: without a password. */
  nameToStore(name: string): Promise<string>;
  /** Workers that gave a sign of life lately. */
  workers(fleet: string): Promise<readonly WorkerState[]>;
  /** A worker takes no further unit, or does again. */
  drain(fleet: string, worker: string, draining: boolean): Promise<void>;
  /** Ends units; their runs are stopped and go on when their study is resumed. Failed units are forgotten. */
  cancel(units: readonly string[]): Promise<void>;
  /** Trains what failed units lack again, in new ones. */
  retry(units: readonly string[]): Promise<void>;
  /** Goes on with studies that an earlier host left at fleets: for hosts that stay, once they serve. */
  attach(): Promise<void>;
}

interface FleetPlace {
  readonly storeFolder: string;
  /** Name of a study; null for none. */
  readonly nameOf: (study: string) => string | null;
}

/** Milliseconds. */
const answerWithin = 4_000;

export function fleetServices(coordinator: Coordinator, studies: Pick<Studies, "retry" | "attach">, { storeFolder, nameOf }: FleetPlace): FleetServices {
  /** Fleets by the name that people see; the coordinator may know a queue by a URL with its password. */
  const own = (name: string) => coordinator.list().find((view) => withoutPassword(view.name) === name)?.name ?? name;
  const list = () => coordinator.list().map((view) => ({ ...view, name: withoutPassword(view.name), units: view.units.map((unit) => ({ ...unit, fleet: withoutPassword(unit.fleet) })) }));
  return {
    list,
    async describe() {
      const known = knownFleets();
      const used = new Map(list().map((view) => [view.name, view]));
      const names = fleetNames(known, [...used.keys()]);
      return Promise.all(
        names.map(async (name): Promise<FleetInfo> => {
          const lacks = used.has(name) ? null : lacking(name);
          const asked = lacks !== null ? { workers: [], problem: lacks } : used.has(name) || isAskedUnused(name) ? await inTime(coordinator.workers(own(name))) : { workers: [], problem: null };
          const units = (used.get(name)?.units ?? []).map(({ fleet: _fleet, ...unit }) => ({ ...unit, studyName: nameOf(unit.study) }));
          const problem = asked.problem ?? used.get(name)?.problem ?? null;
          return { name, kind: kindOf(name), problem: problem === null ? null : withoutPassword(problem), workers: asked.workers, units, atOnce: known.find((fleet) => fleet.name === name)?.profile?.atOnce ?? null };
        }),
      );
    },
    nameToStore: (name) => refusing(() => fleetToStore(name, storeFolder)),
    workers: (fleet) => refusing(() => coordinator.workers(own(fleet))),
    drain: (fleet, worker, draining) => refusing(() => coordinator.drain(own(fleet), worker, draining)),
    cancel: (units) => refusing(() => coordinator.cancel(units)),
    retry: (units) =>
      refusing(async () => {
        for (const study of coordinator.retry(units)) await studies.retry(study);
      }),
    attach: () => studies.attach(),
  };
}

/** Workers of a fleet, or why they are not known. */
async function inTime(asking: Promise<readonly WorkerState[]>): Promise<{ workers: WorkerState[]; problem: string | null }> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it does not answer within ${answerWithin / 1000} s`)), answerWithin);
  });
  try {
    return { workers: [...(await Promise.race([asking, late]))], problem: null };
  } catch (error) {
    return { workers: [], problem: wordsOf(error) };
  } finally {
    clearTimeout(timer);
  }
}

/** @throws UserError in place of FleetError */
export async function refusing<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof FleetError) throw new UserError(withoutPassword(error.message), undefined, { cause: error });
    throw error;
  }
}
