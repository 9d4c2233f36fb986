/** Imported networks that runs train, as parts of archives and of other stores, and back. */
import { closeSync, fstatSync, openSync, readSync, rmSync } from "node:fs";
import { networksOf, type NamedNetwork, type NetworkChoices } from "../../shared/startingWeights.ts";
import { messageOf } from "../../shared/errors.ts";
import { decodeNetwork } from "../../core/networks/file.ts";
import { factsOf } from "../../core/networks/facts.ts";
import { networkFile, networksFolder } from "../../core/networks/folder.ts";
import { networkBytes, placeNetwork, writePending } from "../../core/networks/stored.ts";
import type { StoredNetwork } from "../store/networks.ts";
import type { PortableNetwork, PortableSource } from "../store/portable.ts";
import type { Receiver } from "../store/receiver.ts";
import { ArchiveError } from "./errors.ts";
import { blocksOf } from "./write.ts";

/** The files of an experiment's networks in a store's folder, without those that are missing. A file is opened for each read. */
export const networksIn = (folder: string, experiment: NetworkChoices): PortableNetwork[] => networksOf(experiment).flatMap((one) => networkIn(folder, one) ?? []);

function networkIn(folder: string, { hash, name }: NamedNetwork): PortableNetwork | null {
  const size = networkBytes(folder, hash);
  if (size === undefined) return null;
  const path = networkFile(networksFolder(folder), hash);
  return {
    hash,
    name,
    size,
    read(at, target) {
      const descriptor = openSync(path, "r");
      try {
        return fstatSync(descriptor).size === size ? readSync(descriptor, target, 0, target.length, at) : 0;
      } finally {
        closeSync(descriptor);
      }
    },
  };
}

/** Networks written aside for a store that lacks them. */
export class StagedNetworks {
  readonly rows: StoredNetwork[] = [];
  readonly #folder: string;
  readonly #source: string;
  readonly #pending = new Map<string, string>();

  /** @param source where the networks come from, for people */
  constructor(folder: string, source: string) {
    this.#folder = folder;
    this.#source = source;
  }

  /** Writes the networks of a run aside that the store lacks. @throws ArchiveError where a file is not what its name says */
  add({ run, networks }: PortableSource, receiver: Pick<Receiver, "hasNetwork">): void {
    for (const file of networks?.() ?? []) this.#add(run.id, file, receiver);
  }

  #add(run: string, file: PortableNetwork, receiver: Pick<Receiver, "hasNetwork">): void {
    const { hash } = file;
    if (this.#pending.has(hash)) return;
    if (receiver.hasNetwork(hash) && networkBytes(this.#folder, hash) === file.size) return;
    try {
      this.#pending.set(hash, writePending(this.#folder, hash, blocksOf(file)));
      const bytes = Buffer.concat([...blocksOf(file)]);
      const read = decodeNetwork(bytes);
      const { name, version } = read.description.producer;
      this.rows.push({ hash, name: file.name, source: this.#source, producer: `${name} ${version}`.trim(), bytes: bytes.length, createdAt: Date.now(), facts: factsOf(file.name, read) });
    } catch (error) {
      throw new ArchiveError(`the network of run ${run} cannot be used: ${messageOf(error)}`, { cause: error });
    }
  }

  /** Call last within the transaction that adds the rows. */
  place(): void {
    for (const [hash, pending] of this.#pending) placeNetwork(this.#folder, hash, pending);
  }

  /** Removes what was not put in place. */
  remove(): void {
    for (const pending of this.#pending.values()) rmSync(pending, { force: true });
  }
}
