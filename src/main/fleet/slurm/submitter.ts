/** Submits units as job arrays, within what the cluster and the profile allow. */
import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { maxOf } from "../../../shared/extent.ts";
import type { SlurmProfile } from "../../../shared/fleet/profile.ts";
import type { Unit } from "../../../shared/fleet/unit.ts";
import { FleetError } from "../fleet.ts";
import { namesIn } from "../folder/files.ts";
import type { UnitsFolder } from "../folder/unitsFolder.ts";
import type { Arrays, UnitJob } from "./arrays.ts";
import { slurmError, type RunSlurm } from "./commands.ts";
import { phaseOf, type SlurmJob } from "./jobs.ts";
import { scriptOf } from "./script.ts";

/** Beginning of the names of all arrays. */
export const namePrefix = "hypertower-";

/** Of clusters whose login node does not say. */
const defaultArraySize = 1_001;

export interface SubmitterOptions {
  readonly profile: SlurmProfile;
  readonly run: RunSlurm;
  readonly folder: UnitsFolder;
  readonly arrays: Arrays;
}

export class Submitter {
  readonly #profile: SlurmProfile;
  readonly #run: RunSlurm;
  readonly #folder: UnitsFolder;
  readonly #arrays: Arrays;
  #arraySize: number | undefined;

  constructor({ profile, run, folder, arrays }: SubmitterOptions) {
    this.#profile = profile;
    this.#run = run;
    this.#folder = folder;
    this.#arrays = arrays;
  }

  /** Submits units as arrays, as many as may run. @throws FleetError */
  async submit(units: readonly Unit[], jobs: ReadonlyMap<string, SlurmJob>): Promise<void> {
    const size = await this.sizeOfArrays();
    let room = await this.#room(jobs);
    // Nodes that cannot train a unit are left out for it.
    const groups = new Map<string, Unit[]>();
    for (const unit of units) {
      const key = (await this.refusals(unit.id)).sort().join(",");
      groups.set(key, [...(groups.get(key) ?? []), unit]);
    }
    for (const [exclude, all] of groups) {
      const arrays = Math.ceil(all.length / size);
      for (let at = 0, left = arrays; at < all.length && room > 0; at += size, left--) {
        // What may run at once is shared by the arrays.
        const throttle = room === Infinity ? null : Math.max(1, Math.floor(room / left));
        const members = all.slice(at, at + size);
        await this.#submitArray(members, throttle, exclude === "" ? [] : exclude.split(","), size === 1);
        if (throttle !== null) room -= Math.min(throttle, members.length);
      }
    }
  }

  async #submitArray(units: readonly Unit[], throttle: number | null, exclude: readonly string[], single: boolean): Promise<void> {
    const name = `${namePrefix}${Date.now().toString(36)}-${randomBytes(3).toString("hex")}`;
    const ids = units.map(({ id }) => id);
    const script = scriptOf({ profile: this.#profile, name, folder: this.#arrays.folderOf(name), units: units.length, threads: maxOf(units.map(({ needs }) => needs.threads)), throttle, exclude, single });
    const path = await this.#arrays.make(name, ids, script, throttle);
    const before = await Promise.all(ids.map((id) => this.#arrays.jobOf(id)));
    const jobs = ids.map((_, index): UnitJob => ({ array: name, index, job: null, failures: before[index]?.failures ?? 0, reason: before[index]?.reason ?? null, single }));
    for (const [i, id] of ids.entries()) await this.#arrays.setJob(id, jobs[i]!);
    const answer = await this.#run("sbatch", ["--parsable", `--chdir=${this.#folder.root}`, path]);
    const number = /^(\d+)/.exec(answer.stdout.trim())?.[1];
    if (answer.code !== 0 || number === undefined) {
      for (const [i, id] of ids.entries()) await (before[i] ? this.#arrays.setJob(id, before[i]) : rm(this.#folder.paths(id).at("job.json"), { force: true }));
      await rm(this.#arrays.folderOf(name), { recursive: true, force: true });
      throw slurmError(`The units could not be submitted${this.#profile.partition === undefined ? "" : ` to the partition ${this.#profile.partition}`}`, answer);
    }
    for (const [i, id] of ids.entries()) await this.#arrays.setJob(id, { ...jobs[i]!, job: number });
  }

  /** Jobs that may run beside those that are there. */
  async #room(jobs: ReadonlyMap<string, SlurmJob>): Promise<number> {
    const { atOnce } = this.#profile;
    if (atOnce === undefined) return Infinity;
    const live = new Map<string, number>();
    for (const job of jobs.values()) if (phaseOf(job) !== "over") live.set(job.name, (live.get(job.name) ?? 0) + 1);
    let taken = 0;
    for (const [array, count] of live) taken += Math.min(count, (await this.#arrays.throttleOf(array)) ?? count);
    return Math.max(0, atOnce - taken);
  }

  /** Jobs that an array may have; 1 where the cluster has no arrays. @throws FleetError */
  async sizeOfArrays(): Promise<number> {
    if (this.#arraySize !== undefined) return this.#arraySize;
    const answer = await this.#run("scontrol", ["show", "config"]).catch((error: unknown) => {
      // Some login nodes have no scontrol.
      if (error instanceof FleetError && !error.retry) return { code: 1, stdout: "", stderr: "" };
      throw error;
    });
    const said = /^MaxArraySize\s*=\s*(\d+)/m.exec(answer.stdout)?.[1];
    return (this.#arraySize = Math.max(1, said === undefined ? defaultArraySize : Number(said)));
  }

  /** Nodes that said that they cannot train the unit. */
  async refusals(unit: string): Promise<string[]> {
    return (await namesIn(this.#folder.paths(unit).at("refused"))).filter((name) => /^[\w.-]{1,100}$/.test(name));
  }
}
