/** Writes the files that a run's trainer sends. A file replaces the previous one once the steps or evaluation it belongs to are in the store. */
import { randomUUID } from "node:crypto";
import { rmSync } from "node:fs";
import { open, rm, type FileHandle } from "node:fs/promises";
import { syncFolder } from "../../core/durable/folders.ts";
import { messageOf } from "../../shared/errors.ts";
import { isResumable, type RunSummary } from "../../shared/run.ts";
import { requirePiece, type FileKind } from "../trainer/files.ts";
import type { CheckpointOrder, FromTrainer, RunFileMessage } from "../trainer/messages.ts";
import type { CheckpointFolder } from "./checkpoint/folder.ts";
import { FileSender } from "./fileSender.ts";
import type { WeightsFolder } from "./weights/folder.ts";

export interface RunFolders {
  readonly folder: CheckpointFolder;
  readonly weights: WeightsFolder;
  /** Milliseconds between checkpoints. */
  readonly every: number;
}

export interface PendingFilesHooks {
  /** Commits the log; false when the store cannot be written at present. */
  readonly flush: () => boolean;
  /** Runs `work` while no other process can take the run. Returns false without running it when one has. */
  readonly whileHeld: (run: string, work: () => void) => boolean;
  readonly note: (kind: FileKind, message: string, step?: number) => void;
  /** The weights of another evaluation were saved. */
  readonly onKept: (() => void) | undefined;
  readonly send: (message: RunFileMessage) => void;
  /** The checkpoint to resume from cannot be read. */
  readonly onUnreadable: (reason: string) => void;
}

type Message = Extract<FromTrainer, { type: "file" }>;

/** A file that the trainer is sending. */
interface Incoming {
  readonly kind: FileKind;
  readonly step: number;
  /** Path of the pending file. */
  readonly path: string;
  received: number;
  handle: FileHandle | undefined;
  /** Writes pieces in order. */
  last: Promise<void>;
  over: boolean;
}

const failures: Record<FileKind, string> = {
  checkpoint: "could not be written, so an interruption would cost what was trained since the last one",
  weights: "could not be kept, so nothing can be predicted from this evaluation",
};

export class PendingFiles {
  readonly #folders: RunFolders;
  readonly #hooks: PendingFilesHooks;
  /** Keeps file names distinct when two hosts believe that they own the run. */
  readonly #token = randomUUID().slice(0, 8);
  readonly #incoming = new Map<string, Incoming>();
  /** Kinds that failed last time: a repeated failure is not noted again. */
  readonly #failing = new Set<FileKind>();
  #ended = false;
  readonly #checkpoint: FileSender;

  constructor(folders: RunFolders, hooks: PendingFilesHooks) {
    this.#folders = folders;
    this.#hooks = hooks;
    this.#checkpoint = new FileSender((piece) => hooks.send({ type: "resumeFrom", piece }));
  }

  /** Options for the trainer. Creates the folders and removes stale files. @throws when the folders cannot be written */
  order({ id: run, study }: RunSummary, resume: boolean): CheckpointOrder {
    const { folder, weights, every } = this.#folders;
    folder.prepare();
    if (!resume) weights.remove(run);
    // The weights of a study's runs would take more space than their logs.
    const keepWeights = study === null;
    if (keepWeights) weights.prepare();
    void this.#removeStale(run);
    return { run, every, resume, keepWeights };
  }

