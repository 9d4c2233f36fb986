/** Writes the files that a run's trainer sends, beside the store. A file counts once what it belongs to is in the store. */
import { open, type FileHandle } from "node:fs/promises";
import { messageOf } from "../../shared/errors.ts";
import { isResumable, type RunSummary } from "../../shared/run.ts";
import { asPiece, pieceLength, piecesUnderWay, requirePiece, type FileKind } from "../trainer/files.ts";
import type { CheckpointOrder, FromTrainer, RunFileMessage } from "../trainer/messages.ts";
import type { CheckpointFolder } from "./checkpoint/folder.ts";
import type { WeightsFolder } from "./weights/folder.ts";

export interface RunFolders {
  readonly folder: CheckpointFolder;
  readonly weights: WeightsFolder;
  /** Milliseconds between two checkpoints. */
  readonly every: number;
}

export interface PendingFilesHooks {
  /** Writes what is logged; false when that cannot be done at present. */
  readonly flush: () => boolean;
  /** Runs `work` while no other process can take the run; false, without it, when one has. */
  readonly whileHeld: (run: string, work: () => void) => boolean;
  /** How often the run had been taken when this process took it. */
  readonly leaseOf: (run: string) => number;
  readonly note: (kind: FileKind, message: string, step?: number) => void;
  /** The weights of another evaluation are kept. */
  readonly onKept: (() => void) | undefined;
  readonly send: (message: RunFileMessage) => void;
  /** The checkpoint to resume from cannot be read. */
  readonly onUnreadable: (reason: string) => void;
}

type Message = Extract<FromTrainer, { type: "file" }>;

/** A file that the trainer is sending. */
interface Incoming {
  received: number;
  handle: FileHandle | undefined;
  /** Its pieces are written one after the other. */
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
  readonly #incoming = new Map<string, Incoming>();
  /** What failed the last time: that is noted once. */
  readonly #failing = new Set<FileKind>();
  #ended = false;
  /** Pieces of the checkpoint to resume from that the trainer has not acknowledged. */
  #underWay = 0;
  #wake: () => void = () => undefined;

  constructor(folders: RunFolders, hooks: PendingFilesHooks) {
    this.#folders = folders;
    this.#hooks = hooks;
  }

  /** What the trainer is told; makes room for its files. @throws when the folders cannot be written */
  order({ id: run, study }: RunSummary, resume: boolean): CheckpointOrder {
    const { folder, weights, every } = this.#folders;
    folder.clean(run, false);
    folder.prepare();
    weights.clean(run, !resume);
    // Those of a study's runs would take more room than all that they log.
    const keepWeights = study === null;
    if (keepWeights) weights.prepare();
    return { run, every, resume, keepWeights };
  }

  /** Sends the trainer the checkpoint that its run resumes from. */
  async sendCheckpoint(run: string): Promise<void> {
    const path = this.#folders.folder.fileOf(run);
    try {
      const file = await open(path);
      try {
        const { size } = await file.stat();
        for (let at = 0; at < size && !this.#ended; ) {
          if (this.#underWay >= piecesUnderWay) await new Promise<void>((resolve) => (this.#wake = resolve));
          const { bytesRead, buffer } = await file.read(new Uint8Array(Math.min(pieceLength, size - at)), 0, null, at);
          if (bytesRead === 0) throw new Error("it ends too early");
          this.#underWay++;
          this.#hooks.send({ type: "resumeFrom", piece: asPiece(buffer.slice(0, bytesRead), at, size) });
          at += bytesRead;
        }
      } finally {
        await file.close();
      }
    } catch (error) {
      if (!this.#ended) this.#hooks.onUnreadable(`The checkpoint ${path} cannot be read: ${messageOf(error)}`);
    }
  }

  /** The trainer has taken a piece of the checkpoint it resumes from. */
  taken(): void {
    this.#underWay--;
    this.#wake();
  }

  /** Takes a piece of a file. The last one is acknowledged when the file is in place. */
  receive(message: Message, run: RunSummary): void {
    const { kind, step } = message;
    const key = `${kind} ${step}`;
    const incoming: Incoming = this.#incoming.get(key) ?? { received: 0, handle: undefined, last: Promise.resolve(), over: false };
    this.#incoming.set(key, incoming);
    incoming.last = incoming.last.then(async () => {
      if (incoming.over) return;
      try {
        if (!(await this.#write(incoming, message, run))) return this.#hooks.send({ type: "fileTaken", kind, step });
        this.#failing.delete(kind);
        this.#end(key, incoming, null, message);
      } catch (error) {
        const problem = messageOf(error);
        await this.#giveUp(incoming, message, run.id);
        this.#failed(kind, step, problem);
        this.#end(key, incoming, problem, message);
      }
    });
  }

  /** After the run: no file is put in place any more, and what cannot be resumed keeps no checkpoint. */
  clean({ id, status }: RunSummary): void {
    this.#ended = true;
    this.#wake();
    try {
      this.#hooks.whileHeld(id, () => {
        this.#folders.folder.clean(id, !isResumable(status));
        this.#folders.weights.clean(id, false);
      });
    } catch (error) {
      this.#hooks.note("checkpoint", `could not be removed: ${messageOf(error)}`);
    }
  }

  /** Another process has taken the run: its files are no longer written here. */
  abandon(): void {
    this.#ended = true;
    this.#wake();
  }

  #end(key: string, incoming: Incoming, problem: string | null, { kind, step }: Message): void {
    incoming.over = true;
    this.#incoming.delete(key);
    this.#hooks.send({ type: "fileTaken", kind, step, end: { problem } });
  }

  /** Writes a piece; true when the file is whole, durable and in place. */
  async #write(incoming: Incoming, { kind, step, piece }: Message, run: RunSummary): Promise<boolean> {
    if (this.#ended) throw new Error("the run has ended");
    const leased = { run: run.id, lease: this.#hooks.leaseOf(run.id) };
    requirePiece(piece, incoming.received);
    const handle = (incoming.handle ??= await open(this.#folderOf(kind).pendingFileOf(leased, step), "w"));
    await handle.writeFile(piece.bytes);
    incoming.received += piece.bytes.length;
    if (incoming.received < piece.total) return false;
    await handle.sync();
    await handle.close();
    incoming.handle = undefined;
    const accept = await this.#folderOf(kind).accepting(run, leased.lease, step);
    if (this.#ended) throw new Error("the run has ended");
    // A checkpoint must never be ahead of the log, and weights that are kept have their evaluation in the store.
    if (!this.#hooks.flush() || !this.#hooks.whileHeld(run.id, accept)) this.#folderOf(kind).discard(leased, step);
    else if (kind === "weights") this.#hooks.onKept?.();
    return true;
  }

  async #giveUp({ handle }: Incoming, { kind, step }: Message, run: string): Promise<void> {
    await handle?.close().catch(() => undefined);
    try {
      this.#folderOf(kind).discard({ run, lease: this.#hooks.leaseOf(run) }, step);
    } catch {
      // The next launch of the run removes it.
    }
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
