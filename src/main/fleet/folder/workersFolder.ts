/** Workers that were started by hand on a shared folder: who is there, who drains, and which unit is whose. */
import { loadavg } from "node:os";
import { rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { identifier } from "../../../shared/fleet/unit.ts";
import type { WorkerState } from "../../../shared/fleet/worker.ts";
import { attempted, changedAt, codeOf, isThere, namesIn, readJson, writeWhole } from "./files.ts";
import { workerAlive, workerFile } from "./layout.ts";
import type { UnitsFolder } from "./unitsFolder.ts";

/** Attempts that may be lost or fail before a unit is set aside. */
export const maxFailures = 5;

/** Milliseconds without a sign of life after which a worker is taken for lost. */
export const lostAfter = 120_000;

export class WorkersFolder {
  readonly #units: UnitsFolder;
  readonly #root: string;

  constructor(units: UnitsFolder) {
    this.#units = units;
    this.#root = units.root;
  }

  /** @throws a file system error */
  async offer(unit: string): Promise<void> {
    await writeWhole(join(this.#root, "waiting", identifier.parse(unit)), "");
  }

  /** @throws a file system error */
  async withdraw(unit: string): Promise<void> {
    await rm(join(this.#root, "waiting", identifier.parse(unit)), { force: true });
  }

  /** @throws a file system error */
  async waiting(): Promise<string[]> {
    return (await namesIn(join(this.#root, "waiting"))).filter((name) => identifier.safeParse(name).success).sort();
  }

  /** Workers by the unit that they have. @throws a file system error */
  async taken(): Promise<Map<string, string>> {
    return new Map((await namesIn(join(this.#root, "taken"))).flatMap((name) => {
      const [unit, worker, ...rest] = name.split("@");
      return rest.length === 0 && identifier.safeParse(unit).success && identifier.safeParse(worker).success ? [[unit!, worker!] as const] : [];
    }));
  }

  /** Takes a unit: of several workers that try, one succeeds. @throws a file system error */
  async take(unit: string, worker: string): Promise<boolean> {
    const target = this.#takenPath(unit, worker);
    try {
      await rename(join(this.#root, "waiting", unit), target);
      return true;
    } catch (error) {
      // A network file system may have renamed it although its answer was lost.
      if (codeOf(error) === "ENOENT") return isThere(target);
      throw error;
    }
  }

  /** @throws a file system error */
  async has(unit: string, worker: string): Promise<boolean> {
    return isThere(this.#takenPath(unit, worker));
  }

  /** Gives a unit back; nothing where the worker no longer has it. @throws a file system error */
  async giveBack(unit: string, worker: string): Promise<void> {
    await rename(this.#takenPath(unit, worker), join(this.#root, "waiting", unit)).catch((error: unknown) => {
      if (codeOf(error) !== "ENOENT") throw error;
    });
  }

  /** @throws a file system error */
  async settle(unit: string, worker: string): Promise<void> {
    await rm(this.#takenPath(unit, worker), { force: true });
  }

  /** Gives units back whose workers are silent, and sets those aside that were lost too often. @param now time of the file server */
  async returnLost(now: number, within = lostAfter): Promise<void> {
    for (const [unit, worker] of await this.taken()) {
      const silence = await this.#units.silence(unit, now);
      const since = await stat(this.#takenPath(unit, worker)).then(({ ctimeMs }) => now - ctimeMs, () => 0);
      if (Math.min(silence ?? Infinity, since) < within) continue;
      await this.again(unit, worker, `its worker ${worker} gave no sign of life for ${Math.round(within / 1000)} s`);
    }
  }

  /** After an attempt that was lost or failed: gives the unit back, or sets it aside. */
  async again(unit: string, worker: string, reason: string): Promise<void> {
    const { failures } = await this.#units.look(unit);
    if (failures >= maxFailures) {
      await this.#units.mark(unit, "failed", `${failures} attempts were lost or failed; the last because ${reason}`);
      await this.settle(unit, worker);
    } else await this.giveBack(unit, worker);
  }

  /** @throws a file system error */
  async register(worker: Omit<WorkerState, "seenAt" | "load" | "units" | "draining">): Promise<void> {
    await writeWhole(join(this.#root, "workers", `${worker.id}.json`), JSON.stringify(worker));
    await this.beat(worker.id, []);
  }

  /** @throws a file system error */
  async beat(worker: string, units: readonly string[]): Promise<void> {
    const [load] = process.platform === "win32" ? [null] : loadavg();
    await writeWhole(join(this.#root, "workers", `${worker}.alive`), JSON.stringify({ load: load ?? null, units }));
  }

  /** @throws a file system error */
  async leave(worker: string): Promise<void> {
    for (const ending of ["json", "alive"]) await rm(join(this.#root, "workers", `${worker}.${ending}`), { force: true });
    await rm(join(this.#root, "draining", worker), { force: true });
  }

  /** @throws a file system error */
  async isDraining(worker: string): Promise<boolean> {
    return isThere(join(this.#root, "draining", identifier.parse(worker)));
  }

  /** @throws FleetError */
  async drain(worker: string, draining: boolean): Promise<void> {
    const path = join(this.#root, "draining", identifier.parse(worker));
    await attempted(`The worker ${worker} could not be told`, () => (draining ? writeWhole(path, "") : rm(path, { force: true })));
  }

  /** Those that gave a sign of life lately. @throws FleetError */
  async list(now: number, within = lostAfter): Promise<WorkerState[]> {
    return attempted(`The workers in ${this.#root} cannot be read`, async () => {
      const draining = new Set(await namesIn(join(this.#root, "draining")));
      const all: WorkerState[] = [];
      for (const name of await namesIn(join(this.#root, "workers"))) {
        if (!name.endsWith(".json")) continue;
        const said = await readJson(join(this.#root, "workers", name), workerFile);
        const path = join(this.#root, "workers", `${name.slice(0, -5)}.alive`);
        const seenAt = await changedAt(path);
        const alive = await readJson(path, workerAlive);
        if (!said || !alive || seenAt === null || now - seenAt > within) continue;
        all.push({ ...said, ...alive, seenAt, draining: draining.has(said.id) });
      }
      return all.sort((a, b) => (a.id < b.id ? -1 : 1));
    });
  }

  #takenPath(unit: string, worker: string): string {
    return join(this.#root, "taken", `${identifier.parse(unit)}@${identifier.parse(worker)}`);
  }
}
