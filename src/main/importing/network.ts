/** Reads an ONNX file and writes it aside as a network of a store. */
import { readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { messageOf } from "../../shared/errors.ts";
import { formatBytes } from "../../shared/format.ts";
import type { NetworkFacts } from "../../shared/models/network.ts";
import { readGraph } from "../../core/graphs/describe.ts";
import type { Fillings } from "../../core/graphs/fill.ts";
import type { Ties } from "../../core/graphs/ties.ts";
import { factsOf } from "../../core/networks/facts.ts";
import { encodeNetwork, hashOf, maxNetworkBytes } from "../../core/networks/file.ts";
import { writePending } from "../../core/networks/stored.ts";

export interface NetworkOrder {
  /** ONNX file. */
  readonly path: string;
  /** Folder of the store. */
  readonly folder: string;
  /** Output to train; the first by default. */
  readonly output?: string | undefined;
  /** Arrays that are one parameter, by name. */
  readonly ties?: Ties | undefined;
  /** What inputs beside the examples hold, by name. */
  readonly fillings?: Fillings | undefined;
}

export interface WrittenNetwork {
  readonly hash: string;
  /** The file that was written, to be put in place. */
  readonly pending: string;
  readonly bytes: number;
  readonly producer: string;
  readonly facts: NetworkFacts;
  readonly warnings: readonly string[];
}

/** @throws Error naming the file and what of it cannot be taken; nothing is written then */
export async function importNetwork({ path, folder, output, ties, fillings }: NetworkOrder): Promise<WrittenNetwork> {
  try {
    const { size } = await stat(path);
    if (size > maxNetworkBytes) throw new Error(`it has ${formatBytes(size)}; at most ${formatBytes(maxNetworkBytes)} are allowed`);
    const graph = readGraph(await readFile(path), { folder: dirname(path), ...(output === undefined ? {} : { output }), ...(ties ? { ties } : {}), ...(fillings ? { fillings } : {}) });
    const facts = factsOf("", graph);
    const file = encodeNetwork(graph);
    const hash = hashOf(file);
    const { name, version } = graph.description.producer;
    return { hash, pending: writePending(folder, hash, [file]), bytes: file.length, producer: `${name} ${version}`.trim(), facts, warnings: graph.warnings };
  } catch (error) {
    throw new Error(`${path} cannot be imported: ${messageOf(error)}`, { cause: error });
  }
}
