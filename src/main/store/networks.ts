/** Imported networks of a store: one row each, for a file in `networks/` that is named by its SHA-256. */
import { existsSync } from "node:fs";
import Database from "better-sqlite3";
import { networkFacts, networkHash, type NetworkFacts } from "../../shared/models/network.ts";
import type { UnusedNetwork } from "../../shared/storage.ts";
import { plural } from "../../shared/text.ts";
import { ActiveError, StoreError } from "./errors.ts";
import { openToRead } from "./readOnly.ts";
import type { Writer } from "./writer.ts";

export interface StoredNetwork {
  readonly hash: string;
  readonly name: string;
  readonly source: string;
  readonly producer: string;
  readonly bytes: number;
  readonly createdAt: number;
  readonly facts: NetworkFacts;
}

type Row = Omit<StoredNetwork, "facts"> & { readonly facts: string };

const columns = "hash, name, source, producer, bytes, created_at AS createdAt, facts";

/** Layout version that brought networks. */
const networksSince = 14;

export interface NetworksOptions {
  readonly path: string;
  readonly read: <T>(what: string, work: () => T) => T;
  readonly write: Pick<Writer, "change">;
}

/** Adds a network unless it is there. @returns whether it was added */
export function insertNetwork(db: Database.Database, { facts, ...row }: StoredNetwork): boolean {
  const added = db
    .prepare("INSERT INTO networks (hash, name, source, producer, bytes, created_at, facts) VALUES (@hash, @name, @source, @producer, @bytes, @createdAt, @facts) ON CONFLICT (hash) DO NOTHING")
    .run({ ...row, facts: JSON.stringify(facts) });
  return added.changes > 0;
}

export const hasNetwork = (db: Database.Database, hash: string): boolean => db.prepare("SELECT 1 FROM networks WHERE hash = ?").get(hash) !== undefined;

function toNetwork({ facts, ...row }: Row, path: string): StoredNetwork {
  const parsed = networkFacts.safeParse(JSON.parse(facts));
  if (!parsed.success) throw new StoreError(path, `The network ${row.name} in ${path} was recorded by another version of Hypertower; import it again.`);
  // A network that was renamed is recorded by its present name.
  return { ...row, facts: { ...parsed.data, name: row.name } };
}

/** Networks of a database, by name. */
export function networksIn(db: Database.Database, path: string): StoredNetwork[] {
  if ((db.pragma("user_version", { simple: true }) as number) < networksSince) return [];
  return db.prepare<[], Row>(`SELECT ${columns} FROM networks ORDER BY name, hash`).all().map((row) => toNetwork(row, path));
}

/** Networks of a database that no run and no study uses, those in the bin included; by name. */
export function unusedNetworksIn(db: Database.Database): UnusedNetwork[] {
  if ((db.pragma("user_version", { simple: true }) as number) < networksSince) return [];
  const trained = new Set(trainedNetworks(db));
  return db
    .prepare<[], UnusedNetwork>("SELECT hash, name, bytes FROM networks WHERE NOT EXISTS (SELECT 1 FROM studies WHERE instr(definition, hash) > 0) ORDER BY name, hash")
    .all()
    .filter(({ hash }) => !trained.has(hash));
}

/** Networks of a store that is not open here; undefined where there is no store or it cannot be read. */
export function networksOfStore(path: string): StoredNetwork[] | undefined {
  if (!existsSync(path)) return undefined;
  let db: Database.Database | undefined;
  try {
    db = new Database(path, { readonly: true, fileMustExist: true, timeout: 500 });
    return networksIn(db, path);
  } catch (error) {
    // Opening the store says what is wrong with it.
    if (error instanceof Database.SqliteError) return undefined;
    throw error;
  } finally {
    db?.close();
  }
}

export interface RecordedNetworks {
  /** Hashes that the store lists. */
  readonly known: ReadonlySet<string>;
  /** Hashes that runs name. */
  readonly trained: readonly string[];
}