  /** Sends the trainer the checkpoint that its run resumes from. */
  async sendCheckpoint(run: string): Promise<void> {
    const path = this.#folders.folder.fileOf(run);
    try {
      const file = await open(path);
      try {
        await this.#checkpoint.send(file);
      } finally {
        await file.close();
      }
    } catch (error) {
      if (!this.#ended) this.#hooks.onUnreadable(`The checkpoint ${path} cannot be read: ${messageOf(error)}`);
    }
  }

  /** The trainer acknowledged a piece of the checkpoint it resumes from. */
  taken(): void {
    this.#checkpoint.taken();
  }

  /** Writes a piece of a file. The last piece is acknowledged when the file is in place. */
  receive(message: Message, run: RunSummary): void {
    const { kind, step } = message;
    const key = `${kind} ${step}`;
    const path = this.#folderOf(kind).pendingFileOf(run.id, `${this.#token}-${step}`);
    const incoming: Incoming = this.#incoming.get(key) ?? { kind, step, path, received: 0, handle: undefined, last: Promise.resolve(), over: false };
    this.#incoming.set(key, incoming);
    incoming.last = incoming.last.then(async () => {
      if (incoming.over) return;
      try {
        if (!(await this.#write(incoming, message, run))) return this.#hooks.send({ type: "fileTaken", kind, step });
        this.#failing.delete(kind);
        this.#end(key, incoming, null);
      } catch (error) {
        const problem = messageOf(error);
        await this.#giveUp(incoming);
        this.#failed(kind, step, problem);
        this.#end(key, incoming, problem);
      }
    });
  }

  /** After the run: stops accepting files, and removes the checkpoint of a run that cannot be resumed. */
  clean({ id, status }: RunSummary): void {
    this.abandon();
    if (isResumable(status)) return;
    try {
      this.#hooks.whileHeld(id, () => this.#folders.folder.remove(id));
    } catch (error) {
      this.#hooks.note("checkpoint", `could not be removed: ${messageOf(error)}`);
    }
  }

  /** Stops writing files of the run. */
  abandon(): void {
    this.#ended = true;
    this.#checkpoint.end();
    for (const [key, incoming] of this.#incoming) {
      incoming.last = incoming.last.then(async () => {
        if (incoming.over) return;
        await this.#giveUp(incoming);
        this.#end(key, incoming, "the run has ended");
      });
    }
  }

  /** Moves away a checkpoint that the trainer cannot use, so that the run can restart without it. */
  setAside(run: string): void {
    try {
      this.#hooks.whileHeld(run, () => this.#folders.folder.setAside(run));
    } catch (error) {
      this.#hooks.note("checkpoint", `could not be put aside: ${messageOf(error)}`);
    }
  }

  /** Removes pending files of hosts that have ended. Safe because only the run's owner writes its files. */
  async #removeStale(run: string): Promise<void> {
    try {
      for (const folder of [this.#folders.folder, this.#folders.weights]) {
        const stale = (await folder.pendingFiles(run)).filter((path) => !path.includes(`.${this.#token}-`));
        if (stale.length === 0 || this.#ended) continue;
        this.#hooks.whileHeld(run, () => {
          for (const path of stale) rmSync(path, { force: true });
        });
      }
    } catch {
      // The next launch of the run retries.
    }
  }

  #end(key: string, incoming: Incoming, problem: string | null): void {
    const { kind, step } = incoming;
    incoming.over = true;
    this.#incoming.delete(key);
    this.#hooks.send({ type: "fileTaken", kind, step, end: { problem } });
  }

  /** Writes a piece; true when the file is whole, durable and in place. */
  async #write(incoming: Incoming, { kind, piece }: Message, run: RunSummary): Promise<boolean> {
    if (this.#ended) throw new Error("the run has ended");
    requirePiece(piece, incoming.received);
    const handle = (incoming.handle ??= await open(incoming.path, "w", 0o600));
    await handle.writeFile(piece.bytes);
    incoming.received += piece.bytes.length;
    if (incoming.received < piece.total) return false;
    await handle.sync();
    await handle.close();
    incoming.handle = undefined;
    const accept = await this.#folderOf(kind).accepting(run, incoming.path);
    if (this.#ended) throw new Error("the run has ended");
    // A checkpoint must never be ahead of the log; saved weights need their evaluation in the store.
    if (!this.#hooks.flush() || !this.#hooks.whileHeld(run.id, accept)) await rm(incoming.path, { force: true });
    else {
      await syncFolder(this.#folderOf(kind).path);
      if (kind === "weights") this.#hooks.onKept?.();
    }
    return true;
  }

  /** Removes an incomplete file; if that fails, the next launch of the run removes it. */
  async #giveUp({ handle, path }: Incoming): Promise<void> {
    await handle?.close().catch(() => undefined);
    await rm(path, { force: true }).catch(() => undefined);
  }

  #failed(kind: FileKind, step: number, message: string): void {
    if (this.#ended || this.#failing.has(kind)) return;
    this.#failing.add(kind);
    this.#hooks.note(kind, `${failures[kind]}: ${message}`, step);
  }

  #folderOf(kind: FileKind): CheckpointFolder | WeightsFolder {
    return kind === "checkpoint" ? this.#folders.folder : this.#folders.weights;
  }
}
