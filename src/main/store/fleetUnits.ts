/** Tables of what is trained at fleets: the fleet of each study, units of work that are there, and the unit of each run. */
import type { Database } from "better-sqlite3";
import type { Writer } from "./writer.ts";

/** Where and how a study is trained that is not trained on the machine of its store. */
export interface StudyFleet {
  /** As in `--on`. */
  readonly fleet: string;
  /** Milliseconds that a unit of work should take at least; null for the default. */
  readonly unitTime: number | null;
  /** Measured milliseconds per step; null if unknown. */
  readonly stepTime: number | null;
}

export type StoredUnitState = "submitting" | "waiting" | "running" | "ended" | "failed" | "canceled" | "unknown";

/** A unit of work at a fleet. Times are milliseconds. */
export interface StoredUnit {
  readonly id: string;
  readonly fleet: string;
  readonly study: string;
  readonly state: StoredUnitState;
  readonly reason: string | null;
  readonly job: string | null;
  readonly place: string | null;
  readonly attempts: number;
  readonly submittedAt: number;
  readonly estimate: number | null;
  readonly runs: number;
}

/** The last segment of a unit that is committed; attempt 0 before the first. */
export interface TakenIn {
  readonly attempt: number;
  readonly sequence: number;
}

/** A run that is at a fleet. */
export interface FleetRun {
  readonly run: string;
  readonly unit: string;
  /** JSON of what its trainer said when it began; null before. */
  readonly started: string | null;
  readonly asked: "pause" | "stop" | null;
}

interface Access {
  readonly read: <T>(what: string, work: () => T) => T;
  readonly write: Pick<Writer, "change">;
}

const columns = "id, fleet, study, state, reason, job, place, attempts, submitted_at AS submittedAt, estimate, runs";

export class FleetTable {
  readonly #reader: Database;
  readonly #writer: Database;
  readonly #access: Access;

  constructor({ reader, writer }: { readonly reader: Database; readonly writer: Database }, access: Access) {
    this.#reader = reader;
    this.#writer = writer;
    this.#access = access;
  }

  /** Fleet of a study; undefined for one that is trained on the machine of its store. */
  ofStudy(study: string): StudyFleet | undefined {
    return this.#read(() => this.#reader.prepare<[string], StudyFleet>("SELECT fleet, unit_time AS unitTime, step_time AS stepTime FROM fleet_studies WHERE study = ?").get(study));
  }

