/** A fleet of workers that were started by hand, with a shared folder between them and the coordinator. */
import { resolve } from "node:path";
import { FleetError, type CheckpointRef, type Fleet, type FleetNews, type SegmentRef, type UnitNews, type UnitPackage, type UnitSteering } from "../fleet.ts";
import type { WorkerState } from "../../../shared/fleet/worker.ts";
import { UnitsFolder, type UnitFiles } from "./unitsFolder.ts";
import { attempted } from "./files.ts";
import { WorkersFolder } from "./workersFolder.ts";

/** State of a unit as far as its files tell; null where only who trains it does. */
export function settledState({ isThere, canceled, failed, end }: UnitFiles): { readonly state: UnitNews["state"]; readonly reason: string | null } | null {
  if (!isThere) return { state: "unknown", reason: "the shared folder does not have it" };
  if (end?.outcome === "ended") return { state: "ended", reason: null };
  if (canceled !== null) return { state: "canceled", reason: canceled };
  if (failed !== null) return { state: "failed", reason: failed };
  if (end?.outcome === "left" && end.asked) return { state: "canceled", reason: end.reason };
  return null;
}

/** What units handed in, at most so many segments. */
export async function handedIn(folder: UnitsFolder, units: readonly string[], most: number): Promise<Pick<FleetNews, "segments" | "checkpoints">> {
  const segments: SegmentRef[] = [];
  const checkpoints: CheckpointRef[] = [];
  for (const unit of units) {
    if (segments.length >= most) break;
    const found = await folder.handedIn(unit);
    segments.push(...found.segments.slice(0, most - segments.length));
    checkpoints.push(...found.checkpoints);
  }
  return { segments, checkpoints };
}

export class FolderFleet implements Fleet {
  readonly name: string;
  readonly kind = "folder";
  readonly longest = null;
  readonly #folder: UnitsFolder;
  readonly #workers: WorkersFolder;
  readonly #lostAfter: number | undefined;
  /** Units that the latest look found neither offered nor taken. */
  readonly #unoffered = new Set<string>();

  private constructor(root: string, lostAfter?: number) {
    this.name = `folder:${root}`;
    this.#folder = new UnitsFolder(root);
    this.#workers = new WorkersFolder(this.#folder);
    this.#lostAfter = lostAfter;
  }

  /** @throws FleetError where the folder cannot be used */
  static async open(root: string, { lostAfter }: { readonly lostAfter?: number } = {}): Promise<FolderFleet> {
    const fleet = new FolderFleet(resolve(root), lostAfter);
    await fleet.#folder.open();
    return fleet;
  }

  async submit(units: readonly UnitPackage[]): Promise<void> {
    for (const each of units) if (await this.#folder.add(each)) await this.#tried(() => this.#workers.offer(each.unit.id));
  }

  async look(units: readonly string[], segments: number): Promise<FleetNews> {
    const now = await this.#folder.now();
    await this.#workers.returnLost(now, this.#lostAfter);
    // In this order, so that a unit that is taken meanwhile is in one of them.
    const waiting = new Set(await this.#tried(() => this.#workers.waiting()));
    const taken = await this.#tried(() => this.#workers.taken());
    const workers = await this.#workers.list(now, this.#lostAfter);
    const news: UnitNews[] = [];
    for (const unit of units) {
      const files = await this.#folder.look(unit);
      const settled = settledState(files);
      const worker = taken.get(unit);
      // A coordinator that ended while it submitted did not offer it. One that a worker gives back is between two places for a moment.
      if (settled || worker !== undefined || waiting.has(unit)) this.#unoffered.delete(unit);
      else if (!this.#unoffered.has(unit)) this.#unoffered.add(unit);
      else await this.#tried(() => this.#workers.offer(unit));
      news.push({
        unit,
        attempts: files.attempts,
        where: files.worker && `${files.worker.host} (${files.worker.worker})`,
        job: worker ?? files.worker?.worker ?? null,
        ...(settled ?? (worker !== undefined ? { state: "running", reason: null } : { state: "waiting", reason: reasonToWait(workers) })),
      });
    }
    return { units: news, ...(await handedIn(this.#folder, units, segments)) };
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

  async cancel(units: readonly string[]): Promise<void> {
    for (const unit of units) {
      await this.#folder.mark(unit, "canceled", "canceled");
      await this.#tried(() => this.#workers.withdraw(unit));
      const worker = (await this.#tried(() => this.#workers.taken())).get(unit);
      if (worker !== undefined) await this.#tried(() => this.#workers.settle(unit, worker));
    }
  }

  async retry(units: readonly string[]): Promise<void> {
    for (const unit of units) {
      if (!(await this.#folder.look(unit)).isThere) throw new FleetError(`The unit ${unit} is not in ${this.#folder.root} any more: train its runs again.`, { retry: false });
      await this.#folder.unmark(unit);
      await this.#tried(() => this.#workers.offer(unit));
    }
  }

  async forget(units: readonly string[]): Promise<void> {
    await this.cancel(units);
    for (const unit of units) await this.#folder.forget(unit);
  }

  async workers(): Promise<readonly WorkerState[]> {
    return this.#workers.list(await this.#folder.now(), this.#lostAfter);
  }

  drain(worker: string, draining: boolean): Promise<void> {
    return this.#workers.drain(worker, draining);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #tried<T>(work: () => Promise<T>): Promise<T> {
    return attempted(`The shared folder ${this.#folder.root} cannot be used`, work);
  }
}

function reasonToWait(workers: readonly WorkerState[]): string {
  if (workers.length === 0) return "no worker is there: start one with hypertower worker --folder";
  if (workers.every(({ draining }) => draining)) return "all workers drain";
  return "its workers are busy, or cannot train it: they say why";
}
