/** Trains runs at fleets for their host, which stays the only writer of its store. */
import { rm, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { messageOf } from "../../../shared/errors.ts";
import { unit as unitSchema, type Unit, type UnitNeeds } from "../../../shared/fleet/unit.ts";
import type { WorkerState } from "../../../shared/fleet/worker.ts";
import { networkFile, networksFolder } from "../../../core/networks/folder.ts";
import { readCheckpointHeader } from "../../../core/checkpoint/file.ts";
import { requireOwner } from "../../../core/checkpoint/owner.ts";
import { CheckpointFolder } from "../../hosting/checkpoint/folder.ts";
import type { RemotePlace, RemoteProgram } from "../../hosting/process.ts";
import { headerOf } from "../../hosting/runFiles.ts";
import type { FleetRun, StoredUnit, StudyFleet } from "../../store/fleetUnits.ts";
import type { Log } from "../../store/log.ts";
import type { Store } from "../../store/store.ts";
import type { FromTrainer } from "../../trainer/messages.ts";
import { FleetError, type Fleet, type UnitFile } from "../fleet.ts";
import { FleetLink } from "./link.ts";
import { pack, type Program } from "./packing.ts";
import { RemoteTrainer, type RemoteTrainerHooks } from "./remoteTrainer.ts";
import { UnitIntake } from "./unitIntake.ts";

export interface CoordinatorOptions {
  readonly store: Pick<Store, "fleets" | "flush" | "getRun" | "whileHeld" | "pendingRun">;
  readonly storeFolder: string;
  readonly version: string;
  /** @throws FleetError */
  readonly open: (name: string) => Promise<Fleet>;
  /** Names and checksums of a dataset's files. */
  readonly filesOf: (kind: string) => UnitNeeds["dataset"]["files"];
  readonly log: Log;
  /** Milliseconds between checkpoints of a run. */
  readonly checkpointEvery?: number | undefined;
  /** Milliseconds between looks at a fleet. */
  readonly lookEvery?: number | undefined;
  /** Milliseconds in which launches count as one moment. */
  readonly moment?: number | undefined;
  /** Segments that are read at most before they are committed. */
  readonly segments?: number | undefined;
  readonly onChange?: (() => void) | undefined;
}

/** A fleet as the window and the command line show it. */
export interface FleetView {
  readonly name: string;
  /** Why it cannot be used at present; null while it can. */
  readonly problem: string | null;
  readonly units: readonly (StoredUnit & { /** What holds up what was handed in; null for nothing. */ readonly heldUpBy: string | null })[];
}

export class Coordinator {
  readonly #options: CoordinatorOptions;
  readonly #links = new Map<string, FleetLink>();
  readonly #checkpoints: CheckpointFolder;
  /** Programs that are to be packed, by fleet. */
  readonly #launched = new Map<string, Program[]>();
  #closed = false;

  constructor(options: CoordinatorOptions) {
    this.#options = options;
    this.#checkpoints = new CheckpointFolder(options.storeFolder);
  }

  /** Opens a fleet. @throws FleetError saying why it cannot be used */
  async ready(name: string): Promise<void> {
    await this.#link(name).fleet();
  }

  /** Lets fleets forget what a host that was killed has taken in whole. */
  tidy(): void {
    for (const name of new Set(this.#options.store.fleets.units().map(({ fleet }) => fleet))) this.#link(name);
  }

  /** Where the runs of a study train. */
  place(study: Unit["study"], { fleet, unitTime, stepTime }: StudyFleet): RemotePlace {
    return {
      name: fleet,
      program: (size): RemoteProgram => {
        const trainers: RemoteTrainer[] = [];
        return {
          at: (seat) => () => {
            const trainer = new RemoteTrainer(seat, this.#hooksOf(fleet));
            trainers.push(trainer);
            return trainer;
          },
          go: () => this.#go(fleet, { size, study, unitTime, stepTime, trainers }),
        };
      },
    };
  }

  /** Whether a fleet goes on with a run that no host takes in at present. */
  goesOn(run: string): boolean {
    const at = this.#options.store.fleets.run(run);
    // What was asked to stop is trained on by another unit.
    return at !== undefined && at.asked !== "stop";
  }

  /** Fleets that have units or were used here, with their units. */
  list(): FleetView[] {
    const units = this.#options.store.fleets.units();
    const names = new Set([...this.#links.keys(), ...units.map(({ fleet }) => fleet)]);
    return [...names].map((name) => {
      const link = this.#links.get(name);
      const of = units.filter(({ fleet }) => fleet === name).map((unit) => ({ ...unit, heldUpBy: link?.units.get(unit.id)?.problem ?? null }));
      return { name, problem: link?.problem ?? null, units: of };
    });
  }

  /** @throws FleetError */
  async workers(name: string): Promise<readonly WorkerState[]> {
    return (await this.#link(name).fleet()).workers();
  }

  /** @throws FleetError */
  async drain(name: string, worker: string, draining: boolean): Promise<void> {
    await (await this.#link(name).fleet()).drain(worker, draining);
  }

  /** Ends units; their runs are stopped, and go on when their study is resumed. Failed ones are forgotten. @throws FleetError for an unknown one */
  async cancel(ids: readonly string[]): Promise<void> {
    for (const [name, units] of this.#byFleet(ids)) {
      const failed = units.filter(({ state }) => state === "failed").map(({ id }) => id);
      const rest = units.filter(({ state }) => state !== "failed").map(({ id }) => id);
      if (rest.length > 0) await (await this.#link(name).fleet()).cancel(rest);
      this.#options.store.fleets.remove(failed);
      this.#link(name).lookSoon();
    }
    this.#options.onChange?.();
  }

  /** Ends what is left at fleets of studies that were moved to the bin. */
  abandon(studies: readonly string[]): void {
    const { fleets } = this.#options.store;
    const units = fleets.units().filter(({ study }) => studies.includes(study));
    for (const { id, fleet } of units) {
      fleets.release(fleets.runsOf(id).map(({ run }) => run));
      this.#link(fleet).lookSoon();
    }
    fleets.remove(units.filter(({ state }) => state === "failed").map(({ id }) => id));
    if (units.length > 0) this.#options.onChange?.();
  }

  /** Studies of failed units, which are forgotten: the caller trains what they lack again. @throws FleetError for one that did not fail */
  retry(ids: readonly string[]): string[] {
    const units = [...this.#byFleet(ids).values()].flat();
    const other = units.find(({ state }) => state !== "failed");
    if (other) throw new FleetError(`The unit ${other.id} is ${other.state}; only a failed one can be tried again.`, { retry: false });
    this.#options.store.fleets.remove(ids);
    this.#options.onChange?.();
    return [...new Set(units.map(({ study }) => study))];
  }

  /** Takes nothing more in; resolves once the host has let go of its runs. Units go on. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#links.values()].map((link) => link.close()));
  }

  #byFleet(ids: readonly string[]): Map<string, StoredUnit[]> {
    const units = ids.map((id) => {
      const unit = this.#options.store.fleets.unit(id);
      if (!unit) throw new FleetError(`There is no unit ${id} at any fleet.`, { retry: false });
      return unit;
    });
    return Map.groupBy(units, ({ fleet }) => fleet);
  }

  #link(name: string): FleetLink {
    let link = this.#links.get(name);
    if (link) return link;
    const { store, log, open, lookEvery = 2_000, segments = 64, onChange = () => undefined } = this.#options;
    link = new FleetLink({ name, open: () => open(name), store, log, lookEvery, segments, onChange, keepCheckpoint: (run, bytes) => this.#keepCheckpoint(run, bytes) });
    this.#links.set(name, link);
    store.fleets.releaseEnded(name);
    if (store.fleets.empty(name).length > 0) link.lookSoon();
    return link;
  }

  #hooksOf(name: string): RemoteTrainerHooks {
    const { fleets } = this.#options.store;
    const unitOf = (trainer: RemoteTrainer) => [...this.#link(name).units.values()].find(({ trainers }) => trainers.get(trainer.run) === trainer);
    return {
      onSteer: (trainer, type) => {
        const unit = unitOf(trainer);
        if (!unit) return;
        fleets.ask(trainer.run, type === "resume" ? null : type);
        this.#link(name).steer(unit.unit.id, { type, run: trainer.run });
      },
      onKill: (trainer) => {
        const unit = unitOf(trainer);
        if (!unit) return;
        unit.trainers.delete(trainer.run);
        fleets.release([trainer.run]);
        // A unit without runs is canceled with the next look.
        if (unit.trainers.size === 0) this.#link(name).units.delete(unit.unit.id);
        else this.#link(name).steer(unit.unit.id, { type: "leave", run: trainer.run });
        this.#link(name).lookSoon();
      },
      onLeave: (trainer) => {
        const unit = unitOf(trainer);
        if (!unit) return;
        unit.isLeft = true;
        this.#link(name).units.delete(unit.unit.id);
      },
    };
  }

  /** Attaches to runs that are at the fleet, and packs the others together with what is launched in the same moment. */
  #go(name: string, program: Program): void {
    if (this.#closed) return;
    const { fleets } = this.#options.store;
    const fresh = program.trainers.filter((trainer) => {
      const at = this.goesOn(trainer.run) ? fleets.run(trainer.run) : undefined;
      return at === undefined || !this.#attach(name, trainer, at);
    });
    if (fresh.length === 0) return;
    const waiting = this.#launched.get(name);
    const entry = { ...program, trainers: fresh };
    if (waiting) waiting.push(entry);
    else {
      this.#launched.set(name, [entry]);
      void delay(this.#options.moment ?? 250).then(() => this.#submit(name));
    }
  }

  /** False where the unit is not of this fleet or cannot be read. */
  #attach(name: string, trainer: RemoteTrainer, { unit: id, started, asked }: FleetRun): boolean {
    const link = this.#link(name);
    const stored = this.#options.store.fleets.unit(id);
    if (!stored || stored.fleet !== name) return false;
    let intake = link.units.get(id);
    if (!intake) {
      const parsed = unitSchema.safeParse(JSON.parse(stored.unit));
      if (!parsed.success) return false;
      intake = this.#intake(link, parsed.data, stored);
      // It may not have arrived; handing it over again changes nothing otherwise.
      if (stored.state === "submitting") link.submit([{ unit: parsed.data, files: this.#filesOf(parsed.data) }]);
    }
    intake.trainers.set(trainer.run, trainer);
    if (asked === "pause") {
      this.#options.store.fleets.ask(trainer.run, null);
      link.steer(id, { type: "resume", run: trainer.run });
    }
    if (started !== null) {
      const said = JSON.parse(started) as Extract<FromTrainer, { type: "started" }>;
      intake.attach(trainer.run, said);
      void trainer.begun().then(() => trainer.hand({ ...said, attached: true }));
    }
    link.lookSoon();
    return true;
  }

  #intake(link: FleetLink, unit: Unit, taken = { attempt: 0, sequence: -1 }): UnitIntake {
    const intake: UnitIntake = new UnitIntake({
      unit,
      taken: { attempt: taken.attempt, sequence: taken.sequence },
      fleet: { read: async (segment) => (await link.fleet()).read(segment) },
      logged: (run) => this.#options.store.pendingRun(run)?.steps ?? this.#options.store.getRun(run)?.steps ?? 0,
      awaits: (run) => this.#options.store.fleets.run(run)?.unit === unit.id && this.#options.store.getRun(run)?.deletedAt === null,
      keepCheckpoint: (run, upTo) => link.keepCheckpoint(intake, run, upTo),
    });
    link.units.set(unit.id, intake);
    return intake;
  }

  async #submit(name: string): Promise<void> {
    const programs = this.#launched.get(name) ?? [];
    this.#launched.delete(name);
    if (this.#closed) return;
    const link = this.#link(name);
    const { store, version, filesOf, checkpointEvery = 5_000 } = this.#options;
    try {
      const { longest } = await link.fleet().catch(() => ({ longest: null }));
      const packed = pack(programs, { version, filesOf, checkpointEvery, longest });
      store.fleets.submit(name, packed.map(({ unit, trainers }) => ({ id: unit.id, study: unit.study.id, estimate: unit.estimate, unit: JSON.stringify(unit), runs: trainers.map(({ run }) => run) })));
      for (const { unit, trainers } of packed) {
        const intake = this.#intake(link, unit);
        for (const trainer of trainers) if (!trainer.gone) intake.trainers.set(trainer.run, trainer);
      }
      link.submit(packed.map(({ unit, trainers }) => ({ unit, files: this.#filesOf(unit, new Set(trainers.filter(({ order }) => order!.checkpoints?.resume).map(({ run }) => run))) })));
      this.#options.onChange?.();
    } catch (error) {
      for (const { trainers } of programs) for (const trainer of trainers) {
        trainer.hand({ type: "failed", message: `It could not be handed to ${name}: ${messageOf(error)}` });
        trainer.exited({ code: 0, signal: null, stderr: "" });
      }
    }
  }

  /** Files that go with a unit. @param resume runs that go on from their checkpoints; by default all that have one */
  #filesOf({ programs, needs }: Unit, resume?: ReadonlySet<string>): UnitFile[] {
    const runs = programs.flatMap(({ members }) => members.map(({ run }) => run)).filter((run) => (resume ? resume.has(run) : true) && existsSync(this.#checkpoints.fileOf(run)));
    const folder = networksFolder(this.#options.storeFolder);
    return [
      ...runs.map((run) => ({ kind: "checkpoint", name: run, path: this.#checkpoints.fileOf(run) }) as const),
      ...needs.networks.map((hash) => ({ kind: "network", name: hash, path: networkFile(folder, hash) }) as const),
    ];
  }

  /** Puts a checkpoint in place that a worker handed in. @throws CheckpointError where it is not this run's, or ahead of its log */
  async #keepCheckpoint(id: string, bytes: Uint8Array): Promise<void> {
    const { store } = this.#options;
    const run = store.getRun(id);
    if (!run) return;
    this.#checkpoints.prepare();
    const pending = this.#checkpoints.pendingFileOf(id, "fleet");
    try {
      await writeFile(pending, bytes, { mode: 0o600, flush: true });
      const { header } = await headerOf(pending, readCheckpointHeader);
      requireOwner(header, run);
      if (!store.flush()) return;
      if (header.position.step > (store.getRun(id)?.steps ?? 0)) return;
      const accept = await this.#checkpoints.accepting(run, pending);
      store.whileHeld(id, accept);
    } finally {
      await rm(pending, { force: true });
    }
  }
}
