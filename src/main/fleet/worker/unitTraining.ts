/** Trains the programs of a unit one after another, and hands in what their runs report. */
import { join } from "node:path";
import { messageOf } from "../../../shared/errors.ts";
import type { UnitProgram, UnitRun } from "../../../shared/fleet/unit.ts";
import type { WorkerMachine } from "../../../shared/fleet/worker.ts";
import { CohortProcess } from "../../hosting/cohortProcess.ts";
import type { LaunchTrainer } from "../../hosting/process.ts";
import { TrainerPool } from "../../hosting/trainerPool.ts";
import type { WatchdogOptions } from "../../hosting/watchdog.ts";
import type { UnitSteering } from "../fleet.ts";
import { RunTraining } from "./runTraining.ts";
import type { Claim } from "./source.ts";
import { Spool, type SpoolOptions } from "./spool.ts";
import { SteeringState } from "./steering.ts";
import { untilDone } from "./backoff.ts";

export interface UnitTrainingOptions {
  readonly worker: string;
  readonly machine: WorkerMachine;
  readonly launch: LaunchTrainer;
  /** Folder on the worker's own disk, for this attempt alone. */
  readonly folder: string;
  /** A trainer that does not leave within this time (milliseconds) is killed. */
  readonly leaveWithin?: number;
  /** Milliseconds that handing in may still take once the unit is left. */
  readonly handInWithin?: number;
  readonly spool?: Partial<Pick<SpoolOptions, "closeAfter" | "closeBytes" | "maxBytes" | "retryAfter">>;
  readonly watch?: WatchdogOptions;
  /** A line for the worker's output. */
  readonly say?: (line: string) => void;
}

/** `left`: to be continued; `asked`: because the coordinator asked for it. `lost`: the unit was taken away. */
export type UnitTrained =
  | { readonly type: "ended" }
  | { readonly type: "left"; readonly reason: string; readonly asked: boolean }
  | { readonly type: "failed"; readonly reason: string }
  | { readonly type: "lost"; readonly reason: string };

/** Cohorts up to this size write checkpoints as often as a single run; larger ones less often. */
const membersAtPace = 16;

export class UnitTraining {
  readonly done: Promise<UnitTrained>;
  readonly #claim: Claim;
  readonly #options: Required<Pick<UnitTrainingOptions, "leaveWithin" | "handInWithin" | "say">> & UnitTrainingOptions;
  readonly #steering = new SteeringState();
  readonly #active = new Map<string, RunTraining>();
  readonly #left = new Set<string>();
  readonly #abort = new AbortController();
  readonly #spool: Spool;
  #leaving: { readonly reason: string; readonly asked: boolean } | undefined;
  #lost: string | undefined;

