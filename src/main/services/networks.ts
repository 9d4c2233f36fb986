/** The networks service: imported networks of a store, which experiments name by the SHA-256 of their files. */
import { rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, extname } from "node:path";
import { messageOf } from "../../shared/errors.ts";
import type { Experiment } from "../../shared/experiment.ts";
import { parametersOn } from "../../shared/models/data.ts";
import { weightCount } from "../../shared/models/described.ts";
import { maxShownNodes, type NetworkDetail, type NetworkImport, type NetworkImportRequest, type NetworkInfo, type NetworkPicture } from "../../shared/networks.ts";
import { drawnNodes } from "../../core/networks/facts.ts";
import { decodeDescription, decodeNetwork } from "../../core/networks/file.ts";
import { networkFile, networksFolder } from "../../core/networks/folder.ts";
import { ImportRunner, type LaunchImporter } from "../hosting/importRunner.ts";
import type { NetworkOrder, WrittenNetwork } from "../importing/network.ts";
import { networkBytes, placeNetwork, removePendingNetworks } from "../../core/networks/stored.ts";
import { findNetwork, type StoredNetwork } from "../store/networks.ts";
import type { Store } from "../store/store.ts";
import type { NetworkCatalog } from "./experiments.ts";
import { UserError } from "./services.ts";

export interface NetworksOptions {
  readonly store: Pick<Store, "networks" | "requireWritable" | "readOnly">;
  /** Folder of the store. */
  readonly folder: string;
  /** Launches processes that read files from elsewhere; without it, this process reads them. */
  readonly launch?: LaunchImporter | undefined;
  readonly onChange: () => void;
}

/** Maximum number of networks of a store. */
const maxNetworks = 1_000;

export class Networks implements NetworkCatalog {
  readonly #options: NetworksOptions;
  readonly #runner: ImportRunner | null;

  constructor(options: NetworksOptions) {
    this.#options = options;
    this.#runner = options.launch ? new ImportRunner({ launch: options.launch }) : null;
    if (options.store.readOnly === null) removePendingNetworks(options.folder);
  }

