/** Checkpoints and weights of runs as parts of archives, and back. */
import { closeSync, fstatSync, fsyncSync, openSync, readSync, readdirSync, renameSync, rmSync, writeSync } from "node:fs";
import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { messageOf } from "../../shared/errors.ts";
import { syncFolderSync } from "../../core/durable/folders.ts";
import { CheckpointError } from "../../core/checkpoint/container.ts";
import { readCheckpointHeader } from "../../core/checkpoint/file.ts";
import { requireOwner } from "../../core/checkpoint/owner.ts";
import { readWeightsHeader } from "../../core/weights/file.ts";
import { CheckpointFolder } from "../hosting/checkpoint/folder.ts";
import { RunFiles } from "../hosting/runFiles.ts";
import { WeightsFolder } from "../hosting/weights/folder.ts";
import { isLocked } from "../store/hostLock.ts";
import { runFileKinds, type PortableFile, type PortableRun, type RunFileKind } from "../store/portable.ts";
import { blocksOf } from "./write.ts";

/** Path of a run's file in a store's folder. */
export function pathOf(folder: string, run: string, kind: RunFileKind): string {
  return kind === "checkpoint" ? new CheckpointFolder(folder).fileOf(run) : new WeightsFolder(folder).fileOf(run, kind);
}

export interface OpenFiles {
  readonly files: readonly PortableFile[];
  close(): void;
}

/** Opens a run's files as they are now: later versions of them do not matter. */
export function openFiles(folder: string, run: string): OpenFiles {
  const opened: number[] = [];
  const files = runFileKinds.flatMap((kind): PortableFile[] => {
    let descriptor: number;
    try {
      descriptor = openSync(pathOf(folder, run, kind), "r");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
      throw error;
    }
    opened.push(descriptor);
    return [{ kind, size: fstatSync(descriptor).size, read: (at, target) => readSync(descriptor, target, 0, target.length, at) }];
  });
  return { files, close: () => opened.forEach((descriptor) => closeSync(descriptor)) };
}

/** The files that the run can use, and what is wrong with the others. */
export async function usableFiles(run: Pick<PortableRun, "id" | "experiment">, files: readonly PortableFile[]): Promise<{ readonly usable: PortableFile[]; readonly problems: string[] }> {
  const usable: PortableFile[] = [];
  const problems: string[] = [];
  for (const file of files) {
    const read = (at: number, length: number) => {
      const target = Buffer.alloc(length);
      return Promise.resolve(target.subarray(0, file.read(at, target)));
    };
    try {
      requireOwner(await (file.kind === "checkpoint" ? readCheckpointHeader(read, file.size) : readWeightsHeader(read, file.size)), run);
      usable.push(file);
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
      problems.push(`The ${file.kind === "checkpoint" ? "checkpoint" : `${file.kind} weights`} of run ${run.id} cannot be used and was left out: ${messageOf(error)}.`);
    }
  }
  return { usable, problems };
}

const hashLength = 32;

/** A checkpoint or weights file as that of a run with another id: its header names the run. */
export function* ownedBy(run: string, file: PortableFile): Generator<Buffer> {
  const prefix = Buffer.alloc(12);
  file.read(0, prefix);
  const length = prefix.readUInt32LE(8);
  const text = Buffer.alloc(length);
  file.read(12, text);
  const header = Buffer.from(JSON.stringify({ ...(JSON.parse(text.toString("utf8")) as object), run }));
  prefix.writeUInt32LE(header.length, 8);
  const hash = createHash("sha256");
  const body = { size: Math.max(0, file.size - 12 - length - hashLength), read: (at: number, target: Uint8Array) => file.read(12 + length + at, target) };
  function* all(): Generator<Buffer> {
    yield prefix;
    yield header;
    yield* blocksOf(body);
  }
  for (const piece of all()) {
    hash.update(piece);
    yield piece;
  }
  yield hash.digest();
}

/** Files written aside for runs that are not in the store yet. */
export class StagedFiles {
  readonly #folder: string;
  readonly #token: string;
  readonly #staged: { readonly pending: string; readonly place: string; isPlaced: boolean }[] = [];

  /** @param token of the process's lock, by which others see whether it still works */
  constructor(folder: string, token: string) {
    this.#folder = folder;
    this.#token = token;
  }

  /** Writes a file aside and syncs it. @param run the id that the run will have */
  add(run: PortableRun, id: string, file: PortableFile): void {
    const files = new RunFiles(this.#folder, file.kind === "checkpoint" ? "checkpoints" : "weights");
    files.prepare();
    const pending = files.pendingFileOf(id, `${file.kind}-${mark}${this.#token}`);
    this.#staged.push({ pending, place: pathOf(this.#folder, id, file.kind), isPlaced: false });
    const descriptor = openSync(pending, "wx");
    try {
      for (const piece of id === run.id ? blocksOf(file) : ownedBy(id, file)) {
        for (let at = 0; at < piece.length; ) at += writeSync(descriptor, piece, at);
      }
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  }

  /** Renames all files. Call last within the transaction that creates their runs. */
  place(): void {
    for (const file of this.#staged) {
      renameSync(file.pending, file.place);
      file.isPlaced = true;
    }
    for (const folder of new Set(this.#staged.map(({ place }) => dirname(place)))) syncFolderSync(folder);
  }

  /** Removes the files again, wherever they lie: their runs were not created. */
  remove(): void {
    for (const { pending, place, isPlaced } of this.#staged) rmSync(isPlaced ? place : pending, { force: true });
  }
}

const mark = "received-";

/** Removes files that processes which have ended wrote aside. */
export function removeLeftovers(folder: string): void {
  for (const name of ["checkpoints", "weights"]) {
    let files: string[];
    try {
      files = readdirSync(join(folder, name));
    } catch {
      continue;
    }
    for (const file of files) {
      const token = new RegExp(`${mark}([0-9a-f-]+)\\.pending$`).exec(file)?.[1];
      if (token !== undefined && !isLocked(join(folder, "hosts", `${token}.lock`))) rmSync(join(folder, name, file), { force: true });
    }
  }
}
