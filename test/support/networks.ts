/** Networks of the fixtures, imported as a store has them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readGraph } from "../../src/core/graphs/describe.ts";
import { factsOf } from "../../src/core/networks/facts.ts";
import { encodeNetwork, hashOf, type Network } from "../../src/core/networks/file.ts";
import { placeNetwork, writePending } from "../../src/core/networks/stored.ts";
import type { NetworkFacts } from "../../src/shared/models/network.ts";
import type { StoredNetwork } from "../../src/main/store/networks.ts";

export type FixtureName = "tiny" | "symbols";

export const fixturePath = (name: FixtureName): string => join(import.meta.dirname, `../unit/networks/${name}.onnx`);

export interface Fixture {
  readonly network: Network;
  readonly file: Buffer;
  readonly hash: string;
  readonly facts: NetworkFacts;
  readonly row: StoredNetwork;
}

export function fixture(name: FixtureName): Fixture {
  const network = readGraph(readFileSync(fixturePath(name)), { folder: null });
  const file = encodeNetwork(network);
  const [hash, facts] = [hashOf(file), factsOf(name, network)];
  return { network, file, hash, facts, row: { hash, name, source: `${name}.onnx`, producer: "pytorch 2.15.0", bytes: file.length, createdAt: 1, facts } };
}

/** Puts a network's file into a store's folder. */
export function placeFixture(folder: string, { hash, file }: Fixture): void {
  placeNetwork(folder, hash, writePending(folder, hash, [file]));
}