/** Hashes that runs name, those in the bin included. */
function trainedNetworks(db: Database.Database): string[] {
  const named = db.prepare<[], string | null>("SELECT experiment ->> '$.model.network' FROM runs WHERE experiment ->> '$.model.kind' = 'graph' UNION SELECT experiment ->> '$.weights.stored' FROM runs").pluck().all();
  return named.flatMap((hash) => (hash !== null && networkHash.test(hash) ? [hash] : []));
}

/** @throws SqliteError or StoreError when the store cannot be read */
export function recordedNetworks(path: string): RecordedNetworks {
  const db = openToRead(path);
  try {
    return { known: new Set(networksIn(db, path).map(({ hash }) => hash)), trained: trainedNetworks(db) };
  } finally {
    db.close();
  }
}

/**
 * The network of this name, hash, or beginning of a hash (at least 6 digits); undefined for none or several.
 * @param networks those of a store
 */
export function findNetwork(networks: readonly StoredNetwork[], named: string): StoredNetwork | undefined {
  const byHash = /^[0-9a-f]{6,64}$/.test(named) ? networks.filter(({ hash }) => hash.startsWith(named)) : [];
  const found = byHash.length > 0 ? byHash : networks.filter(({ name }) => name === named);
  return found.length === 1 ? found[0] : undefined;
}

/** Numbers of runs and studies, those in the bin included, whose models may be the network. */
export interface NetworkUse {
  readonly runs: number;
  readonly studies: number;
}

export class NetworkTable {
  readonly #writer: Database.Database;
  readonly #reader: Database.Database;
  readonly #options: NetworksOptions;

  constructor({ writer, reader }: { readonly writer: Database.Database; readonly reader: Database.Database }, options: NetworksOptions) {
    this.#writer = writer;
    this.#reader = reader;
    this.#options = options;
  }

  list(): StoredNetwork[] {
    return this.#options.read("networks", () => networksIn(this.#reader, this.#options.path));
  }

  /** @throws StoreError when its row cannot be read */
  get(hash: string): StoredNetwork | undefined {
    const row = this.#options.read("a network", () => this.#reader.prepare<[string], Row>(`SELECT ${columns} FROM networks WHERE hash = ?`).get(hash));
    return row && toNetwork(row, this.#options.path);
  }

  usedBy(hash: string): NetworkUse {
    return this.#options.read("the use of a network", () => useOf(this.#reader, hash));
  }

  /**
   * Adds a network unless it is there; committed when this returns.
   * @param place puts its file in place; the row is undone when it throws
   */
  add(network: StoredNetwork, place: () => void): boolean {
    return this.#options.write.change("add a network", () => {
      const added = insertNetwork(this.#writer, network);
      place();
      return added;
    });
  }

  rename(hash: string, name: string): void {
    this.#options.write.change("rename a network", () => this.#writer.prepare("UPDATE networks SET name = ? WHERE hash = ?").run(name, hash));
  }

  /**
   * @param remove deletes its file
   * @throws ActiveError where a run or a study uses it; nothing is removed then
   */
  remove({ hash, name }: Pick<StoredNetwork, "hash" | "name">, remove: () => void): void {
    this.#options.write.change("remove a network", () => {
      const { runs, studies } = useOf(this.#writer, hash);
      if (runs + studies > 0) {
        const users = [...(runs > 0 ? [plural(runs, "run")] : []), ...(studies > 0 ? [plural(studies, "study", "studies")] : [])].join(" and ");
        throw new ActiveError(`The network ${name} is used by ${users}. Erase them from the bin before removing it.`);
      }
      this.#writer.prepare("DELETE FROM networks WHERE hash = ?").run(hash);
      remove();
    });
  }
}

/** A hash of 64 digits occurs in no configuration by chance. */
function useOf(db: Database.Database, hash: string): NetworkUse {
  const count = (sql: string) => db.prepare<[string], number>(sql).pluck().get(hash)!;
  return { runs: count("SELECT count(*) FROM runs WHERE instr(experiment, ?) > 0"), studies: count("SELECT count(*) FROM studies WHERE instr(definition, ?) > 0") };
}
