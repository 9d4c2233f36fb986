/** A fleet whose units are jobs of pg-boss in PostgreSQL; workers come for them from anywhere. */
import { randomUUID } from "node:crypto";
import { open } from "node:fs/promises";
import type { PgBoss } from "pg-boss";
import { readCheckpointHeader } from "../../../core/checkpoint/file.ts";
import { messageOf } from "../../../shared/errors.ts";
import { runsOf } from "../../../shared/fleet/unit.ts";
import type { WorkerState } from "../../../shared/fleet/worker.ts";
import { FleetError, type CheckpointRef, type Fleet, type FleetNews, type SegmentRef, type UnitNews, type UnitPackage, type UnitSteering } from "../fleet.ts";
import { parseAddress } from "./address.ts";
import { forBoss, startBoss } from "./boss.ts";
import { QueueDatabase, type Queries } from "./database.ts";
import { writeChunks } from "./files.ts";
import { requireVersion, schemaVersion } from "./init.ts";
import { ReadAhead } from "./readAhead.ts";
import { channels, jobsQueue, jobsSchema } from "./schema/names.ts";
import { readStates, readWorkers } from "./status.ts";

export interface QueueFleetOptions {
  readonly name?: string;
  /** Attempts that may end without progress before a unit is set aside. */
  readonly attempts?: number;
  /** Seconds without a sign of life after which a worker counts as lost. */
  readonly heartbeat?: number;
  /** Seconds before a unit that failed or was lost is tried again. */
  readonly retryDelay?: number;
  /** Called at its close, before its connections are closed. */
  readonly onLeave?: () => Promise<void>;
  /** Called at its close, after its connections are closed. */
  readonly onClose?: () => Promise<void>;
}

const defaults = { name: "queue", attempts: 5, heartbeat: 60, retryDelay: 5 } as const;

export class QueueFleet implements Fleet {
  readonly name: string;
  readonly kind = "queue";
  readonly longest = null;
  readonly #database: QueueDatabase;
  readonly #boss: PgBoss;
  readonly #options: QueueFleetOptions & typeof defaults;
  readonly #segments: ReadAhead;
  #closing: Promise<void> | undefined;

  private constructor(database: QueueDatabase, boss: PgBoss, options: QueueFleetOptions) {
    this.#database = database;
    this.#boss = boss;
    this.#segments = new ReadAhead(database);
    this.#options = { ...defaults, ...options } as QueueFleetOptions & typeof defaults;
    this.name = this.#options.name;
  }

  /** @param url of the role of coordinators @throws FleetError */
  static async open(url: string, options: QueueFleetOptions = {}): Promise<QueueFleet> {
    const address = parseAddress(url);
    const database = await QueueDatabase.open(address, "hypertower coordinator");
    try {
      requireVersion(await schemaVersion(database), address.place);
      // Says that the role is the wrong one before pg-boss does.
      await database.query("SELECT FROM hypertower.units LIMIT 0");
      return new QueueFleet(database, await startBoss(database), options);
    } catch (error) {
      await database.close();
      throw error;
    }
  }

