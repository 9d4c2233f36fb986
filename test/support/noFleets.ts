/** Services without fleets. */
import type { FleetServices } from "../../src/main/services/fleets.ts";

export const noFleets: FleetServices = {
  list: () => [],
  describe: () => Promise.resolve([]),
  nameToStore: (name) => Promise.resolve(name),
  workers: () => Promise.resolve([]),
  drain: () => Promise.resolve(),
  cancel: () => Promise.resolve(),
  retry: () => Promise.resolve(),
  attach: () => Promise.resolve(),
};
