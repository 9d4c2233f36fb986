/** Opens a queue for a coordinator: one elsewhere by its URL, or one on this machine with a database and workers of its own. */
import { join } from "node:path";
import { messageOf } from "../../../shared/errors.ts";
import type { LaunchTrainer } from "../../hosting/process.ts";
import type { Fleet } from "../fleet.ts";
import { findMachine } from "../worker/machine.ts";
import { newWorkerId, Worker } from "../worker/worker.ts";
import { passwordless } from "./address.ts";
import { keepPassword } from "./passwords.ts";
import { startEmbedded } from "./embedded.ts";
import { QueueFleet } from "./queueFleet.ts";
import { QueueSource } from "./queueSource.ts";

export interface OpenQueueContext {
  readonly storeFolder: string;
  readonly version: string;
  readonly warn: (message: string) => void;
  /** Starts trainers for workers on this machine. Without it there are none. */
  readonly launch?: LaunchTrainer;
}

/** @param url null for the queue on this machine @throws FleetError */
export async function openQueue(url: string | null, context: OpenQueueContext): Promise<Fleet> {
  const folder = join(context.storeFolder, "queue");
  if (url !== null) return QueueFleet.open(await keepPassword(url, context.storeFolder), { name: `queue:${passwordless(url)}` });
  const server = await startEmbedded(folder);
  const workers = context.launch ? new LocalWorkers({ ...context, launch: context.launch, url: server.worker, folder }) : null;
  if (!workers) context.warn("no worker is started for the queue on this machine");
  try {
    return await QueueFleet.open(server.coordinator, {
      name: "queue",
      // Nothing but a killed host is silent here.
      heartbeat: 20,
      onLeave: async () => workers?.end(),
      onClose: () => server.stop(),
    });
  } catch (error) {
    await workers?.end();
    await server.stop();
    throw error;
  }
}

interface LocalWorkersOptions {
  readonly url: string;
  readonly folder: string;
  readonly version: string;
  readonly launch: LaunchTrainer;
  readonly warn: (message: string) => void;
}

/** A worker in this process with a place for each core; its trainers are processes. */
class LocalWorkers {
  #worker: Worker | undefined;
  #ended = false;
  readonly #running: Promise<unknown>;

  constructor(options: LocalWorkersOptions) {
    // Engines are tried first, which takes a moment.
    this.#running = this.#run(options).catch((error: unknown) => options.warn(`the worker of the queue on this machine ended: ${messageOf(error)}`));
  }

  async end(): Promise<void> {
    this.#ended = true;
    this.#worker?.leave("Hypertower is closed");
    await this.#running;
  }

  async #run({ url, folder, version, launch, warn }: LocalWorkersOptions): Promise<void> {
    const found = await findMachine({ launch, version });
    if (this.#ended) return;
    const source = await QueueSource.open(url, { networks: join(folder, "networks"), onProblem: (problem) => problem !== null && warn(problem) });
    this.#worker = new Worker({ source, id: newWorkerId(), found, launch, places: found.machine.cores, spoolFolder: join(folder, "worker"), say: () => undefined });
    if (this.#ended) this.#worker.leave("Hypertower is closed");
    await this.#worker.done;
  }
}
