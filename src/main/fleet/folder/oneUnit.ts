/** `hypertower worker --unit FILE --results DIR`: one unit, as a job of a scheduler trains it. */
import { hostname } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import type { Unit } from "../../../shared/fleet/unit.ts";
import type { Claim, WorkSource } from "../worker/source.ts";
import type { WorkerState } from "../../../shared/fleet/worker.ts";
import { FolderClaim, readUnit } from "./claim.ts";
import { ensureFolder, isThere, writeWhole } from "./files.ts";
import { UnitPaths } from "./layout.ts";
import { UnitsFolder } from "./unitsFolder.ts";
import { WorkersFolder } from "./workersFolder.ts";

/** Milliseconds between signs of life of the worker. */
const aliveEvery = 10_000;

export interface OneUnitOptions {
  readonly file: string;
  /** Folder of the results: of the unit in a shared folder, or any. */
  readonly results: string;
  /** Folder of imported networks; the shared folder's by default. */
  readonly networks?: string;
  readonly job?: string | null;
  /** Name of the machine, as its scheduler calls it. */
  readonly host?: string;
  readonly every?: number;
}

export class OneUnit implements WorkSource {
  /** Why the unit cannot be trained here; null while that is not known. */
  refused: string | null = null;
  readonly unit: Unit;
  readonly #options: OneUnitOptions;
  #worker = "";
  #given = false;
  #claim: FolderClaim | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Null where the results are in no shared folder of a fleet. */
  #workers: WorkersFolder | null = null;

  private constructor(unit: Unit, options: OneUnitOptions) {
    this.unit = unit;
    this.#options = options;
  }

  /** @throws FleetError where the file cannot be read */
  static async open(options: OneUnitOptions): Promise<OneUnit> {
    return new OneUnit(await readUnit(options.file), options);
  }

  async begin(worker: Omit<WorkerState, "seenAt" | "load" | "units" | "draining">): Promise<void> {
    this.#worker = worker.id;
    const root = dirname(dirname(this.#results));
    try {
      if (!(await isThere(join(root, "format.json")))) return;
      const workers = (this.#workers = new WorkersFolder(new UnitsFolder(root)));
      await workers.register(worker);
      this.#timer = setInterval(() => void workers.beat(worker.id, [this.unit.id]).catch(() => undefined), aliveEvery);
      this.#timer.unref();
    } catch {
      // The list of workers is for people to see: the unit is trained without.
    }
  }

  async next(canTrain: (unit: Unit) => string | null): Promise<Claim | null> {
    if (this.#given) return null;
    this.#given = true;
    this.refused = canTrain(this.unit);
    const root = this.#results;
    const { networks, job = null, every, host = hostname() } = this.#options;
    if (this.refused !== null) {
      // Other nodes may be able to.
      await ensureFolder(join(root, "refused")).then(() => writeWhole(join(root, "refused", host), this.refused!)).catch(() => undefined);
      return null;
    }
    return (this.#claim = await FolderClaim.begin(this.unit, {
      paths: new UnitPaths(root, this.unit.id),
      networks: networks ?? (basename(dirname(root)) === "units" ? join(dirname(dirname(root)), "networks") : join(root, "networks")),
      worker: this.#worker,
      host,
      job,
      ...(every !== undefined && { every }),
    }));
  }

  async close(): Promise<void> {
    if (!this.#claim) this.#given = true;
    clearInterval(this.#timer);
    await this.#workers?.leave(this.#worker).catch(() => undefined);
  }

  get #results(): string {
    return resolve(this.#options.results);
  }
}
