/** Takes in what a unit's workers hand in: segments in order, each once, checked before anything of it reaches a log. */
import { messageOf } from "../../../shared/errors.ts";
import { runsOf, type Unit } from "../../../shared/fleet/unit.ts";
import type { TakenIn } from "../../store/fleetUnits.ts";
import type { FromTrainer } from "../../trainer/messages.ts";
import type { Fleet, SegmentRef, UnitNews } from "../fleet.ts";
import { decodeSegment, SegmentError, type SegmentEntry } from "../segment.ts";
import { HostileError, RunCheck } from "./runCheck.ts";
import type { RemoteTrainer } from "./remoteTrainer.ts";

type Started = Extract<FromTrainer, { type: "started" }>;

export interface UnitIntakeOptions {
  readonly unit: Unit;
  readonly fleet: Pick<Fleet, "read">;
  /** The last segment that is committed. */
  readonly taken: TakenIn;
  /** Number of steps of a run that are in the store. */
  readonly logged: (run: string) => number;
  /** Whether the host is still to attach to a run of the unit. */
  readonly awaits: (run: string) => boolean;
  /** Stores the newest checkpoint of a run that is about to end and can be resumed. */
  readonly keepCheckpoint: (run: string, upTo: TakenIn) => Promise<void>;
}

/** Why a segment cannot be taken in at present. `inOrder`: nothing is wrong; the host or the worker is still to do something. */
interface Wait {
  readonly why: string;
  readonly inOrder?: boolean;
}

/** Looks after which a segment that is missing or damaged will not come any more. */
const patience = 60;

export class UnitIntake {
  readonly unit: Unit;
  readonly trainers = new Map<string, RemoteTrainer>();
  /** What the fleet said of it last. */
  news: UnitNews | undefined;
  /** Consecutive looks at which the fleet did not know it, and at which it was over and nothing was there to take in. */
  unknown = 0;
  quiet = 0;
  /** Whether the host let go of a run of it: nothing of it is acknowledged any more, for another host takes it in. */
  isLeft = false;
  readonly #options: UnitIntakeOptions;
  readonly #checks: ReadonlyMap<string, RunCheck>;
  /** The last segment that was handed over, and the last that is committed. */
  #at: TakenIn;
  #taken: TakenIn;
  #host: string | null = null;
  #started: { run: string; started: string }[] = [];
  #end: Extract<SegmentEntry, { type: "end" }> | undefined;
  /** Consecutive looks in which nothing could be taken in although something is there. */
  #stuck = 0;
  #problem: string | null = null;
  /** A segment of which only a part was handed over, since its reader has to wait. */
  #part: { readonly ref: SegmentRef; readonly done: number } | undefined;

  constructor(options: UnitIntakeOptions) {
    this.#options = options;
    this.unit = options.unit;
    this.#at = this.#taken = options.taken;
    this.#checks = new Map(runsOf(options.unit).map(({ run }) => [run, new RunCheck(run)]));
  }

  get taken(): TakenIn {
    return this.#taken;
  }

  /** What holds it up; null for nothing. */
  get problem(): string | null {
    return this.#problem;
  }

  /** How the newest attempt ended that was taken in; undefined while it has not. */
  get end(): Extract<SegmentEntry, { type: "end" }> | undefined {
    return this.#end;
  }

  /** A run whose beginning an earlier host has taken in. */
  attach(run: string, started: Started): void {
    this.#checks.get(run)?.attach(started);
  }

  /** Steps trained of a run, as far as they were handed in. */
  stepOf(run: string): number {
    return this.#checks.get(run)?.step ?? 0;
  }

