/** Fleets for the window and the command line: what is there, who trains it, and requests to them. */
import type { WorkerState } from "../../shared/fleet/worker.ts";
import type { Coordinator, FleetView } from "../fleet/coordinator/coordinator.ts";
import { FleetError } from "../fleet/fleet.ts";
import { withoutPassword } from "../fleet/name.ts";
import type { Studies } from "../studies/studies.ts";
import { UserError } from "./services.ts";

/** Requests are refused with a UserError that says why. */
export interface FleetServices {
  /** Fleets that have units or were used since the start, with their units in flight, waiting and failed. */
  list(): FleetView[];
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

export function fleetServices(coordinator: Coordinator, studies: Studies): FleetServices {
  return {
    list: () => coordinator.list().map((view) => ({ ...view, name: withoutPassword(view.name), units: view.units.map((unit) => ({ ...unit, fleet: withoutPassword(unit.fleet) })) })),
    workers: (fleet) => refusing(() => coordinator.workers(fleet)),
    drain: (fleet, worker, draining) => refusing(() => coordinator.drain(fleet, worker, draining)),
    cancel: (units) => refusing(() => coordinator.cancel(units)),
    retry: (units) =>
      refusing(async () => {
        for (const study of coordinator.retry(units)) await studies.retry(study);
      }),
    attach: () => studies.attach(),
  };
}

/** @throws UserError in place of FleetError */
async function refusing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof FleetError) throw new UserError(error.message, undefined, { cause: error });
    throw error;
  }
}
