/** What a run's trainer writes beside the store. A file counts once what it belongs to is in the store. */
import { messageOf } from "../../shared/errors.ts";
import { isResumable, type RunSummary } from "../../shared/run.ts";
import type { CheckpointFolder } from "./checkpoint/folder.ts";
import type { CheckpointOrder } from "../trainer/messages.ts";
import type { WeightsFolder } from "./weights/folder.ts";

export interface RunFolders {
  readonly folder: CheckpointFolder;
  readonly weights: WeightsFolder;
  readonly storeFolder: string;
  /** Milliseconds between two checkpoints. */
  readonly every: number;
}

type Kind = "checkpoint" | "weights";

export interface PendingFilesHooks {
  /** Writes what is logged; false when that cannot be done at present. */
  readonly flush: () => boolean;
  /** Runs `work` while no other process can take the run; false, without it, when one has. */
  readonly whileHeld: (run: string, work: () => void) => boolean;
  /** How often the run had been taken when this process took it. */
  readonly leaseOf: (run: string) => number;
  readonly note: (kind: Kind, message: string, step?: number) => void;
  /** The weights of another evaluation are kept. */
  readonly onKept: (() => void) | undefined;
}

const failures: Record<Kind, string> = {
  checkpoint: "could not be written, so an interruption would cost what was trained since the last one",
  weights: "could not be kept, so nothing can be predicted from this evaluation",
};

export class PendingFiles {
  readonly #folders: RunFolders;
  readonly #hooks: PendingFilesHooks;
  /** What failed the last time: that is noted once. */
  readonly #failing = new Set<Kind>();

  constructor(folders: RunFolders, hooks: PendingFilesHooks) {
    this.#folders = folders;
    this.#hooks = hooks;
  }

  /** What the trainer is told; makes room for it. @throws when the folders cannot be written */
  order({ id: run, study }: RunSummary, resume: boolean): CheckpointOrder {
    const { folder, weights, storeFolder, every } = this.#folders;
    folder.clean(run, false);
    folder.prepare();
    weights.clean(run, !resume);
    // Those of a study's runs would take more room than all that they log.
    const keepWeights = study === null;
    if (keepWeights) weights.prepare();
    return { run, lease: this.#hooks.leaseOf(run), storeFolder, every, resume, keepWeights };
  }

  /** A checkpoint must never be ahead of the log, and weights that are kept have their evaluation in the store. */
  written(kind: Kind, run: RunSummary, step: number): void {
    const { folder, weights } = this.#folders;
    const leased = { run: run.id, lease: this.#hooks.leaseOf(run.id) };
    const accept = () => (kind === "checkpoint" ? folder.accept(leased, step) : weights.accept(run, leased.lease, step));
    try {
      if (!this.#hooks.flush() || !this.#hooks.whileHeld(run.id, accept)) (kind === "checkpoint" ? folder : weights).discard(leased, step);
      else if (kind === "weights") this.#hooks.onKept?.();
      this.#failing.delete(kind);
    } catch (error) {
      this.failed(kind, step, messageOf(error));
    }
  }

  failed(kind: Kind, step: number, message: string): void {
    if (this.#failing.has(kind)) return;
    this.#failing.add(kind);
    this.#hooks.note(kind, `${failures[kind]}: ${message}`, step);
  }

  /** After the run: what has ended for good is not taken up again. */
  clean({ id, status }: RunSummary): void {
    try {
      this.#hooks.whileHeld(id, () => {
        this.#folders.folder.clean(id, !isResumable(status));
        this.#folders.weights.clean(id, false);
      });
    } catch (error) {
      this.#hooks.note("checkpoint", `could not be removed: ${messageOf(error)}`);
    }
  }
}
