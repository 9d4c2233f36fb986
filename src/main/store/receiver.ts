/** Takes runs and studies of archives or other stores into a store: a whole selection in one transaction, or nothing. */
import type { Database } from "better-sqlite3";
import { rowChecksum } from "./checksums.ts";
import { closeConnections, openConnections, type Connections } from "./database.ts";
import { explain } from "./errors.ts";
import { finite } from "./finite.ts";
import { Hosts } from "./hosts.ts";
import { consoleLog, type Log } from "./log.ts";
import { hasNetwork, insertNetwork, type StoredNetwork } from "./networks.ts";
import type { PortableSource, PortableStudy } from "./portable.ts";
import { PortableReader } from "./portableReader.ts";
import { receiveThinned } from "./receiveThinned.ts";
import { identityParameters, measureNames, progressParameters } from "./runRows.ts";
import { RunReader } from "./runReader.ts";
import { prepareRunStatements } from "./runStatements.ts";
import { Seals } from "./seals.ts";
import { SeriesWriter } from "./seriesWriter.ts";
import type { StoredStudy } from "./studies.ts";
import { storedTags } from "./tagRows.ts";
import { insertStudy, readStudy } from "./studyRows.ts";

/** Milliseconds to wait for another process's transaction. */
const patience = 60_000;

/** Owner columns of a run or study that nobody trains. */
const nobody = { ownerPid: null, ownerHost: null, ownerToken: null };

export interface Received {
  readonly studies: readonly PortableStudy[];
  readonly runs: Iterable<PortableSource>;
  readonly networks?: readonly StoredNetwork[];
}

/** A store of its own connections, so that it may be used beside the one that trains. */
export class Receiver {
  readonly path: string;
  readonly runs: RunReader;
  readonly portable: PortableReader;
  readonly #connections: Connections;
  readonly #hosts: Hosts;
  readonly #db: Database;

  /**
   * @param isNew nobody else uses the store yet, so commits need not reach the disk one by one
   * @throws StoreError when the store cannot be opened
   */
  constructor(folder: string, log: Log = consoleLog, isNew = false) {
    this.#connections = openConnections(folder, undefined, patience);
    const { path, writer } = this.#connections;
    this.path = path;
    this.#db = writer;
    if (isNew) writer.pragma("synchronous = NORMAL");
    this.#hosts = new Hosts(writer, path, log);
    // Reads see what the transaction has written.
    this.runs = new RunReader(writer, path, log);
    this.portable = new PortableReader(writer, path);
  }

  /** Unique among the processes that use the store, and known as alive while this is open. */
  get token(): string {
    this.#hosts.register();
    return this.#hosts.token;
  }

  hasStudy(id: string): boolean {
    return this.#db.prepare("SELECT 1 FROM studies WHERE id = ?").get(id) !== undefined;
  }

  hasNetwork(hash: string): boolean {
    return hasNetwork(this.#db, hash);
  }

  /** @throws StoreError when the study cannot be read */
  study(id: string): StoredStudy | undefined {
    return readStudy(this.#db, this.path, id);
  }

  /**
   * @param finish puts files in place; the transaction is committed when it returns, and undone when it throws
   * @throws StoreError, or what a source or `finish` throws; the store is then unchanged
   */
  receive({ studies, runs, networks = [] }: Received, finish: () => void): void {
    this.#hosts.register();
    const series = new SeriesWriter(this.#db);
    const seals = new Seals(this.#db);
    const statements = prepareRunStatements(this.#db);
    const rest = this.#db.prepare("UPDATE runs SET deleted_at = @deletedAt, pruned = @pruned, thinned_at = @thinnedAt, thinned_width = @thinnedWidth, tags = @tags WHERE id = @id");
    const one = (source: PortableSource) => {
      const { run } = source;
      const { id, cell, environment, metrics, deletedAt } = run;
      const summary = { ...run, samplesPerSecond: null, secondsLeft: null };
      statements.create.run({ ...identityParameters(summary), ...progressParameters(summary), cell, ...nobody, heartbeatAt: null });
      rest.run({ id, deletedAt, pruned: run.pruned ? 1 : 0, thinnedAt: run.thinned?.at ?? null, thinnedWidth: run.thinned?.width ?? null, tags: storedTags(run.tags) });
      if (environment) statements.environment.run(JSON.stringify(environment), id);
      if (run.thinned) receiveThinned(this.#db, series, source);
      else if (metrics.length > 0) {
        const buffer = series.begin(id, metrics);
        for (const rows of source.steps()) {
          buffer.append(rows);
          series.write(buffer);
          buffer.clear();
        }
        if (buffer.nextStep !== run.logged) throw new RangeError(`run ${id} has ${buffer.nextStep} steps instead of ${run.logged}`);
      }
      for (const { at, step, epoch, ...measures } of source.evaluations()) {
        const row = [id, step, at, epoch, ...measureNames.map((name) => finite(measures[name] ?? null))] as const;
        statements.evaluation.run(...row, rowChecksum(row));
      }
      for (const { at, step, kind, message } of source.events()) statements.event.run(id, at, step, kind, message, rowChecksum([id, at, step, kind, message]));
      seals.received(id);
    };
    try {
      this.#db
        .transaction(() => {
          for (const network of networks) insertNetwork(this.#db, network);
          for (const study of studies) insertStudy(this.#db, { ...study, runningSince: null }, { ...nobody, now: null });
          for (const source of runs) one(source);
          seals.seal();
          finish();
        })
        .immediate();
    } catch (error) {
      throw explain(error, this.path);
    }
  }

  close(): void {
    try {
      this.#hosts.close();
    } finally {
      closeConnections(this.#connections);
    }
  }
}
