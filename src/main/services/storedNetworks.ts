/** Imported networks of a store that is not open. */
import { join } from "node:path";
import { storeFileName } from "../store/database.ts";
import { findNetwork, networksOfStore } from "../store/networks.ts";
import type { NetworkCatalog } from "./experiments.ts";

/** @param storeDir folder of the store; read when a network is looked for */
export function storedNetworks(storeDir: string): Pick<NetworkCatalog, "find"> {
  return { find: (named) => findNetwork(networksOfStore(join(storeDir, storeFileName)) ?? [], named) };
}
