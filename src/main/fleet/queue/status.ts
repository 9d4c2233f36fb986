/** What a queue holds at present. */
import { workerMachine, type WorkerState } from "../../../shared/fleet/worker.ts";
import { unit as unitSchema, runsOf } from "../../../shared/fleet/unit.ts";
import type { UnitState } from "../fleet.ts";
import { parseAddress } from "./address.ts";
import { QueueDatabase, type Queries } from "./database.ts";
import { requireVersion, schemaVersion } from "./init.ts";

/** Minutes without a sign of life after which a worker is not listed. */
const shownFor = 2;

export interface StateRow {
  readonly unit: string;
  readonly job: string;
  readonly state: UnitState;
  readonly attempt: number;
  readonly worker: string | null;
  readonly host: string | null;
  readonly reason: string | null;
  readonly refusal: string | null;
}

const columns = "unit, job::text, state, attempt, worker, host, reason, refusal";

export const readStates = (queries: Queries, units: readonly string[]): Promise<StateRow[]> => queries.query<StateRow & Record<string, unknown>>(`SELECT ${columns} FROM hypertower.states WHERE unit = ANY($1)`, [units]);

interface WorkerRow extends Record<string, unknown> {
  readonly worker: string;
  readonly machine: string;
  readonly started: number;
  readonly seen: number;
  readonly load: number | null;
  readonly draining: boolean;
  readonly units: string[];
}

export async function readWorkers(queries: Queries): Promise<WorkerState[]> {
  const rows = await queries.query<WorkerRow>(
    `SELECT w.worker, w.machine, extract(epoch FROM w.started_at)::float8 * 1000 AS started, extract(epoch FROM w.seen_at)::float8 * 1000 AS seen, w.load, w.draining,
       ARRAY(SELECT s.unit FROM hypertower.states s WHERE s.worker = w.worker AND s.state = 'running' LIMIT 1000) AS units
     FROM hypertower.workers w WHERE w.seen_at > clock_timestamp() - $1 * interval '1 minute' ORDER BY w.worker`,
    [shownFor],
  );
  return rows.flatMap(({ worker, machine, started, seen, load, draining, units }) => {
    const parsed = workerMachine.safeParse(jsonOf(machine));
    // What a worker says of itself is not trusted.
    return parsed.success ? [{ id: worker, machine: parsed.data, startedAt: Math.round(started), seenAt: Math.round(seen), load, units, draining }] : [];
  });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export interface QueueStatus {
  readonly place: string;
  readonly version: number;
  readonly counts: Readonly<Record<UnitState, number>>;
  /** Segments that wait to be taken in, and their bytes. */
  readonly segments: { readonly count: number; readonly bytes: number };
  readonly units: readonly {
    readonly unit: string;
    readonly study: string;
    readonly runs: number;
    readonly state: UnitState;
    readonly attempts: number;
    readonly where: string | null;
    readonly reason: string | null;
    /** Milliseconds since the last sign of life; null unless it is running. */
    readonly silent: number | null;
  }[];
  readonly workers: readonly WorkerState[];
}

/** @param url of the role of coordinators @throws FleetError */
export async function queueStatus(url: string): Promise<QueueStatus> {
  const address = parseAddress(url);
  const database = await QueueDatabase.open(address, "hypertower queue status", 1);
  try {
    const version = await schemaVersion(database);
    requireVersion(version, address.place);
    const rows = await database.query<StateRow & { document: string; silent: number | null } & Record<string, unknown>>(
      `SELECT ${columns}, document, CASE WHEN state = 'running' THEN extract(epoch FROM clock_timestamp() - heartbeat_on)::float8 * 1000 END AS silent FROM hypertower.states ORDER BY submitted_at, unit`,
    );
    const [{ count, bytes }] = (await database.query<{ count: number; bytes: string }>("SELECT count(*)::int AS count, coalesce(sum(octet_length(bytes)), 0) AS bytes FROM hypertower.segments")) as [{ count: number; bytes: string }];
    const counts: Record<UnitState, number> = { waiting: 0, running: 0, ended: 0, failed: 0, canceled: 0, unknown: 0 };
    for (const { state } of rows) counts[state]++;
    const units = rows.map(({ unit, document, state, attempt, host, worker, reason, refusal, silent }) => {
      const parsed = unitSchema.safeParse(jsonOf(document)).data;
      return { unit, study: parsed?.study.name ?? "", runs: parsed ? runsOf(parsed).length : 0, state, attempts: attempt, where: host === null ? null : `${host} (${worker})`, reason: state === "waiting" ? (refusal ?? reason) : reason, silent: silent === null ? null : Math.max(0, Math.round(silent)) };
    });
    return { place: address.place, version: version!, counts, segments: { count, bytes: Number(bytes) }, units, workers: await readWorkers(database) };
  } finally {
    await database.close();
  }
}
