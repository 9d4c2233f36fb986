/** `hypertower worker --unit FILE --results DIR`: one unit, as a job of a scheduler trains it. */
import { hostname } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import type { Unit } from "../../../shared/fleet/unit.ts";
import type { Claim, WorkSource } from "../worker/source.ts";
import { FolderClaim, readUnit } from "./claim.ts";
import { UnitPaths } from "./layout.ts";

export interface OneUnitOptions {
  readonly file: string;
  /** Folder of the results: of the unit in a shared folder, or any. */
  readonly results: string;
  /** Folder of imported networks; the shared folder's by default. */
  readonly networks?: string;
  readonly job?: string | null;
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

  private constructor(unit: Unit, options: OneUnitOptions) {
    this.unit = unit;
    this.#options = options;
  }

  /** @throws FleetError where the file cannot be read */
  static async open(options: OneUnitOptions): Promise<OneUnit> {
    return new OneUnit(await readUnit(options.file), options);
  }

  begin({ id }: { readonly id: string }): Promise<void> {
    this.#worker = id;
    return Promise.resolve();
  }

  async next(canTrain: (unit: Unit) => string | null): Promise<Claim | null> {
    if (this.#given) return null;
    this.#given = true;
    this.refused = canTrain(this.unit);
    if (this.refused !== null) return null;
    const { results, networks, job = null, every } = this.#options;
    const root = resolve(results);
    return (this.#claim = await FolderClaim.begin(this.unit, {
      paths: new UnitPaths(root, this.unit.id),
      networks: networks ?? (basename(dirname(root)) === "units" ? join(dirname(dirname(root)), "networks") : join(root, "networks")),
      worker: this.#worker,
      host: hostname(),
      job,
      ...(every !== undefined && { every }),
    }));
  }

  close(): Promise<void> {
    if (!this.#claim) this.#given = true;
    return Promise.resolve();
  }
}
