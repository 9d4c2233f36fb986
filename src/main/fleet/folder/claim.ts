/** The worker's side of a unit in a shared folder. */
import { mkdir, readFile, rm } from "node:fs/promises";
import { readCheckpointHeader } from "../../../core/checkpoint/file.ts";
import { unit as unitSchema, type Unit } from "../../../shared/fleet/unit.ts";
import { messageOf } from "../../../shared/errors.ts";
import { FleetError, type UnitSteering } from "../fleet.ts";
import type { Claim, KeptCheckpoint } from "../worker/source.ts";
import { attempted, codeOf, ensureFolder, isThere, namesIn, readJson, touch, writeWhole } from "./files.ts";
import { attemptName, checkpointName, parseCheckpointName, segmentName, steeringFile, type UnitPaths } from "./layout.ts";
import { newest } from "./unitsFolder.ts";

export interface FolderClaimOptions {
  readonly paths: UnitPaths;
  readonly networks: string;
  readonly worker: string;
  readonly host: string;
  /** Name of the job that runs the worker. */
  readonly job: string | null;
  /** Milliseconds between signs of life, at which requests are read. */
  readonly every?: number;
  /** Whether the unit is still this worker's, in the way in which it was given out; why not otherwise. */
  readonly isLost?: () => Promise<string | null>;
  /** Called once the end is handed in. */
  readonly afterEnd?: (outcome: Parameters<Claim["end"]>[0], askedToLeave: boolean) => Promise<void>;
}

/** @throws FleetError where the file is none of a unit */
export async function readUnit(path: string): Promise<Unit> {
  const text = await attempted(`The unit ${path} cannot be read`, () => readFile(path, "utf8"));
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new FleetError(`The unit ${path} is not valid JSON: ${messageOf(error)}`, { retry: false });
  }
  const parsed = unitSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new FleetError(`The unit ${path} is not valid: ${issue?.path.map(String).join(".").slice(0, 200) || "it"}: ${issue?.message.slice(0, 300)}`, { retry: false });
}

export class FolderClaim implements Claim {
  readonly unit: Unit;
  readonly attempt: number;
  readonly #options: FolderClaimOptions;
  readonly #listeners = new Set<(steering: UnitSteering) => void>();
  readonly #lostListeners = new Set<(reason: string) => void>();
  readonly #steerings: UnitSteering[] = [];
  readonly #read = new Set<string>();
  #lost: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #ended = false;
  #askedToLeave = false;

  private constructor(unit: Unit, attempt: number, options: FolderClaimOptions) {
    this.unit = unit;
    this.attempt = attempt;
    this.#options = options;
  }

  /** Begins the next attempt. @throws FleetError */
  static async begin(unit: Unit, options: FolderClaimOptions): Promise<FolderClaim> {
    const { paths, worker, host, job } = options;
    const attempt = await attempted(`An attempt of the unit ${unit.id} could not begin in ${paths.root}`, async () => {
      for (const folder of paths.folders) await ensureFolder(paths.at(folder));
      for (let next = newest(await namesIn(paths.at("attempts"))) + 1; ; next++) {
        try {
          // Making a folder succeeds for one worker alone, on network file systems too.
          await mkdir(paths.at("attempts", attemptName(next)));
        } catch (error) {
          if (codeOf(error) === "EEXIST") continue;
          throw error;
        }
        await writeWhole(paths.at("attempts", attemptName(next), "worker.json"), JSON.stringify({ worker, host, job }));
        return next;
      }
    });
    const claim = new FolderClaim(unit, attempt, options);
    await claim.#beat();
    return claim;
  }

  async checkpoint(run: string): Promise<KeptCheckpoint | null> {
    const { paths } = this.#options;
    return attempted(`The checkpoint of run ${run} cannot be read`, async () => {
      const found = (await namesIn(paths.at("checkpoints"))).flatMap((name) => parseCheckpointName(name) ?? []).filter((one) => one.run === run);
      const last = found.sort((a, b) => a.attempt - b.attempt || a.sequence - b.sequence || a.step - b.step).at(-1);
      if (last) return { run, step: last.step, bytes: await readFile(paths.at("checkpoints", checkpointName(last))) };
      const start = paths.at("start", run);
      if (!(await isThere(start))) return null;
      const bytes = await readFile(start);
      // A damaged one is refused by the trainer that is to go on from it.
      const header = await readCheckpointHeader((at, length) => Promise.resolve(bytes.subarray(at, at + length)), bytes.length).catch(() => null);
      return { run, step: header?.position.step ?? 0, bytes };
    });
  }