  /**
   * Hands over segments, in order of attempt and sequence.
   * @returns those that are committed already, or will be once all trainers have settled
   * @throws HostileError for what no worker hands in; FleetError where the fleet cannot be read at present
   */
  async take(segments: readonly SegmentRef[]): Promise<SegmentRef[]> {
    const done: SegmentRef[] = [];
    let waits: Wait | null = null;
    const ordered = segments.toSorted((a, b) => a.attempt - b.attempt || a.sequence - b.sequence);
    for (const [i, ref] of ordered.entries()) {
      if (isAfter(ref, this.#at)) {
        // What follows a gap counts for nothing, unless another attempt goes on before it.
        if (waits && ref.attempt === this.#at.attempt) continue;
        const problem = (await this.#isTooEarly(ref, ordered[i + 1])) ?? (await this.#next(ref));
        if (problem !== null) {
          waits ??= problem;
          continue;
        }
        waits = null;
      }
      done.push(ref);
    }
    this.#problem = waits?.why ?? null;
    this.#stuck = waits === null || waits.inOrder || done.some((ref) => isAfter(ref, this.#taken)) ? 0 : this.#stuck + 1;
    if (this.#stuck > patience) throw new HostileError(this.#problem!);
    for (const trainer of this.trainers.values()) trainer.hand({ type: "mark" });
    return done;
  }

  /** What the store is to remember once all that was handed over is committed; undefined where it knows all. */
  get toRemember(): (TakenIn & { readonly unit: string; readonly started: readonly { run: string; started: string }[] }) | undefined {
    return isAfter(this.#at, this.#taken) ? { unit: this.unit.id, ...this.#at, started: this.#started } : undefined;
  }

  /** The store remembers what it was to. */
  remembered(): void {
    if (!isAfter(this.#at, this.#taken)) return;
    this.#taken = this.#at;
    this.#started = [];
  }

  /** Hands over the next segment. Returns why it cannot be at present; null if it was. */
  async #next(ref: SegmentRef): Promise<Wait | null> {
    const { attempt, sequence } = this.#at;
    const isNext = ref.attempt === attempt ? ref.sequence === sequence + 1 : ref.sequence === 0;
    if (!isNext) return { why: `segment ${ref.attempt === attempt ? sequence + 1 : 0} of attempt ${ref.attempt} is missing` };
    const entries = await this.#read(ref);
    if ("why" in entries) return entries;
    if (ref.sequence === 0 && entries[0]?.type !== "attempt") throw new HostileError("the first segment of an attempt does not say which worker it is of");
    const done = this.#part?.ref.attempt === ref.attempt && this.#part.ref.sequence === ref.sequence ? this.#part.done : 0;
    for (let i = done; i < entries.length; i++) {
      if (this.#end && entries[i]!.type !== "attempt") throw new HostileError("its worker handed in something after the end of its attempt");
      const waits = this.#isEarly(entries[i]!, ref) ?? (await this.#entry(entries[i]!, ref));
      if (waits === null) continue;
      this.#part = { ref, done: i };
      return waits;
    }
    this.#part = undefined;
    this.#at = { attempt: ref.attempt, sequence: ref.sequence };
    return null;
  }

  /** Segments of the attempt before count for nothing once another is taken in: its first runs must go on where those end. */
  async #isTooEarly(ref: SegmentRef, then: SegmentRef | undefined): Promise<Wait | null> {
    if (ref.sequence !== 0 || ref.attempt === 1 || this.#part) return null;
    const isNext = then?.attempt === ref.attempt && then.sequence === 1;
    for (const each of isNext ? [ref, then] : [ref]) {
      const entries = await this.#read(each);
      if ("why" in entries) return entries;
      for (const entry of entries) {
        if (entry.type === "end") return null;
        const early = this.#isEarly(entry, each);
        if (early) return early;
      }
    }
    return isNext ? null : { why: `attempt ${ref.attempt} has begun`, inOrder: true };
  }

  async #read(ref: SegmentRef): Promise<readonly SegmentEntry[] | Wait> {
    try {
      return decodeSegment(await this.#options.fleet.read(ref), ref).entries;
    } catch (error) {
      if (error instanceof SegmentError) return { why: error.message };
      throw error;
    }
  }

  /** Why an entry has to wait: another attempt goes on where segments of the earlier one are still to come. */
  #isEarly(entry: SegmentEntry, { attempt }: SegmentRef): Wait | null {
    if (entry.type !== "run" || entry.message.type !== "started" || !this.trainers.has(entry.run)) return null;
    const [from, logged] = [entry.message.from?.step ?? 0, this.#options.logged(entry.run)];
    return from <= logged ? null : { why: `attempt ${attempt} goes on at step ${from} of run ${entry.run}, of which ${logged} steps were handed in` };
  }

  async #entry(entry: SegmentEntry, ref: SegmentRef): Promise<Wait | null> {
    if (entry.type === "attempt") {
      if (ref.sequence !== 0) throw new HostileError("an attempt begins in its midst");
      this.#end = undefined;
      this.#host = entry.machine.host;
      for (const check of this.#checks.values()) check.attempt();
      return null;
    }
    if (entry.type === "end") {
      this.#end = entry;
      return null;
    }
    const { run, message } = entry;
    const check = this.#checks.get(run);
    if (!check) throw new HostileError(`its worker handed in something of run ${run}, which is not of the unit`);
    if (check.repeated) return null;
    const trainer = this.trainers.get(run);
    if (!trainer && this.#options.awaits(run)) return { why: `run ${run} is not resumed here yet`, inOrder: true };
    // The run is not at this unit any more, or had ended before this host came.
    if (!trainer) return null;
    check.check(message);
    await trainer.begun();
    if (message.type === "started") {
      const device = this.#host === null ? message.device : `${message.device} of ${this.#host}`;
      const started: Started = { ...message, device };
      this.#started.push({ run, started: JSON.stringify(started) });
      trainer.hand(started);
      return null;
    }
    if (message.type === "failed" || (message.type === "ended" && message.outcome === "stopped")) {
      await this.#options.keepCheckpoint(run, { attempt: ref.attempt, sequence: ref.sequence }).catch((error: unknown) => {
        this.#problem = messageOf(error);
      });
    }
    trainer.hand(message);
    return null;
  }

  /** Whether the end of a run was handed in. */
  isOver(run: string): boolean {
    return this.#checks.get(run)?.over ?? false;
  }
}

export const isAfter = (a: TakenIn, b: TakenIn): boolean => a.attempt > b.attempt || (a.attempt === b.attempt && a.sequence > b.sequence);
