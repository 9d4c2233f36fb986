/** A cluster with Slurm as a fleet: units and results in a folder that its nodes share, jobs by sbatch, states by squeue and files. */
import { randomBytes } from "node:crypto";
import { userInfo } from "node:os";
import { readFile, rm } from "node:fs/promises";
import { nounFor } from "../../../shared/text.ts";
import { messageOf } from "../../../shared/errors.ts";
import type { SlurmProfile } from "../../../shared/fleet/profile.ts";
import type { Unit } from "../../../shared/fleet/unit.ts";
import type { WorkerState } from "../../../shared/fleet/worker.ts";
import { FleetError, type CheckpointRef, type Fleet, type FleetNews, type SegmentRef, type UnitNews, type UnitPackage, type UnitSteering } from "../fleet.ts";
import { readUnit } from "../folder/claim.ts";
import { handedIn, settledState } from "../folder/folderFleet.ts";
import { UnitsFolder, type UnitFiles } from "../folder/unitsFolder.ts";
import { WorkersFolder } from "../folder/workersFolder.ts";
import { Arrays, type UnitJob } from "./arrays.ts";
import { runSlurm, slurmError, type RunSlurm } from "./commands.ts";
import { endedReason, listJobs, phaseOf, waitingReason, type SlurmJob } from "./jobs.ts";
import { scriptOf } from "./script.ts";
import { namePrefix, Submitter } from "./submitter.ts";

export interface SlurmFleetOptions {
  readonly profile: SlurmProfile;
  readonly profileName: string;
  readonly run?: RunSlurm;
  readonly user?: string;
}

/** Arguments of one scancel at most. */
const cancelAtOnce = 200;
/** Nodes that may say that they cannot train a unit before it is set aside. */
const maxRefusals = 3;

export class SlurmFleet implements Fleet {
  readonly name: string;
  readonly kind = "slurm";
  readonly longest: number;
  readonly #profile: SlurmProfile;
  readonly #run: RunSlurm;
  readonly #user: string;
  readonly #folder: UnitsFolder;
  readonly #workers: WorkersFolder;
  readonly #arrays: Arrays;
  readonly #submitter: Submitter;
  #last: Promise<void> = Promise.resolve();
  /** Why waiting units are not submitted at present. */
  #held: string | null = null;

  private constructor({ profile, profileName, run = runSlurm, user = userInfo().username }: SlurmFleetOptions) {
    this.name = `slurm:${profileName}`;
    this.#profile = profile;
    this.longest = profile.minutes * 60_000;
    this.#run = run;
    this.#user = user;
    this.#folder = new UnitsFolder(profile.folder);
    this.#workers = new WorkersFolder(this.#folder);
    this.#arrays = new Arrays(this.#folder);
    this.#submitter = new Submitter({ profile, run, folder: this.#folder, arrays: this.#arrays });
  }

  /** @throws FleetError where the shared folder cannot be used */
  static async open(options: SlurmFleetOptions): Promise<SlurmFleet> {
    const fleet = new SlurmFleet(options);
    await fleet.#folder.open();
    return fleet;
  }

  submit(units: readonly UnitPackage[]): Promise<void> {
    return this.#alone(() => this.#keepAndSubmit(units));
  }

  look(units: readonly string[], segments: number): Promise<FleetNews> {
    return this.#alone(() => this.#lookAtAll(units, segments));
  }