  async endedRuns(): Promise<ReadonlySet<string>> {
    return attempted("The runs that have ended cannot be read", async () => new Set(await namesIn(this.#options.paths.at("ended"))));
  }

  networks(): Promise<string> {
    return Promise.resolve(this.#options.networks);
  }

  async putSegment(sequence: number, bytes: Uint8Array, endedRuns: readonly string[]): Promise<void> {
    const { paths } = this.#options;
    await this.#handIn(`A segment could not be handed in to ${paths.root}`, async () => {
      await writeWhole(paths.at("segments", segmentName({ attempt: this.attempt, sequence })), bytes);
      for (const run of endedRuns) await writeWhole(paths.at("ended", run), "");
    });
  }

  async putCheckpoint({ run, step, bytes }: KeptCheckpoint, sequence: number): Promise<void> {
    const { paths } = this.#options;
    await this.#handIn(`A checkpoint could not be handed in to ${paths.root}`, async () => {
      const name = checkpointName({ run, attempt: this.attempt, sequence, step });
      await writeWhole(paths.at("checkpoints", name), bytes);
      for (const other of await namesIn(paths.at("checkpoints"))) {
        if (other !== name && parseCheckpointName(other)?.run === run) await rm(paths.at("checkpoints", other), { force: true });
      }
    });
  }

  onSteering(listener: (steering: UnitSteering) => void): () => void {
    this.#listeners.add(listener);
    for (const steering of this.#steerings) listener(steering);
    return () => this.#listeners.delete(listener);
  }

  onLost(listener: (reason: string) => void): () => void {
    this.#lostListeners.add(listener);
    if (this.#lost !== undefined) listener(this.#lost);
    return () => this.#lostListeners.delete(listener);
  }

  async end(outcome: Parameters<Claim["end"]>[0]): Promise<void> {
    const { paths } = this.#options;
    await this.#handIn(`How the unit ended could not be handed in to ${paths.root}`, async () => {
      const reason = "reason" in outcome ? outcome.reason : null;
      await writeWhole(paths.at("end", `${attemptName(this.attempt)}.json`), JSON.stringify({ outcome: outcome.type, reason, asked: this.#askedToLeave }));
      await this.#options.afterEnd?.(outcome, this.#askedToLeave);
    });
    this.release();
  }

  /** Gives no further sign of life. */
  release(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
  }

  /** Hands in, unless the unit was taken away. */
  async #handIn(failure: string, work: () => Promise<void>): Promise<void> {
    if (this.#lost !== undefined) throw new FleetError(this.#lost, { retry: false });
    await attempted(failure, work);
  }

  async #beat(): Promise<void> {
    try {
      await this.#look();
    } catch {
      // The shared folder cannot be reached at present: the next beat may.
    }
    if (this.#ended || this.#lost !== undefined) return;
    this.#timer = setTimeout(() => void this.#beat(), this.#options.every ?? 2_000);
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    const { paths, isLost } = this.#options;
    const there = await namesIn(paths.root);
    if (!there.includes("unit.json") && !(await isThere(paths.root))) return this.#lose("the unit was removed from the shared folder");
    if (there.includes("canceled")) return this.#lose("the unit was canceled");
    if (newest(await namesIn(paths.at("attempts"))) > this.attempt) return this.#lose("another attempt at the unit has begun");
    const lost = (await isLost?.()) ?? null;
    if (lost !== null) return this.#lose(lost);
    await touch(paths.at("alive"), `${this.attempt}\n`);
    for (const name of (await namesIn(paths.at("steering"))).sort()) {
      if (this.#read.has(name)) continue;
      const steering = await readJson(paths.at("steering", name), steeringFile);
      this.#read.add(name);
      if (!steering) continue;
      if (steering.type === "leave") this.#askedToLeave = true;
      this.#steerings.push(steering);
      for (const listener of this.#listeners) listener(steering);
    }
  }

  #lose(reason: string): void {
    if (this.#lost !== undefined) return;
    this.#lost = reason;
    for (const listener of this.#lostListeners) listener(reason);
  }
}