  find(named: string): StoredNetwork | undefined {
    return findNetwork(this.#options.store.networks.list(), named);
  }

  problem({ network }: { readonly network: string }): string | null {
    const found = this.#options.store.networks.get(network);
    if (!found) return `there is no imported network ${network.slice(0, 12)} here: import it first (hypertower models lists what there is)`;
    return this.#problemOf(found);
  }

  startingProblem({ weights, ...of }: Pick<Experiment, "model" | "dataset" | "weights">): string | null {
    if (!weights) return null;
    const found = this.#options.store.networks.get(weights.stored);
    if (!found) return `the weights of ${weights.file} are not here: choose the file again`;
    const problem = this.#problemOf(found);
    if (problem !== null) return problem;
    const here = new Map(found.facts.layers.flatMap(({ parameters }) => parameters).map(({ name, shape }) => [name, shape.join(" × ")]));
    const fresh = new Set(weights.fresh);
    const wrong = parametersOn(of).find(({ name, shape }) => !fresh.has(name) && here.get(name) !== shape.join(" × "));
    return wrong ? `${wrong.name} is ${wrong.shape.join(" × ")} in the model and ${here.get(wrong.name) ?? "missing"} in ${weights.file}: choose the file again for this model` : null;
  }

  list(): NetworkInfo[] {
    return this.#options.store.networks.list().map((network) => this.#info(network));
  }

  async get(hash: string): Promise<NetworkDetail> {
    const network = this.#known(hash);
    const nodes = await this.#nodes(hash);
    return { ...this.#info(network), usedBy: this.#options.store.networks.usedBy(hash), nodes: nodes.slice(0, maxShownNodes), nodeCount: nodes.length };
  }

  async picture(hash: string): Promise<NetworkPicture> {
    const network = this.#known(hash);
    const problem = this.#problemOf(network);
    if (problem !== null) throw new UserError(`The network ${network.name} cannot be drawn: ${problem}.`);
    try {
      const read = decodeNetwork(await readFile(networkFile(networksFolder(this.#options.folder), hash)));
      const nodes = drawnNodes(read);
      if (nodes.length > maxShownNodes) throw new Error(`it has ${nodes.length} nodes; at most ${maxShownNodes} are drawn`);
      return { nodes, input: read.description.input.name, output: read.description.output.name };
    } catch (error) {
      throw new UserError(`The network ${network.name} cannot be drawn: ${messageOf(error)}.`, undefined, { cause: error });
    }
  }

  async import({ path, name: given, output, ties, fillings }: NetworkImportRequest): Promise<NetworkImport> {
    const { store, folder } = this.#options;
    store.requireWritable();
    const here = store.networks.list();
    if (here.length >= maxNetworks) throw new UserError(`The store has ${here.length} networks; at most ${maxNetworks} are allowed. Remove some first.`);
    if (given !== undefined && here.some(({ name }) => name === given)) throw new UserError(`There is a network named ${given} already; choose another name.`, [{ path: "name", message: "taken by another network" }]);
    const { hash, pending, bytes, producer, facts, warnings } = await this.#read({ path, folder, output, ties, fillings });
    const earlier = store.networks.get(hash);
    const name = given ?? freeName(basename(path, extname(path)), here);
    let added: boolean;
    try {
      added = store.networks.add({ hash, name, source: path, producer, bytes, createdAt: Date.now(), facts: { ...facts, name } }, () => placeNetwork(folder, hash, pending));
    } catch (error) {
      rmSync(pending, { force: true });
      throw error;
    }
    if (earlier && given !== undefined) store.networks.rename(hash, given);
    this.#options.onChange();
    return { network: this.#info(this.#known(hash)), added, warnings: [...warnings] };
  }

  rename(hash: string, name: string): NetworkInfo {
    const { networks } = this.#options.store;
    this.#known(hash);
    if (networks.list().some((other) => other.name === name && other.hash !== hash)) throw new UserError(`There is a network named ${name} already; choose another name.`);
    networks.rename(hash, name);
    this.#options.onChange();
    return this.#info(this.#known(hash));
  }

  remove(hash: string): NetworkInfo[] {
    const network = this.#known(hash);
    this.#options.store.networks.remove(network, () => rmSync(networkFile(networksFolder(this.#options.folder), hash), { force: true }));
    this.#options.onChange();
    return this.list();
  }

  /** Any failure is a UserError: a person can fix the file. */
  async #read(order: NetworkOrder): Promise<WrittenNetwork> {
    try {
      if (this.#runner) return await this.#runner.run({ kind: "network", order });
      return await (await import("../importing/network.ts")).importNetwork(order);
    } catch (error) {
      throw new UserError(messageOf(error), undefined, { cause: error });
    }
  }

  async #nodes(hash: string): Promise<NetworkDetail["nodes"]> {
    try {
      const file = await readFile(networkFile(networksFolder(this.#options.folder), hash));
      return decodeDescription(file, file.length).description.nodes.map(({ name, module, operator }) => ({ name, module, operator }));
    } catch {
      // The network's problem says what is wrong with the file.
      return [];
    }
  }

  #known(hash: string): StoredNetwork {
    const found = this.#options.store.networks.get(hash);
    if (!found) throw new UserError(`There is no network ${hash.slice(0, 12)} in this store.`);
    return found;
  }

  #problemOf({ hash, bytes }: StoredNetwork): string | null {
    const found = networkBytes(this.#options.folder, hash);
    const path = networkFile(networksFolder(this.#options.folder), hash);
    if (found === undefined) return `its file ${path} is missing; import the network again`;
    return found === bytes ? null : `its file ${path} has ${found} bytes instead of ${bytes}; import the network again`;
  }

  #info(network: StoredNetwork): NetworkInfo {
    return { ...network, weights: weightCount({ parameters: network.facts.layers.flatMap(({ parameters }) => parameters) }), problem: this.#problemOf(network) };
  }
}

/** The name, with a number where it is taken. */
function freeName(wanted: string, here: readonly StoredNetwork[]): string {
  const taken = new Set(here.map(({ name }) => name));
  const base = wanted.trim().slice(0, 90) || "network";
  for (let number = 1; ; number++) {
    const name = number === 1 ? base : `${base} ${number}`;
    if (!taken.has(name)) return name;
  }
}
