/** `hypertower worker --folder DIR`: units of a shared folder, taken by workers that were started by hand. */
import { hostname } from "node:os";
import { join } from "node:path";
import { messageOf } from "../../../shared/errors.ts";
import type { Unit } from "../../../shared/fleet/unit.ts";
import type { WorkerState } from "../../../shared/fleet/worker.ts";
import { FleetError } from "../fleet.ts";
import { pause } from "../worker/backoff.ts";
import type { Claim, WorkSource } from "../worker/source.ts";
import { FolderClaim, readUnit } from "./claim.ts";
import { UnitsFolder } from "./unitsFolder.ts";
import { WorkersFolder } from "./workersFolder.ts";

export interface FolderSourceOptions {
  readonly root: string;
  /** Milliseconds between looks for units, between signs of life, and between looks for lost workers. */
  readonly lookEvery?: number;
  readonly aliveEvery?: number;
  readonly lostEvery?: number;
  /** Milliseconds between looks at a unit in training: signs of life, requests. */
  readonly claimEvery?: number;
  /** Milliseconds of silence after which a worker is taken for lost. */
  readonly lostAfter?: number;
  /** Ends when there is nothing to do, instead of waiting for more. */
  readonly untilEmpty?: boolean;
  readonly say?: (line: string) => void;
}

export class FolderSource implements WorkSource {
  readonly #options: FolderSourceOptions;
  readonly #units: UnitsFolder;
  readonly #workers: WorkersFolder;
  readonly #closed = new AbortController();
  readonly #training = new Set<string>();
  /** Units that failed here: others may try them. */
  readonly #failed = new Set<string>();
  #worker = "";
  #timer: NodeJS.Timeout | undefined;
  #checkedAt = -Infinity;
  #problem: string | null = null;

  constructor(options: FolderSourceOptions) {
    this.#options = options;
    this.#units = new UnitsFolder(options.root);
    this.#workers = new WorkersFolder(this.#units);
  }

  async begin(worker: Omit<WorkerState, "seenAt" | "load" | "units" | "draining">): Promise<void> {
    this.#worker = worker.id;
    await this.#units.open();
    await this.#workers.register(worker);
    const beat = () => {
      this.#timer = setTimeout(() => void this.#workers.beat(worker.id, [...this.#training]).catch(() => undefined).finally(() => !this.#closed.signal.aborted && beat()), this.#options.aliveEvery ?? 10_000);
      this.#timer.unref();
    };
    beat();
  }

  async next(canTrain: (unit: Unit) => string | null): Promise<Claim | null> {
    const { signal } = this.#closed;
    while (!signal.aborted) {
      try {
        const claim = await this.#take(canTrain);
        if (this.#problem !== null) this.#options.say?.("the shared folder can be used again");
        this.#problem = null;
        if (claim) return claim;
        if (this.#options.untilEmpty && this.#training.size === 0) return null;
      } catch (error) {
        if (error instanceof FleetError && !error.retry) throw error;
        if (this.#problem === null) this.#options.say?.(`the shared folder cannot be used at present: ${messageOf(error)}`);
        this.#problem = messageOf(error);
      }
      await pause(this.#options.lookEvery ?? 1_000, signal);
    }
    return null;
  }

  async close(): Promise<void> {
    if (this.#closed.signal.aborted) return;
    this.#closed.abort();
    clearTimeout(this.#timer);
    if (this.#worker !== "") await this.#workers.leave(this.#worker);
  }

  async #take(canTrain: (unit: Unit) => string | null): Promise<Claim | null> {
    const { lostEvery = 20_000, lostAfter } = this.#options;
    if (performance.now() - this.#checkedAt > lostEvery) {
      this.#checkedAt = performance.now();
      await this.#workers.returnLost(await this.#units.now(), lostAfter);
    }
    if (await this.#workers.isDraining(this.#worker)) return null;
    for (const id of await this.#workers.waiting()) {
      if (this.#failed.has(id)) continue;
      const { isThere, canceled, failed } = await this.#units.look(id);
      if (!isThere || canceled !== null || failed !== null) {
        await this.#workers.withdraw(id);
        continue;
      }
      const unit = await readUnit(this.#units.paths(id).at("unit.json")).catch(async (error: unknown) => {
        if (!(error instanceof FleetError) || error.retry) throw error;
        await this.#units.mark(id, "failed", error.message);
        return null;
      });
      if (unit === null || canTrain(unit) !== null) continue;
      if (await this.#workers.take(id, this.#worker)) return this.#begin(unit);
    }
    return null;
  }

  async #begin(unit: Unit): Promise<Claim> {
    const { id } = unit;
    const worker = this.#worker;
    this.#training.add(id);
    try {
      return await FolderClaim.begin(unit, {
        paths: this.#units.paths(id),
        networks: join(this.#units.root, "networks"),
        worker,
        host: hostname(),
        job: null,
        ...(this.#options.claimEvery !== undefined && { every: this.#options.claimEvery }),
        isLost: async () => ((await this.#workers.has(id, worker)) ? null : "it was given to another worker"),
        afterEnd: async (outcome, asked) => {
          this.#training.delete(id);
          if (outcome.type === "failed") {
            this.#failed.add(id);
            await this.#workers.again(id, worker, outcome.reason);
          } else if (outcome.type === "left" && !asked) await this.#workers.giveBack(id, worker);
          else await this.#workers.settle(id, worker);
        },
      });
    } catch (error) {
      this.#training.delete(id);
      await this.#workers.giveBack(id, worker).catch(() => undefined);
      throw error;
    }
  }
}