  constructor(claim: Claim, options: UnitTrainingOptions) {
    this.#claim = claim;
    this.#options = { leaveWithin: 20_000, handInWithin: 60_000, say: () => undefined, ...options };
    const { say, spool, folder } = this.#options;
    this.#spool = new Spool({
      claim,
      attempt: { unit: claim.unit.id, attempt: claim.attempt },
      folder,
      ...spool,
      onProblem: (problem) => say(problem === null ? "handing in works again" : `handing in does not work at present and is tried again: ${problem}`),
      onRoom: () => this.#tellStored(),
    });
    this.done = this.#train();
  }

  /** Ends training here with checkpoints; the unit goes on later or elsewhere. */
  leave(reason: string, asked = false): void {
    if (this.#leaving) return;
    this.#leaving = { reason, asked };
    for (const run of this.#active.values()) run.leave(this.#options.leaveWithin);
  }

  async #train(): Promise<UnitTrained> {
    const unsubscribe = [this.#claim.onSteering((steering) => this.#steer(steering)), this.#claim.onLost((reason) => this.#lose(reason))];
    const failing = this.#spool.failed.catch((error: unknown) => this.#lose(messageOf(error)));
    try {
      const trained = await this.#trained();
      const lost = this.#lost ?? (trained.type === "lost" ? trained.reason : undefined);
      if (lost === undefined) return trained;
      this.#claim.release?.();
      return { type: "lost", reason: lost };
    } finally {
      for (const end of unsubscribe) end();
      this.#spool.abandon();
      await failing;
      await this.#spool.remove();
    }
  }

  async #trained(): Promise<UnitTrained> {
    const { worker, machine, launch, say } = this.#options;
    const claim = this.#claim;
    this.#spool.add({ type: "attempt", worker, machine });
    // The coordinator learns at once who trains it.
    this.#spool.close();
    let trained: UnitTrained;
    let pool: TrainerPool | undefined;
    try {
      const reached = { signal: this.#abort.signal, onProblem: (problem: string | null) => say(problem === null ? "the unit's files can be read again" : `the unit's files cannot be read at present: ${problem}`) };
      const ended = await untilDone(() => claim.endedRuns(), reached);
      const networks = claim.unit.needs.networks.length === 0 ? undefined : await untilDone(() => claim.networks(), reached);
      pool = new TrainerPool({ launch, networks });
      for (const program of claim.unit.programs) await this.#trainProgram(program, ended, pool);
      trained = this.#outcome();
    } catch (error) {
      trained = { type: "failed", reason: messageOf(error) };
    }
    await pool?.close();
    if (this.#lost !== undefined) return { type: "lost", reason: this.#lost };
    return this.#handIn(trained);
  }

  #outcome(): UnitTrained {
    if (this.#leaving) return { type: "left", ...this.#leaving };
    return this.#left.size === 0 ? { type: "ended" } : { type: "left", reason: "it was asked to leave runs", asked: true };
  }

  /** Hands in all that is left, then how the attempt ended. */
  async #handIn(trained: UnitTrained): Promise<UnitTrained> {
    if (trained.type === "lost") return trained;
    const reason = trained.type === "ended" ? null : trained.reason;
    this.#spool.add({ type: "end", outcome: trained.type, reason });
    const { handInWithin, say } = this.#options;
    // What cannot be handed in before the machine goes away is trained again from the newest checkpoint.
    const timer = trained.type === "left" && setTimeout(() => this.#lose(`it could not be handed in within ${Math.round(handInWithin / 1000)} s after the unit was left`), handInWithin);
    try {
      await this.#spool.drained();
      await untilDone(() => this.#claim.end(trained), { signal: this.#abort.signal, onProblem: (problem) => problem !== null && say(`the end of the unit cannot be handed in at present: ${problem}`) });
    } catch (error) {
      return { type: "lost", reason: this.#lost ?? messageOf(error) };
    } finally {
      if (timer) clearTimeout(timer);
    }
    return trained;
  }

  async #trainProgram(program: UnitProgram, ended: ReadonlySet<string>, pool: TrainerPool): Promise<void> {
    let members = program.members.filter(({ run }) => !ended.has(run));
    let ignored = new Set<string>();
    while (members.length > 0) {
      const active: RunTraining[] = [];
      for (const run of members) {
        if (this.#leaving || this.#lost !== undefined) return;
        const prepared = await this.#prepare(run, program.size, ignored.has(run.run));
        if (prepared) active.push(prepared);
      }
      if (this.#leaving || this.#lost !== undefined || active.length === 0) return;
      const seats = new Map(members.map(({ run, seat }) => [run, seat]));
      if (program.size === 1) active[0]!.launch(pool.start);
      else {
        const cohort = new CohortProcess(pool.start, program.size);
        for (const run of active) run.launch(cohort.at(seats.get(run.run)!));
        cohort.go();
      }
      for (const run of active) this.#active.set(run.run, run);
      const trained = await Promise.all(active.map(async (run) => [run.run, await run.done] as const));
      for (const run of active) this.#active.delete(run.run);
      const unlaunched = trained.flatMap(([, how]) => (how.type === "unlaunched" ? [how.reason] : []));
      if (unlaunched[0] !== undefined) throw new Error(unlaunched[0]);
      for (const [run, how] of trained) if (how.type === "left") this.#left.add(run);
      ignored = new Set(trained.flatMap(([run, how]) => (how.type === "unusable" ? [run] : [])));
      for (const run of ignored) this.#options.say(`the checkpoint of run ${run} cannot be used; it is trained from its first step`);
      members = members.filter(({ run }) => ignored.has(run));
    }
  }

  /** Undefined for a run that is not to be trained. */
  async #prepare(run: UnitRun, seats: number, withoutCheckpoint: boolean): Promise<RunTraining | undefined> {
    const checkpoint = withoutCheckpoint ? null : await untilDone(() => this.#claim.checkpoint(run.run), { signal: this.#abort.signal });
    const asked = this.#steering.ends(run.run);
    if (asked === "leave") this.#left.add(run.run);
    if (asked === "stop") {
      const message = { type: "ended", outcome: "stopped", reason: "Stopped before it started.", step: checkpoint?.step ?? 0, hyperparameters: {} } as const;
      this.#spool.add({ type: "run", run: run.run, message }, run.run);
    }
    if (asked !== null) return undefined;
    return new RunTraining({
      run,
      // A cohort pauses while all its members write their checkpoints.
      checkpointEvery: this.#claim.unit.checkpointEvery * Math.max(1, seats / membersAtPace),
      checkpoint,
      scratch: join(this.#options.folder, `${run.run}.resume`),
      startPaused: this.#steering.isPaused(run.run),
      onLogged: (message) => {
        const ends = message.type === "ended" || message.type === "failed";
        if (ends) this.#spool.dropCheckpoint(run.run);
        this.#spool.add({ type: "run", run: run.run, message }, ends ? run.run : undefined);
      },
      onCheckpoint: (step, bytes) => this.#spool.checkpoint(run.run, step, bytes),
      hasRoom: () => !this.#spool.full,
      watch: this.#options.watch,
    });
  }

  #tellStored(): void {
    for (const run of this.#active.values()) run.tellStored();
  }

  #steer(steering: UnitSteering): void {
    this.#steering.add(steering);
    const { type, run } = steering;
    if (type === "leave" && run === null) return this.leave("it was asked to leave the unit", true);
    for (const active of this.#active.values()) {
      if (run !== null && active.run !== run) continue;
      if (type === "leave") active.leave(this.#options.leaveWithin);
      else active[type]();
    }
  }

  #lose(reason: string): void {
    this.#lost ??= reason;
    this.#abort.abort(new Error(reason));
    this.#spool.abandon();
    for (const run of this.#active.values()) run.kill();
  }
}
