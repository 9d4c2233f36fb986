/** Units of a queue, for a worker: all that it does goes through functions that its role may call. */
import { randomUUID } from "node:crypto";
import { cpus } from "node:os";
import { unit as unitSchema, type Unit } from "../../../shared/fleet/unit.ts";
import type { WorkerState } from "../../../shared/fleet/worker.ts";
import { messageOf } from "../../../shared/errors.ts";
import { FleetError } from "../fleet.ts";
import type { Claim, WorkSource } from "../worker/source.ts";
import { parseAddress } from "./address.ts";
import { QueueClaim } from "./claim.ts";
import { CoreLoad } from "./coreLoad.ts";
import { QueueDatabase } from "./database.ts";
import { requireVersion } from "./init.ts";
import { channels } from "./schema/names.ts";

export interface QueueSourceOptions {
  /** Folder on this machine for networks of units. */
  readonly networks: string;
  /** Milliseconds between signs of life. */
  readonly beat?: number;
  /** Milliseconds between looks for a unit, where no notification comes. */
  readonly poll?: number;
  /** Ends when no unit waits, instead of waiting for one. */
  readonly untilEmpty?: boolean;
  /** The queue cannot be reached, and why; null once it can again. */
  readonly onProblem?: (problem: string | null) => void;
}

const defaults = { beat: 10_000, poll: 15_000, untilEmpty: false } as const;

export class QueueSource implements WorkSource {
  readonly #database: QueueDatabase;
  readonly #options: QueueSourceOptions & typeof defaults;
  readonly #secret = randomUUID();
  readonly #claims = new Map<string, QueueClaim>();
  /** What units need, and those that cannot be read: units never change. */
  readonly #offers = new Map<string, Unit | FleetError>();
  readonly #load = new CoreLoad(cpus);
  #hello: readonly unknown[] = [];
  #id = "";
  #timer: NodeJS.Timeout | undefined;
  #unlisten: (() => void) | undefined;
  #beating: Promise<void> | undefined;
  #closed = false;
  #draining = false;
  #problem = false;
  #shutting: Promise<void> | undefined;
  /** Counts notifications, so that none is missed while a unit is looked for. */
  #news = 0;
  readonly #waiting = new Set<() => void>();

  private constructor(database: QueueDatabase, options: QueueSourceOptions) {
    this.#database = database;
    this.#options = { ...defaults, ...options } as QueueSourceOptions & typeof defaults;
  }

  /** @param url of the role of workers @throws FleetError that says what is wrong; also where the queue cannot be reached at present */
  static async open(url: string, options: QueueSourceOptions): Promise<QueueSource> {
    const address = parseAddress(url);
    const database = await QueueDatabase.open(address, "hypertower worker");
    try {
      const [{ version }] = (await database.query<{ version: number }>("SELECT hypertower.version() AS version")) as [{ version: number }];
      requireVersion(version, address.place);
      return new QueueSource(database, options);
    } catch (error) {
      await database.close();
      throw error;
    }
  }

  async begin({ id, machine, startedAt }: Omit<WorkerState, "seenAt" | "load" | "units" | "draining">): Promise<void> {
    this.#id = id;
    this.#hello = [id, this.#secret, JSON.stringify(machine), startedAt];
    await this.#greet();
    this.#unlisten = this.#database.listen(channels.work, () => this.#onWork());
    this.#timer = setInterval(() => void this.beat(), this.#options.beat);
  }