  async submit(units: readonly UnitPackage[]): Promise<void> {
    for (const { unit, files } of units) {
      await this.#database.transaction(async (queries) => {
        const job = randomUUID();
        const runs = runsOf(unit).map(({ run }) => run);
        const added = await queries.query("INSERT INTO hypertower.units (unit, job, document, runs) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING RETURNING unit", [unit.id, job, JSON.stringify(unit), runs]);
        if (added.length === 0) return;
        for (const file of files) await addFile(queries, unit.id, file);
        const { attempts, retryDelay, heartbeat } = this.#options;
        await this.#boss.send(jobsQueue, { unit: unit.id }, { id: job, retryLimit: attempts - 1, retryDelay, deleteAfterSeconds: 0, db: forBoss(queries) });
        // pg-boss itself allows a day at most for a job, a year until it starts, and no sign of life below 10 s.
        await queries.query(`UPDATE ${jobsSchema}.job SET heartbeat_seconds = $2, expire_seconds = 2000000000, keep_until = 'infinity' WHERE name = '${jobsQueue}' AND id = $1`, [job, heartbeat]);
        await queries.query("SELECT pg_notify($1, '')", [channels.work]);
      });
    }
  }

  async look(units: readonly string[], segments: number): Promise<FleetNews> {
    await this.#database.query("SELECT hypertower.expire()");
    const rows = await readStates(this.#database, units);
    const known = new Set(rows.map(({ unit }) => unit));
    const missing = units.filter((unit) => !known.has(unit)).map((unit): UnitNews => ({ unit, state: "unknown", attempts: 0, where: null, reason: null, job: null }));
    return {
      units: [...rows.map(({ unit, state, attempt, worker, host, reason, refusal, job }): UnitNews => ({ unit, state, attempts: attempt, where: host === null ? null : `${host} (${worker})`, reason: state === "waiting" ? (refusal ?? reason) : reason, job })), ...missing],
      segments: await this.#database.query<{ unit: string; attempt: number; sequence: number }>("SELECT unit, attempt, sequence FROM hypertower.segments WHERE unit = ANY($1) ORDER BY unit, attempt, sequence LIMIT $2", [units, segments]),
      checkpoints: (await this.#database.query<CheckpointRow>("SELECT unit, run, attempt, sequence, step, size FROM hypertower.checkpoints WHERE unit = ANY($1) AND attempt > 0", [units])).map(({ step, size, ...rest }) => ({ ...rest, step: Number(step), size: Number(size) })),
    };
  }

  read(segment: SegmentRef): Promise<Uint8Array> {
    return this.#segments.read(segment);
  }

  async readCheckpoint({ unit, run, attempt, step }: CheckpointRef): Promise<Uint8Array> {
    const chunks = await this.#database.bytes("SELECT k.bytes FROM hypertower.checkpoint_chunks k JOIN hypertower.checkpoints c USING (unit, run) WHERE unit = $1 AND run = $2 AND attempt = $3 AND step = $4 ORDER BY chunk", [unit, run, attempt, step]);
    if (chunks.length === 0) throw new FleetError(`a newer checkpoint of run ${run} has taken the place of the one at step ${step}`, { retry: true });
    return Buffer.concat(chunks);
  }

  async taken(segments: readonly SegmentRef[]): Promise<void> {
    if (segments.length === 0) return;
    await this.#database.query("DELETE FROM hypertower.segments s USING unnest($1::text[], $2::int[], $3::int[]) AS t (unit, attempt, sequence) WHERE s.unit = t.unit AND s.attempt = t.attempt AND s.sequence = t.sequence", [
      segments.map(({ unit }) => unit),
      segments.map(({ attempt }) => attempt),
      segments.map(({ sequence }) => sequence),
    ]);
  }

  async steer(unit: string, { type, run }: UnitSteering): Promise<void> {
    await this.#database.query("INSERT INTO hypertower.steering (unit, type, run) SELECT unit, $2, $3 FROM hypertower.units WHERE unit = $1", [unit, type, run]);
    await this.#tellWorkers();
  }

  async cancel(units: readonly string[]): Promise<void> {
    const jobs = await this.#jobsOf(units);
    if (jobs.length > 0) await this.#boss.cancel(jobsQueue, jobs);
    await this.#tellWorkers();
  }

  async retry(units: readonly string[]): Promise<void> {
    await this.#database.transaction(async (queries) => {
      // Another attempt has all attempts again, and the lost one's claim does not come back.
      const failed = await queries.query<{ job: string }>(`SELECT u.job FROM hypertower.units u JOIN ${jobsSchema}.job j ON j.id = u.job WHERE j.name = '${jobsQueue}' AND j.state = 'failed' AND u.unit = ANY($1) FOR UPDATE OF u, j`, [units]);
      if (failed.length === 0) return;
      const jobs = failed.map(({ job }) => job);
      await this.#boss.retry(jobsQueue, jobs, { db: forBoss(queries) });
      await queries.query(`UPDATE ${jobsSchema}.job SET retry_count = 0, retry_limit = $2, started_on = NULL WHERE name = '${jobsQueue}' AND id = ANY($1::uuid[])`, [jobs, this.#options.attempts - 1]);
      await queries.query("UPDATE hypertower.units SET claim = NULL, lost = false WHERE job = ANY($1::uuid[])", [jobs]);
    });
    await this.#tellWorkers();
  }

  async forget(units: readonly string[]): Promise<void> {
    await this.#database.transaction(async (queries) => {
      const jobs = (await queries.query<{ job: string }>("DELETE FROM hypertower.units WHERE unit = ANY($1) RETURNING job", [units])).map(({ job }) => job);
      if (jobs.length === 0) return;
      await queries.query(`DELETE FROM ${jobsSchema}.job WHERE name = '${jobsQueue}' AND id = ANY($1::uuid[])`, [jobs]);
      await queries.query("DELETE FROM hypertower.network_chunks k WHERE NOT EXISTS (SELECT FROM hypertower.unit_networks n WHERE n.sha256 = k.sha256)");
    });
    await this.#tellWorkers();
  }

  workers(): Promise<readonly WorkerState[]> {
    return readWorkers(this.#database);
  }

  async drain(worker: string, draining: boolean): Promise<void> {
    const found = await this.#database.query("UPDATE hypertower.workers SET draining = $2 WHERE worker = $1 RETURNING worker", [worker, draining]);
    if (found.length === 0) throw new FleetError(`The queue has no worker named ${worker}.`, { retry: false });
    await this.#tellWorkers();
  }

  onNews(listener: () => void): () => void {
    return this.#database.listen(channels.news, () => listener());
  }

  close(): Promise<void> {
    return (this.#closing ??= (async () => {
      await this.#options.onLeave?.();
      await this.#boss.stop({ graceful: false }).catch(() => undefined);
      await this.#database.close();
      await this.#options.onClose?.();
    })());
  }

  async #tellWorkers(): Promise<void> {
    await this.#database.query("SELECT pg_notify($1, '')", [channels.work]);
  }

  async #jobsOf(units: readonly string[]): Promise<string[]> {
    return (await this.#database.query<{ job: string }>("SELECT job FROM hypertower.units WHERE unit = ANY($1)", [units])).map(({ job }) => job);
  }
}

