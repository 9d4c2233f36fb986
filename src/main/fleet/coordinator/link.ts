/** The coordinator's side of one fleet: hands units over, looks at them every few seconds, and takes in what came. */
import { setTimeout as delay } from "node:timers/promises";
import { messageOf } from "../../../shared/errors.ts";
import type { Log } from "../../store/log.ts";
import type { StoredUnitState } from "../../store/fleetUnits.ts";
import type { Store } from "../../store/store.ts";
import { FleetError, type CheckpointRef, type Fleet, type SegmentRef, type UnitNews, type UnitPackage, type UnitSteering } from "../fleet.ts";
import { HostileError } from "./runCheck.ts";
import type { RemoteTrainer } from "./remoteTrainer.ts";
import type { UnitIntake } from "./unitIntake.ts";

export interface LinkOptions {
  readonly name: string;
  readonly open: () => Promise<Fleet>;
  readonly store: Pick<Store, "fleets" | "flush">;
  readonly log: Log;
  /** Milliseconds between looks. */
  readonly lookEvery: number;
  /** Segments that are read at most before they are committed. */
  readonly segments: number;
  /** Stores a checkpoint of a run that has ended early. */
  readonly keepCheckpoint: (run: string, bytes: Uint8Array) => Promise<void>;
  /** The units or their state changed. */
  readonly onChange: () => void;
}

/** Milliseconds that forgetting units may take when the host closes. */
const forgetWithin = 5_000;

/** Looks at which a fleet may not know a unit that it was given. */
const unknownLooks = 5;

const over: ReadonlySet<UnitNews["state"]> = new Set(["ended", "failed", "canceled"]);