  async next(canTrain: (unit: Unit) => string | null): Promise<Claim | null> {
    while (!this.#closed) {
      const news = this.#news;
      try {
        const claim = await this.#take(canTrain);
        this.#report(null);
        if (claim) return claim;
        if (this.#options.untilEmpty) return null;
      } catch (error) {
        if (!(await this.#survives(error))) throw error;
      }
      await this.#newsAfter(news);
    }
    return null;
  }

  /** A sign of life for this worker and its claims; also learns what no longer holds. */
  beat(): Promise<void> {
    return (this.#beating ??= this.#beat().finally(() => (this.#beating = undefined)));
  }

  /** Offers no further unit. The connections stay until the last unit is handed in, or until close() is called again. */
  async close(): Promise<void> {
    const again = this.#closed;
    this.#closed = true;
    this.#tell();
    if (again || this.#claims.size === 0) await this.#shut();
  }

  /** Lets go at once without telling the queue, which gives the units to others after a while. */
  async abandon(): Promise<void> {
    this.#closed = true;
    this.#tell();
    clearInterval(this.#timer);
    this.#shutting ??= this.#database.close();
    await this.#shutting;
  }

  #shut(): Promise<void> {
    return (this.#shutting ??= this.#disconnect());
  }

  async #disconnect(): Promise<void> {
    clearInterval(this.#timer);
    this.#unlisten?.();
    await this.#beating;
    await this.#database.query("SELECT hypertower.bye($1, $2)", [this.#id, this.#secret]).catch(() => undefined);
    await this.#database.close();
  }

  #onWork(): void {
    this.#tell();
    for (const claim of this.#claims.values()) void claim.readSteering();
    // Tells of units that were canceled.
    if (this.#claims.size > 0) void this.beat();
  }

  #greet(): Promise<unknown> {
    return this.#database.query("SELECT hypertower.hello($1, $2, $3, $4)", this.#hello);
  }

  async #beat(): Promise<void> {
    try {
      const [row] = await this.#database.query<{ answer: { draining: boolean; lost: Record<string, string> } }>("SELECT hypertower.beat($1, $2, $3, $4) AS answer", [this.#id, this.#secret, this.#load.busy(), [...this.#claims.keys()]]);
      const { draining, lost } = row!.answer;
      for (const [id, reason] of Object.entries(lost)) this.#claims.get(id)?.lose(reason);
      if (this.#draining && !draining) this.#tell();
      this.#draining = draining;
      this.#report(null);
    } catch (error) {
      await this.#survives(error);
    }
  }

  /** Whether work may go on after a failure: the queue is away for a while, or has forgotten this worker while it was. */
  async #survives(error: unknown): Promise<boolean> {
    if (this.#closed) return true;
    if (error instanceof FleetError && !error.retry) {
      const greeted = await this.#greet().then(() => true, () => false);
      if (!greeted) this.#report(messageOf(error));
      return greeted;
    }
    this.#report(messageOf(error));
    return true;
  }

  #report(problem: string | null): void {
    if (problem === null && !this.#problem) return;
    // Said once for each outage.
    if (problem === null || !this.#problem) this.#options.onProblem?.(problem);
    this.#problem = problem !== null;
  }

  #tell(): void {
    this.#news++;
    for (const wake of this.#waiting) wake();
  }

  /** Resolves at the next notification after number `news`, or when it is time to look again. */
  #newsAfter(news: number): Promise<void> {
    if (this.#news > news || this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, this.#options.poll * (0.75 + Math.random() / 2));
      this.#waiting.add(wake);
    });
  }

  async #take(canTrain: (unit: Unit) => string | null): Promise<Claim | null> {
    const who = [this.#id, this.#secret];
    const [row] = await this.#database.query<{ waiting: string[] }>("SELECT hypertower.waiting($1, $2) AS waiting", who);
    const waiting = row!.waiting;
    for (const id of this.#offers.keys()) if (!waiting.includes(id)) this.#offers.delete(id);
    for (const id of waiting) {
      const unit = await this.#offered(id);
      if (!unit || this.#closed) continue;
      const problem = unit instanceof FleetError ? unit.message : canTrain(unit);
      if (problem !== null) {
        await this.#database.query("SELECT hypertower.refuse($1, $2, $3, $4)", [...who, id, `${this.#id}: ${problem}`]);
        continue;
      }
      const [taken] = await this.#database.query<{ claim: string; attempt: number }>("SELECT claim, attempt FROM hypertower.claim($1, $2, $3)", [...who, id]);
      if (!taken) continue;
      const claim = new QueueClaim({ database: this.#database, id: taken.claim, unit: unit as Unit, attempt: taken.attempt, networks: this.#options.networks, onDone: () => this.#forget(taken.claim) });
      this.#claims.set(taken.claim, claim);
      return claim;
    }
    return null;
  }

  #forget(claim: string): void {
    this.#claims.delete(claim);
    if (this.#closed && this.#claims.size === 0) void this.#shut();
  }

  /** A waiting unit; null when another worker has taken it meanwhile. */
  async #offered(id: string): Promise<Unit | FleetError | null> {
    const known = this.#offers.get(id);
    if (known) return known;
    const [row] = await this.#database.query<{ document: string | null }>("SELECT hypertower.offer($1, $2, $3) AS document", [this.#id, this.#secret, id]);
    if (row!.document === null) return null;
    const offer = readUnit(row!.document);
    this.#offers.set(id, offer);
    return offer;
  }
}

function readUnit(document: string): Unit | FleetError {
  try {
    return unitSchema.parse(JSON.parse(document));
  } catch (error) {
    return new FleetError(`the unit cannot be read by this version of Hypertower: ${messageOf(error).slice(0, 500)}`, { retry: false });
  }
}