  async #keepAndSubmit(units: readonly UnitPackage[]): Promise<void> {
    const added: string[] = [];
    for (const each of units) if (await this.#folder.add(each)) added.push(each.unit.id);
    if (added.length === 0) return;
    try {
      await this.#submitter.submit(units.map(({ unit }) => unit).filter(({ id }) => added.includes(id)), await this.#jobs());
      this.#held = null;
    } catch (error) {
      // Units stay where Slurm takes them later.
      if (error instanceof FleetError && error.retry) this.#held = error.message;
      else {
        for (const unit of added) if ((await this.#arrays.jobOf(unit)) === null) await this.#folder.forget(unit);
        throw error;
      }
    }
  }

  async #lookAtAll(units: readonly string[], segments: number): Promise<FleetNews> {
    const jobs = await this.#jobs();
    const news = new Map<string, UnitNews>();
    const again: Unit[] = [];
    for (const unit of units) {
      const found = await this.#lookAt(unit, jobs);
      news.set(unit, found.news);
      if (found.again) again.push(await readUnit(this.#folder.paths(unit).at("unit.json")));
    }
    if (again.length > 0) {
      try {
        await this.#submitter.submit(again, jobs);
        this.#held = null;
      } catch (error) {
        this.#held = messageOf(error);
      }
      for (const { id } of again) {
        const job = await this.#arrays.jobOf(id);
        const isHeld = job === null || job.array === "";
        news.set(id, { ...news.get(id)!, reason: isHeld ? (this.#held ?? this.#atOnce) : (job.reason ?? "Slurm has not looked at it yet"), job: jobId(job) });
      }
    }
    // What was handed in is listed after the states, so that all of a unit that has ended is among it.
    return { units: [...news.values()], ...(await handedIn(this.#folder, units, segments)) };
  }

  read(segment: SegmentRef): Promise<Uint8Array> {
    return this.#folder.read(segment);
  }

  readCheckpoint(checkpoint: CheckpointRef): Promise<Uint8Array> {
    return this.#folder.readCheckpoint(checkpoint);
  }

  taken(segments: readonly SegmentRef[]): Promise<void> {
    return this.#folder.taken(segments);
  }

  steer(unit: string, steering: UnitSteering): Promise<void> {
    return this.#folder.steer(unit, steering);
  }

  cancel(units: readonly string[]): Promise<void> {
    return this.#alone(() => this.#cancel(units));
  }

  async #cancel(units: readonly string[]): Promise<void> {
    const listed = await this.#jobs();
    const jobs: string[] = [];
    for (const unit of units) {
      // The mark ends a worker that scancel does not reach.
      await this.#folder.mark(unit, "canceled", "canceled");
      const job = jobOf(await this.#arrays.jobOf(unit), listed);
      if (job && phaseOf(job) !== "over") jobs.push(job.id);
    }
    for (let at = 0; at < jobs.length; at += cancelAtOnce) {
      const answer = await this.#run("scancel", jobs.slice(at, at + cancelAtOnce));
      if (answer.code !== 0 && !/Invalid job id|already completed/i.test(answer.stderr)) throw slurmError("Jobs could not be canceled", answer);
    }
  }

  retry(units: readonly string[]): Promise<void> {
    return this.#alone(() => this.#retry(units));
  }

  async #retry(units: readonly string[]): Promise<void> {
    for (const unit of units) {
      if (!(await this.#folder.look(unit)).isThere) throw new FleetError(`The unit ${unit} is not in ${this.#folder.root} any more: train its runs again.`, { retry: false });
      await rm(this.#folder.paths(unit).at("refused"), { recursive: true, force: true });
      await rm(this.#folder.paths(unit).at("job.json"), { force: true });
      await this.#folder.unmark(unit);
    }
    // The next look submits them.
  }

  forget(units: readonly string[]): Promise<void> {
    return this.#alone(() => this.#forget(units));
  }

  async #forget(units: readonly string[]): Promise<void> {
    await this.#cancel(units);
    const arrays: string[] = [];
    for (const unit of units) {
      const job = await this.#arrays.jobOf(unit);
      if (job && job.array !== "") arrays.push(job.array);
      await this.#folder.forget(unit);
    }
    await this.#arrays.clean(arrays);
  }

  async workers(): Promise<readonly WorkerState[]> {
    return this.#workers.list(await this.#folder.now());
  }

  drain(): Promise<void> {
    return Promise.reject(new FleetError("Slurm decides where its jobs run: cancel the unit, or drain the node with scontrol.", { retry: false }));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** The script of an array of these units, as it would be submitted now; nothing is submitted. */
  async dryRun(units: number, threads: number): Promise<string> {
    const size = await this.#submitter.sizeOfArrays();
    return scriptOf({ profile: this.#profile, name: `${namePrefix}example`, folder: this.#arrays.folderOf("example"), units: Math.min(units, size), threads, throttle: this.#profile.atOnce ?? null, exclude: [], single: size === 1 });
  }

  /** Asks Slurm whether it would take a job of the profile. Returns what it says. @throws FleetError */
  async check(threads: number): Promise<string> {
    const name = `check-${randomBytes(4).toString("hex")}`;
    try {
      const script = await this.#arrays.make(name, [], scriptOf({ profile: this.#profile, name: `${namePrefix}check`, folder: this.#arrays.folderOf(name), units: 1, threads, throttle: null, exclude: [] }), null);
      const answer = await this.#run("sbatch", ["--test-only", script]);
      if (answer.code !== 0) throw slurmError("The profile cannot be used", answer);
      return `${answer.stdout}${answer.stderr}`.trim().replace(/^sbatch: /gm, "");
    } finally {
      await this.#arrays.clean([name]);
    }
  }

  /** One after another: jobs that are submitted meanwhile would be missing from a list. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.then(() => undefined, () => undefined);
    return done;
  }

  get #atOnce(): string {
    return `so many jobs at once as the profile allows (${this.#profile.atOnce ?? "no limit"}) are there`;
  }

  /** @throws FleetError */
  async #jobs(): Promise<ReadonlyMap<string, SlurmJob>> {
    return byPlace(await listJobs(this.#run, this.#user, namePrefix));
  }

  async #lookAt(unit: string, jobs: ReadonlyMap<string, SlurmJob>): Promise<{ readonly news: UnitNews; readonly again: boolean }> {
    let files = await this.#folder.look(unit);
    let settled = settledState(files);
    const job = settled ? null : await this.#arrays.jobOf(unit);
    const listed = jobOf(job, jobs);
    const phase = listed && phaseOf(listed);
    const found = (state: UnitNews["state"], reason: string | null, again = false) => ({
      again,
      news: { unit, state, attempts: files.attempts, where: listed?.node ?? files.worker?.host ?? null, reason, job: listed?.id ?? jobId(job) ?? files.worker?.job ?? null },
    });
    if (settled) return found(settled.state, settled.reason);
    // The last: its coordinator ended before sbatch was asked.
    if (job === null || job.array === "" || (job.job === null && !listed)) return found("waiting", job?.reason ?? null, true);
    if (phase === "waiting") return found("waiting", waitingReason(listed!));
    if (phase === "running") return found("running", null);
    // What the worker wrote last may have come after the first look.
    files = await this.#folder.look(unit);
    settled = settledState(files);
    if (settled) return found(settled.state, settled.reason);
    return found(...(await this.#afterJob(unit, job, listed, files)));
  }

  /** A job is over, and its unit is not. */
  async #afterJob(unit: string, job: UnitJob, listed: SlurmJob | undefined, files: UnitFiles): Promise<[UnitNews["state"], string | null, boolean]> {
    if (listed?.state === "CANCELLED") {
      const reason = endedReason(listed);
      await this.#folder.mark(unit, "canceled", reason);
      return ["canceled", reason, false];
    }
    const left = files.end?.outcome === "left";
    const refusals = await this.#submitter.refusals(unit);
    const reason = left ? files.end!.reason : await this.#reasonOf(unit, job, listed, files, refusals);
    // Being preempted is no fault of the unit.
    const failures = job.failures + (left || listed?.state === "PREEMPTED" ? 0 : 1);
    if (failures >= this.#profile.attempts || refusals.length >= maxRefusals || listed?.state === "OUT_OF_MEMORY") {
      await this.#folder.mark(unit, "failed", reason ?? "it failed");
      return ["failed", reason, false];
    }
    await this.#arrays.setJob(unit, { ...job, array: "", job: null, failures, reason });
    return ["waiting", reason, true];
  }

  async #reasonOf(unit: string, job: UnitJob, listed: SlurmJob | undefined, files: UnitFiles, refusals: readonly string[]): Promise<string> {
    if (files.end?.outcome === "failed" && files.end.reason !== null) return files.end.reason;
    const ended = listed ? endedReason(listed) : `its job ${jobId(job) ?? "of the array"} is not known to Slurm any more`;
    const output = await this.#arrays.outputOf(job);
    if (files.attempts > 0) return ended;
    // By the host's name, which may differ from the node's.
    const said = await readFile(this.#folder.paths(unit).at("refused", refusals.at(-1) ?? "none"), "utf8").catch(() => "");
    if (refusals.length > 0) return `the ${nounFor(refusals.length, "node")} ${refusals.join(", ")} cannot train it: ${said}`;
    if (output === "") return `${ended}, and left nothing in ${this.#folder.root}: is this folder at the same path on ${listed?.node ?? "the nodes"}?`;
    return `${ended} before Hypertower began; the last lines of its output:\n${output}`;
  }

}

const placeOf = (name: string, index: number) => `${name} ${index}`;

/** Jobs by the name of their array and their index in it: the newest of each. */
function byPlace(jobs: readonly SlurmJob[]): ReadonlyMap<string, SlurmJob> {
  return new Map(jobs.map((job) => [placeOf(job.name, Number(job.id.split("_")[1] ?? 0)), job]));
}

const jobOf = (job: UnitJob | null, jobs: ReadonlyMap<string, SlurmJob>): SlurmJob | undefined => (job ? jobs.get(placeOf(job.array, job.index)) : undefined);

const jobId = (job: UnitJob | null): string | null => {
  if (job === null || job.job === null) return null;
  return job.single ? job.job : `${job.job}_${job.index}`;
};