interface CheckpointRow {
  readonly unit: string;
  readonly run: string;
  readonly attempt: number;
  readonly sequence: number;
  readonly step: string;
  readonly size: string;
}

async function addFile(queries: Queries, unit: string, { kind, name, path }: UnitPackage["files"][number]): Promise<void> {
  if (kind === "network") {
    await queries.query("INSERT INTO hypertower.unit_networks VALUES ($1, $2)", [unit, name]);
    // Another submission may be writing it.
    await queries.query("SELECT pg_advisory_xact_lock(hashtext($1))", [name]);
    if ((await queries.query("SELECT FROM hypertower.network_chunks WHERE sha256 = $1 LIMIT 1", [name])).length > 0) return;
    await writeChunks(queries, "INSERT INTO hypertower.network_chunks VALUES ($1, $2, $3)", [name], path);
    return;
  }
  await queries.query("INSERT INTO hypertower.checkpoints VALUES ($1, $2, 0, -1, $3, 0)", [unit, name, await stepOf(path)]);
  const size = await writeChunks(queries, "INSERT INTO hypertower.checkpoint_chunks VALUES ($1, $2, $3, $4)", [unit, name], path);
  await queries.query("UPDATE hypertower.checkpoints SET size = $3 WHERE unit = $1 AND run = $2", [unit, name, size]);
}

async function stepOf(path: string): Promise<number> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const read = async (at: number, length: number) => (await file.read(Buffer.alloc(length), 0, length, at)).buffer;
    return (await readCheckpointHeader(read, size)).position.step;
  } catch (error) {
    throw new FleetError(`The checkpoint ${path} cannot go with its unit: ${messageOf(error)}`, { retry: false, cause: error });
  } finally {
    await file.close();
  }
}