export class FleetLink {
  readonly units = new Map<string, UnitIntake>();
  /** Why the fleet cannot be used at present; null while it can. */
  problem: string | null = null;
  readonly #options: LinkOptions;
  #fleet: Promise<Fleet> | undefined;
  #packages: UnitPackage[] = [];
  #steering: { readonly unit: string; readonly steering: UnitSteering }[] = [];
  #checkpoints = new Map<string, CheckpointRef>();
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #again = false;
  #failures = 0;
  #looks = 0;
  #closed = false;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  /** The fleet, opened where it is not. @throws FleetError */
  fleet(): Promise<Fleet> {
    this.#fleet ??= this.#options.open().then((fleet) => {
      fleet.onNews?.(() => this.lookSoon());
      return fleet;
    });
    this.#fleet.catch(() => (this.#fleet = undefined));
    return this.#fleet;
  }

  /** Hands units over, now or when the fleet can be reached. */
  submit(packages: readonly UnitPackage[]): void {
    this.#packages.push(...packages);
    this.lookSoon();
  }

  steer(unit: string, steering: UnitSteering): void {
    this.#steering.push({ unit, steering });
    this.lookSoon();
  }

  lookSoon(): void {
    if (this.#closed) return;
    if (this.#looking) {
      this.#again = true;
      return;
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#look(), 0);
  }

  /** Resolves when nothing more is taken in, once the host has let go of the runs. Units go on. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#looking;
    const fleet = await this.#fleet?.catch(() => undefined);
    // A command that ends with its study leaves nothing behind, where the fleet answers.
    if (fleet && this.#failures === 0) await Promise.race([this.#forget(fleet).catch(() => undefined), delay(forgetWithin, undefined, { ref: false })]);
    await fleet?.close().catch((error: unknown) => this.#options.log.warn(`fleet ${this.#options.name}: ${messageOf(error)}`));
  }

  /** A checkpoint that was handed in of a run, where all before it was taken in. */
  async keepCheckpoint(unit: UnitIntake, run: string, upTo = unit.taken): Promise<void> {
    const ref = this.#checkpoints.get(`${unit.unit.id} ${run}`);
    if (!ref || ref.attempt > upTo.attempt || (ref.attempt === upTo.attempt && ref.sequence > upTo.sequence)) return;
    await this.#options.keepCheckpoint(run, await (await this.fleet()).readCheckpoint(ref));
  }

  async #look(): Promise<void> {
    if (this.#closed || this.#looking) return;
    this.#again = false;
    let more = false;
    this.#looking = this.#round().then(
      (filled) => {
        more = filled;
        this.#failures = 0;
        this.#says(null);
      },
      (error: unknown) => {
        this.#failures++;
        if (error instanceof FleetError && !error.retry) this.#refused(messageOf(error));
        this.#says(messageOf(error));
      },
    );
    await this.#looking;
    this.#looking = undefined;
    if (this.#closed) return;
    const busy = this.units.size + this.#packages.length + this.#steering.length > 0;
    if (!busy && !this.#again) return;
    const wait = this.#failures > 0 ? this.#options.lookEvery * Math.min(8, 2 ** this.#failures) : more || this.#again ? 0 : this.#options.lookEvery;
    this.#timer = setTimeout(() => void this.#look(), wait);
  }

  #says(problem: string | null): void {
    if (problem === this.problem) return;
    this.problem = problem;
    if (problem !== null) this.#options.log.warn(`fleet ${this.#options.name}: ${problem}`);
    this.#options.onChange();
  }

  /** Hands over what waits, looks, and takes in what came. Returns whether more may be there. */
  async #round(): Promise<boolean> {
    const { store, segments: most } = this.#options;
    const fleet = await this.fleet();
    await this.#handOver(fleet);
    await this.#forget(fleet);
    if (this.units.size === 0) return false;
    const news = await fleet.look(this.#toLookAt(), most);
    this.#checkpoints = new Map(news.checkpoints.map((ref) => [`${ref.unit} ${ref.run}`, ref]));
    this.#note(news.units);
    const segments = Map.groupBy(news.segments, ({ unit }) => unit);
    const done: SegmentRef[] = [];
    const failed = new Set<string>();
    for (const [id, refs] of segments) {
      const unit = this.units.get(id);
      // Of a submission that does not count any more.
      if (!unit || this.#closed) continue;
      try {
        done.push(...(await unit.take(refs)));
      } catch (error) {
        if (!(error instanceof HostileError)) throw error;
        failed.add(id);
        await this.#setAside(fleet, unit, error.message);
      }
    }
    store.flush();
    await this.#commit(fleet, done.filter(({ unit }) => !failed.has(unit)));
    const isWhole = news.segments.length < most;
    for (const unit of [...this.units.values()]) await this.#finish(fleet, unit, isWhole && !segments.has(unit.unit.id));
    return !isWhole && done.length > 0;
  }

  /** What is held up fills no look in which others could be taken in: it comes last, and in every second look only. */
  #toLookAt(): string[] {
    const [held, others] = [[...this.units.values()].filter(({ problem }) => problem !== null), [...this.units.values()].filter(({ problem }) => problem === null)];
    this.#looks++;
    return [...others, ...(others.length > 0 && this.#looks % 2 === 1 ? [] : held)].map(({ unit }) => unit.id);
  }

  async #handOver(fleet: Fleet): Promise<void> {
    const packages = [...this.#packages];
    if (packages.length > 0) {
      await fleet.submit(packages);
      this.#packages = this.#packages.filter((one) => !packages.includes(one));
      this.#options.store.fleets.news(packages.map(({ unit: { id } }) => ({ id, state: "waiting", reason: null, job: null, place: null, attempts: 0 })));
      this.#options.onChange();
    }
    for (let next = this.#steering[0]; next; next = this.#steering[0]) {
      if (next.steering.type === "leave" && next.steering.run === null) await fleet.cancel([next.unit]);
      else await fleet.steer(next.unit, next.steering);
      this.#steering.shift();
    }
  }

  /** Removes what is left of units whose runs are all over. */
  async #forget(fleet: Fleet): Promise<void> {
    const { store, name } = this.#options;
    const empty = store.fleets.empty(name).filter((id) => !this.units.has(id));
    if (empty.length === 0) return;
    await fleet.cancel(empty);
    await fleet.forget(empty);
    store.fleets.remove(empty);
    this.#options.onChange();
  }

  #note(news: readonly UnitNews[]): void {
    const changed = news.filter((now) => {
      const before = this.units.get(now.unit)?.news;
      return !before || before.state !== now.state || before.reason !== now.reason || before.where !== now.where || before.attempts !== now.attempts || before.job !== now.job;
    });
    for (const now of changed) {
      const unit = this.units.get(now.unit);
      if (!unit) continue;
      unit.news = now;
      if (now.state === "running") for (const trainer of unit.trainers.values()) void trainer.begun();
    }
    if (changed.length === 0) return;
    this.#options.store.fleets.news(changed.map(({ unit: id, state, reason, job, where, attempts }) => ({ id, state: state as StoredUnitState, reason, job, place: where, attempts })));
    this.#options.onChange();
  }

  /** Waits until all that was handed over is committed, remembers that, and only then lets the fleet delete it. */
  async #commit(fleet: Fleet, done: readonly SegmentRef[]): Promise<void> {
    if (done.length === 0) return;
    const units = [...new Set(done.map(({ unit }) => unit))].flatMap((id) => this.units.get(id) ?? []);
    await Promise.all(units.flatMap(({ trainers }) => [...trainers.values()].map((trainer) => trainer.settled())));
    const whole = units.filter(({ isLeft }) => !isLeft);
    const news = whole.flatMap((unit) => unit.toRemember ?? []);
    if (news.length > 0) this.#options.store.fleets.takenIn(news);
    for (const unit of whole) unit.remembered();
    const known = new Set(whole.map(({ unit }) => unit.id));
    await fleet.taken(done.filter(({ unit }) => known.has(unit)));
  }

  /** Ends what is over: runs whose end was taken in, and those of a unit that goes no further. */
  async #finish(fleet: Fleet, unit: UnitIntake, isQuiet: boolean): Promise<void> {
    const { store, name } = this.#options;
    this.#release(unit, [...unit.trainers.values()].filter(({ run }) => unit.isOver(run)));
    const { news } = unit;
    unit.unknown = news?.state === "unknown" ? unit.unknown + 1 : 0;
    const isOver = news && (over.has(news.state) || unit.unknown >= unknownLooks);
    unit.quiet = isOver && isQuiet ? unit.quiet + 1 : 0;
    // The state may be newer than the list of segments: the next look shows all.
    if (news && unit.quiet > 1 && unit.trainers.size > 0) {
      const reason =
        news.state === "canceled" ? `Canceled at ${name}.` : news.state === "ended" ? `Its worker at ${name} handed in no end of the run.` : news.state === "failed" ? `${name} set its unit aside: ${news.reason ?? "no reason was given"}` : `${name} does not have its unit any more.`;
      for (const trainer of unit.trainers.values()) {
        await this.keepCheckpoint(unit, trainer.run).catch((error: unknown) => this.#options.log.warn(`fleet ${name}: the checkpoint of run ${trainer.run} could not be kept: ${messageOf(error)}`));
        if (news.state === "canceled") trainer.hand({ type: "ended", outcome: "stopped", reason, step: unit.stepOf(trainer.run), hyperparameters: {} });
        else trainer.hand({ type: "failed", message: reason });
        trainer.hand({ type: "mark" });
      }
      store.flush();
      await Promise.all([...unit.trainers.values()].map((trainer) => trainer.settled()));
      this.#release(unit, [...unit.trainers.values()]);
      if (news.state === "failed") await fleet.forget([unit.unit.id]);
    }
    if (unit.trainers.size === 0) {
      this.units.delete(unit.unit.id);
      this.#again = true;
    }
  }

  /** Runs are not at their unit any more. Those that the host let go of are. */
  #release(unit: UnitIntake, trainers: readonly RemoteTrainer[]): void {
    if (trainers.length === 0) return;
    this.#options.store.fleets.release(trainers.filter(({ left }) => !left).map(({ run }) => run));
    for (const trainer of trainers) {
      unit.trainers.delete(trainer.run);
      trainer.exited({ code: 0, signal: null, stderr: "" });
    }
    this.#options.onChange();
  }

  /** A unit whose worker hands in what cannot be: it is ended, its runs fail with the reason, and nothing more of it is read. */
  async #setAside(fleet: Fleet, unit: UnitIntake, problem: string): Promise<void> {
    const { store, log, name } = this.#options;
    const reason = `Its unit at ${name} was set aside: ${problem}.`;
    log.warn(`fleet ${name}: unit ${unit.unit.id} was set aside: ${problem}`);
    for (const trainer of unit.trainers.values()) {
      trainer.hand({ type: "failed", message: reason });
      trainer.hand({ type: "mark" });
    }
    store.flush();
    await Promise.all([...unit.trainers.values()].map((trainer) => trainer.settled()));
    store.fleets.news([{ id: unit.unit.id, state: "failed", reason: problem, job: unit.news?.job ?? null, place: unit.news?.where ?? null, attempts: unit.news?.attempts ?? 0 }]);
    this.#release(unit, [...unit.trainers.values()]);
    this.units.delete(unit.unit.id);
    await fleet.cancel([unit.unit.id]);
    await fleet.forget([unit.unit.id]);
  }

  /** The fleet will not take what waits, until something changes: its runs fail with the reason. */
  #refused(reason: string): void {
    const refused = new Set(this.#packages.map(({ unit }) => unit.id));
    this.#packages = [];
    for (const id of refused) {
      const unit = this.units.get(id);
      if (!unit) continue;
      for (const trainer of unit.trainers.values()) trainer.hand({ type: "failed", message: reason });
      this.#release(unit, [...unit.trainers.values()]);
      this.units.delete(id);
      this.#options.store.fleets.remove([id]);
    }
  }
}