  setStudy(study: string, { fleet, unitTime, stepTime }: StudyFleet): void {
    this.#change("note the fleet of a study", () =>
      this.#writer.prepare("INSERT OR REPLACE INTO fleet_studies (study, fleet, unit_time, step_time) VALUES (?, ?, ?, ?)").run(study, fleet, unitTime, stepTime),
    );
  }

  /** Whether a host that starts attaches to the study again. */
  setGoesOn(study: string, goesOn: boolean): void {
    this.#change("note whether a study goes on", () => this.#writer.prepare("UPDATE fleet_studies SET goes_on = ? WHERE study = ? AND goes_on <> ?").run(goesOn ? 1 : 0, study, goesOn ? 1 : 0));
  }

  /** Studies that were left at a fleet while they were training, the oldest first. */
  left(): string[] {
    return this.#read(() =>
      this.#reader
        .prepare<[], string>("SELECT id FROM studies JOIN fleet_studies ON study = id WHERE goes_on = 1 AND status = 'interrupted' AND deleted_at IS NULL ORDER BY created_at, id")
        .pluck()
        .all(),
    );
  }

  /** Notes units and their runs before they are handed to a fleet. Runs leave the units that they were in. */
  submit(fleet: string, units: readonly { readonly id: string; readonly study: string; readonly estimate: number | null; readonly unit: string; readonly runs: readonly string[] }[]): void {
    const insert = this.#writer.prepare("INSERT INTO fleet_units (id, fleet, study, state, submitted_at, estimate, runs, unit) VALUES (?, ?, ?, 'submitting', ?, ?, ?, ?)");
    const assign = this.#writer.prepare("INSERT OR REPLACE INTO fleet_runs (run, unit) VALUES (?, ?)");
    this.#change("note units of work", () => {
      for (const { id, study, estimate, unit, runs } of units) {
        insert.run(id, fleet, study, Date.now(), estimate, runs.length, unit);
        for (const run of runs) assign.run(run, id);
      }
    });
  }

  /** Units at a fleet, or at all; the oldest first. */
  units(fleet?: string): StoredUnit[] {
    const of = fleet === undefined ? "" : " WHERE fleet = ?";
    return this.#read(() => this.#reader.prepare<string[], StoredUnit>(`SELECT ${columns} FROM fleet_units${of} ORDER BY submitted_at, id`).all(...(fleet === undefined ? [] : [fleet])));
  }

  unit(id: string): (StoredUnit & TakenIn & { readonly unit: string }) | undefined {
    return this.#read(() => this.#reader.prepare<[string], StoredUnit & TakenIn & { unit: string }>(`SELECT ${columns}, attempt, sequence, unit FROM fleet_units WHERE id = ?`).get(id));
  }

  runsOf(unit: string): FleetRun[] {
    return this.#read(() => this.#reader.prepare<[string], FleetRun>("SELECT run, unit, started, asked FROM fleet_runs WHERE unit = ?").all(unit));
  }

  run(run: string): FleetRun | undefined {
    return this.#read(() => this.#reader.prepare<[string], FleetRun>("SELECT run, unit, started, asked FROM fleet_runs WHERE run = ?").get(run));
  }

  /** Notes what a fleet says of its units. */
  news(units: readonly Pick<StoredUnit, "id" | "state" | "reason" | "job" | "place" | "attempts">[]): void {
    const update = this.#writer.prepare("UPDATE fleet_units SET state = @state, reason = @reason, job = @job, place = @place, attempts = @attempts WHERE id = @id");
    this.#change("note the state of units", () => {
      for (const { id, state, reason, job, place, attempts } of units) update.run({ id, state, reason, job, place, attempts });
    });
  }

  /** Notes segments that are committed, and what trainers said in them when they began. */
  takenIn(units: readonly ({ readonly unit: string; readonly started: readonly { readonly run: string; readonly started: string }[] } & TakenIn)[]): void {
    const update = this.#writer.prepare("UPDATE fleet_units SET attempt = @attempt, sequence = @sequence WHERE id = @unit AND (attempt < @attempt OR (attempt = @attempt AND sequence < @sequence))");
    const begun = this.#writer.prepare("UPDATE fleet_runs SET started = ? WHERE run = ? AND unit = ?");
    this.#change("note segments that were taken in", () => {
      for (const { unit, attempt, sequence, started } of units) {
        update.run({ unit, attempt, sequence });
        for (const { run, started: said } of started) begun.run(said, run, unit);
      }
    });
  }

  /** Notes what the worker of a run was asked for. */
  ask(run: string, asked: FleetRun["asked"]): void {
    this.#change("note a request to a worker", () => this.#writer.prepare("UPDATE fleet_runs SET asked = ? WHERE run = ?").run(asked, run));
  }

  /** These runs are no longer at a fleet. */
  release(runs: readonly string[]): void {
    const release = this.#writer.prepare("DELETE FROM fleet_runs WHERE run = ?");
    this.#change("note runs that left their unit", () => {
      for (const run of runs) release.run(run);
    });
  }

  /** Runs of a fleet that have ended are no longer there: a host that was killed had no time to note that. */
  releaseEnded(fleet: string): void {
    const ended = "unit IN (SELECT id FROM fleet_units WHERE fleet = ?) AND run IN (SELECT id FROM runs WHERE status IN ('finished', 'diverged', 'failed', 'stopped'))";
    const runs = this.#read(() => this.#reader.prepare<[string], string>(`SELECT run FROM fleet_runs WHERE ${ended}`).pluck().all(fleet));
    if (runs.length > 0) this.release(runs);
  }

  /** Units of a fleet that have no runs any more: the fleet may forget them. Failed ones stay until they are removed on purpose. */
  empty(fleet: string): string[] {
    return this.#read(() =>
      this.#reader
        .prepare<[string], string>("SELECT id FROM fleet_units WHERE fleet = ? AND state <> 'failed' AND NOT EXISTS (SELECT 1 FROM fleet_runs WHERE unit = fleet_units.id) ORDER BY id")
        .pluck()
        .all(fleet),
    );
  }

  remove(units: readonly string[]): void {
    const [runs, unit] = [this.#writer.prepare("DELETE FROM fleet_runs WHERE unit = ?"), this.#writer.prepare("DELETE FROM fleet_units WHERE id = ?")];
    this.#change("forget units of work", () => {
      for (const id of units) {
        runs.run(id);
        unit.run(id);
      }
    });
  }

  #read<T>(work: () => T): T {
    return this.#access.read("units at fleets", work);
  }

  #change<T>(what: string, work: () => T): T {
    return this.#access.write.change(what, work);
  }
}
