/** Connections to a queue's PostgreSQL, which outlive its restarts. The driver is loaded when a queue is used. */
import type { Client, ClientConfig, Pool, PoolClient, QueryResult, QueryResultRow } from "pg";
import { FleetError } from "../fleet.ts";
import type { QueueAddress } from "./address.ts";
import { queueProblem } from "./problems.ts";

const connectTimeout = 10_000;
const queryTimeout = 120_000;
/** Milliseconds until a lost connection for news is made again: at first, and at most. */
const reconnect = { first: 250, last: 10_000 };

export interface Queries {
  query<R extends QueryResultRow>(text: string, values?: readonly unknown[]): Promise<R[]>;
}

export class QueueDatabase implements Queries {
  readonly address: QueueAddress;
  readonly #pool: Pool;
  readonly #connect: () => Client;
  readonly #ends = new Set<() => Promise<void>>();

  private constructor(address: QueueAddress, pool: Pool, connect: () => Client) {
    this.address = address;
    this.#pool = pool;
    this.#connect = connect;
  }

  /** Connects when it is first asked. @param application its name in PostgreSQL's list of connections */
  static async open(address: QueueAddress, application: string, connections = 4): Promise<QueueDatabase> {
    const { default: pg } = await import("pg");
    const options: ClientConfig = { connectionString: address.url, application_name: application, connectionTimeoutMillis: connectTimeout, keepAlive: true };
    try {
      const pool = new pg.Pool({ ...options, max: connections, query_timeout: queryTimeout, idleTimeoutMillis: 30_000, allowExitOnIdle: true });
      // Of connections that wait in the pool; a query that needs one says what is wrong.
      pool.on("error", () => undefined);
      return new QueueDatabase(address, pool, () => new pg.Client(options));
    } catch (error) {
      // Files of certificates are read at once.
      throw new FleetError(`The URL of the queue at ${address.place} cannot be used: ${queueProblem(error, address).message}`, { retry: false, cause: error });
    }
  }

  /** @throws FleetError */
  query<R extends QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<R[]> {
    return this.#explained(async () => rowsOf<R>(await this.#pool.query(text, valuesOf(values))));
  }

  /** The first column of all rows, which is bytes. @throws FleetError */
  bytes(text: string, values: readonly unknown[]): Promise<Buffer[]> {
    return this.#explained(async () => (await this.#pool.query<[Buffer]>({ text, values: [...values], rowMode: "array" })).rows.map(([value]) => value));
  }

  /** All of it or nothing. @throws FleetError */
  transaction<T>(work: (queries: Queries) => Promise<T>): Promise<T> {
    return this.#explained(async () => {
      const client = await this.#pool.connect();
      // While no query runs, a lost connection is known by its event alone.
      const ignore = () => undefined;
      client.on("error", ignore);
      let broken: Error | undefined;
      try {
        await client.query("BEGIN");
        const result = await work(queriesOf(client));
        await client.query("COMMIT");
        return result;
      } catch (error) {
        await client.query("ROLLBACK").catch((failed: Error) => (broken = failed));
        throw error;
      } finally {
        client.off("error", ignore);
        client.release(broken);
      }
    });
  }

  /** Calls the listener for every notification, and once more whenever the connection was made again, for some may have been missed. */
  listen(channel: string, listener: (payload: string | null) => void): () => void {
    let [closed, wait] = [false, reconnect.first];
    let client: Client | null = null;
    let timer: NodeJS.Timeout | undefined;
    const again = () => {
      client = null;
      if (closed || timer) return;
      timer = setTimeout(() => {
        timer = undefined;
        void start();
      }, wait);
      wait = Math.min(wait * 2, reconnect.last);
    };
    const start = async () => {
      const fresh = (client = this.#connect());
      fresh.on("error", again);
      fresh.on("end", again);
      fresh.on("notification", ({ payload }) => listener(payload ?? null));
      try {
        await fresh.connect();
        await fresh.query(`LISTEN ${fresh.escapeIdentifier(channel)}`);
        wait = reconnect.first;
        listener(null);
      } catch {
        await fresh.end().catch(() => undefined);
        again();
      }
    };
    const end = async () => {
      closed = true;
      clearTimeout(timer);
      this.#ends.delete(end);
      await client?.end().catch(() => undefined);
    };
    this.#ends.add(end);
    void start();
    return () => void end();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#ends].map((end) => end()));
    await this.#pool.end().catch(() => undefined);
  }

  async #explained<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw queueProblem(error, this.address);
    }
  }
}

const queriesOf = (client: PoolClient): Queries => ({
  query: async <R extends QueryResultRow>(text: string, values: readonly unknown[] = []) => rowsOf<R>(await client.query(text, valuesOf(values))),
});

/** Only a text without values may hold several statements. */
const valuesOf = (values: readonly unknown[]): unknown[] | undefined => (values.length > 0 ? [...values] : undefined);

/** Several statements have a result each. */
const rowsOf = <R extends QueryResultRow>(result: QueryResult | QueryResult[]): R[] => [result].flat().flatMap(({ rows }) => rows as R[]);
