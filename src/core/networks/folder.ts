/** Files of imported networks in a folder, named by their SHA-256. */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { networkHash } from "../../shared/models/network.ts";
import { formatBytes } from "../../shared/format.ts";
import { decodeNetwork, hashOf, maxNetworkBytes, NetworkError, type Network } from "./file.ts";

export const networkSuffix = ".network";

/** Folder of networks beside a store. */
export const networksFolder = (storeFolder: string): string => join(storeFolder, "networks");

/** @throws Error when the hash is none: no path outside the folder is ever touched */
export function networkFile(folder: string, hash: string): string {
  if (!networkHash.test(hash)) throw new Error(`${JSON.stringify(hash)} is not the SHA-256 of a network`);
  return join(folder, `${hash}${networkSuffix}`);
}

/** @throws NetworkError when the file is missing or is not what its name says */
export async function readNetworkFile(folder: string, hash: string): Promise<Uint8Array> {
  const path = networkFile(folder, hash);
  const found = await stat(path).catch(() => undefined);
  if (!found) throw new NetworkError(`the network ${hash.slice(0, 12)} is not here: ${path} is missing; import it again`);
  if (found.size > maxNetworkBytes) throw new NetworkError(`${path} has ${formatBytes(found.size)}; a network has at most ${formatBytes(maxNetworkBytes)}`);
  const bytes = await readFile(path);
  if (hashOf(bytes) !== hash) throw new NetworkError(`${path} is damaged: its SHA-256 is not its name; import the network again`);
  return bytes;
}

/** The latest network of this process; the next run is likely to use the same. */
let held: { readonly of: string; readonly network: Promise<Network> } | undefined;

/** @throws NetworkError saying what is wrong with the file */
export function loadNetwork(folder: string, hash: string): Promise<Network> {
  const of = networkFile(folder, hash);
  if (held?.of !== of) held = { of, network: readNetworkFile(folder, hash).then(decodeNetwork) };
  // Retry next time: a file that could not be read may exist by then.
  held.network.catch(() => (held = undefined));
  return held.network;
}
