/** A worker: takes units from where they are kept and trains them, until there are none, or until it is asked to leave. */
import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { isProcessAlive } from "../../../core/durable/alive.ts";
import { plural } from "../../../shared/text.ts";
import { messageOf } from "../../../shared/errors.ts";
import { runsOf, type Unit } from "../../../shared/fleet/unit.ts";
import type { LaunchTrainer } from "../../hosting/process.ts";
import { abilityCheck } from "./abilities.ts";
import type { FoundMachine } from "./machine.ts";
import type { Claim, WorkSource } from "./source.ts";
import { UnitTraining, type UnitTrained, type UnitTrainingOptions } from "./unitTraining.ts";

export interface WorkerOptions extends Pick<UnitTrainingOptions, "leaveWithin" | "handInWithin" | "spool" | "watch"> {
  readonly source: WorkSource;
  readonly id: string;
  readonly found: FoundMachine;
  readonly launch: LaunchTrainer;
  /** Units that are trained at the same time. */
  readonly places: number;
  /** Folder of downloaded and imported datasets. */
  readonly data?: string;
  /** Folder on the machine's own disk for what was not handed in; the system's for temporary files by default. */
  readonly spoolFolder?: string;
  readonly say: (line: string) => void;
}

/** An identifier of a worker of this machine, which no other has. */
export function newWorkerId(): string {
  const host = hostname().replace(/[^A-Za-z0-9-]+/g, "-").replace(/^[^A-Za-z0-9]+/, "").slice(0, 60);
  return `${host || "worker"}-${process.pid}-${randomBytes(3).toString("hex")}`;
}

export class Worker {
  /** How the units ended that it trained. */
  readonly done: Promise<readonly UnitTrained[]>;
  readonly #options: WorkerOptions;
  readonly #training = new Set<UnitTraining>();
  readonly #folder: string;
  #leaving: string | undefined;

  constructor(options: WorkerOptions) {
    this.#options = options;
    const root = options.spoolFolder ?? join(tmpdir(), `hypertower-worker-${process.getuid?.() ?? "user"}`);
    this.#folder = join(root, `${process.pid}-${options.id}`);
    this.done = this.#run(root);
  }

  /** Takes no further unit, and ends training with checkpoints. */
  leave(reason: string): void {
    if (this.#leaving !== undefined) return;
    this.#leaving = reason;
    for (const unit of this.#training) unit.leave(reason);
    void this.#options.source.close();
  }

  async #run(root: string): Promise<readonly UnitTrained[]> {
    const { source, id, found, places, data, say } = this.#options;
    removeStale(root);
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const check = abilityCheck({ machine: found.machine, problems: found.problems, ...(data !== undefined && { data }) });
    const refused = new Set<string>();
    const canTrain = (unit: Unit) => {
      const problem = check(unit);
      // Said once: a source asks again and again.
      if (problem !== null && !refused.has(unit.id)) say(`cannot train unit ${unit.id} of the study ${unit.study.name}: ${problem}`);
      if (problem !== null) refused.add(unit.id);
      return problem;
    };
    const all: UnitTrained[] = [];
    try {
      await source.begin({ id, machine: found.machine, startedAt: Date.now() });
      await Promise.all(
        Array.from({ length: places }, async () => {
          while (this.#leaving === undefined) {
            const claim = await source.next(canTrain);
            if (!claim) return;
            all.push(await this.#train(claim));
          }
        }),
      );
      return all;
    } finally {
      // Those of the other places, where one has failed.
      for (const unit of this.#training) unit.leave("the worker ends");
      await Promise.allSettled([...this.#training].map(({ done }) => done));
      await source.close().catch((error: unknown) => say(`the worker could not say that it ends: ${messageOf(error)}`));
      rmSync(this.#folder, { recursive: true, force: true });
    }
  }

  async #train(claim: Claim): Promise<UnitTrained> {
    const { id, found, launch, say, ...rest } = this.#options;
    const { unit, attempt } = claim;
    const runs = runsOf(unit).length;
    say(`trains unit ${unit.id} of the study ${unit.study.name}: ${plural(runs, "run")}${attempt > 1 ? `, attempt ${attempt}` : ""}`);
    const training = new UnitTraining(claim, {
      worker: id,
      machine: found.machine,
      launch,
      folder: join(this.#folder, `${unit.id}-${attempt}`),
      say: (line) => say(`unit ${unit.id}: ${line}`),
      ...(rest.leaveWithin !== undefined && { leaveWithin: rest.leaveWithin }),
      ...(rest.handInWithin !== undefined && { handInWithin: rest.handInWithin }),
      ...(rest.spool && { spool: rest.spool }),
      ...(rest.watch && { watch: rest.watch }),
    });
    this.#training.add(training);
    // It may have been asked meanwhile.
    if (this.#leaving !== undefined) training.leave(this.#leaving);
    const trained = await training.done;
    this.#training.delete(training);
    say(`unit ${unit.id}: ${trained.type}${"reason" in trained ? `, because ${trained.reason}` : ""}`);
    return trained;
  }
}

/** Removes what killed workers of this machine left: their units were given to others. */
function removeStale(root: string): void {
  let names: string[];
  try {
    names = readdirSync(root);
  } catch {
    return;
  }
  for (const name of names) {
    const pid = Number(/^(\d+)-/.exec(name)?.[1]);
    if (pid > 0 && !isProcessAlive(pid)) rmSync(join(root, name), { recursive: true, force: true });
  }
}
