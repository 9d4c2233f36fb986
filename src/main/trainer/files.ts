/** Sends checkpoints and weights through the port, in checksummed chunks with limited buffering. */
import { crc32 } from "node:zlib";

export type FileKind = "checkpoint" | "weights";

/** A chunk of a file. `total`: bytes of the whole file. `crc`: checksum of this chunk. */
export interface Piece {
  readonly at: number;
  readonly total: number;
  readonly bytes: Uint8Array;
  readonly crc: number;
}

/** Bytes per chunk. */
export const pieceLength = 1 << 20;

/** Maximum number of unacknowledged chunks. */
export const piecesUnderWay = 4;

/**
 * @param bytes the whole file; the chunk is copied, since sending a view would send its whole
 * buffer
 */
export function pieceOf(bytes: Uint8Array, at: number): Piece {
  return asPiece(new Uint8Array(bytes.subarray(at, at + pieceLength)), at, bytes.length);
}

export const asPiece = (bytes: Uint8Array, at: number, total: number): Piece => ({ at, total, bytes, crc: crc32(bytes) });

/** @throws Error unless the chunk is intact and continues the previous ones */
export function requirePiece({ at, total, bytes, crc }: Piece, received: number): void {
  if (at !== received || at + bytes.length > total) throw new Error(`a piece of the file begins at byte ${at} of ${total}; byte ${received} was to come`);
  if (crc32(bytes) !== crc) throw new Error(`the bytes from ${at} on were damaged on their way`);
}

/**
 * The trainer's side of a run's files: sends saved files to the host, and receives the checkpoint
 * to resume from, or the weights to predict from.
 */
export class RunPort {
  readonly #sending = new Map<string, Sending>();
  readonly #whole = Promise.withResolvers<Uint8Array>();
  #bytes: Uint8Array | undefined;
  #arrived = 0;

  constructor() {
    // A new run never awaits it.
    this.#whole.promise.catch(() => undefined);
  }

  /** The file from the host, once it has arrived completely. */
  get received(): Promise<Uint8Array> {
    return this.#whole.promise;
  }

  /** Receives a chunk of the file from the host. */
  take(piece: Piece): void {
    try {
      requirePiece(piece, this.#arrived);
      this.#bytes ??= new Uint8Array(piece.total);
      this.#bytes.set(piece.bytes, piece.at);
      this.#arrived += piece.bytes.length;
      if (this.#arrived === piece.total) this.#whole.resolve(this.#bytes);
    } catch (error) {
      this.#whole.reject(error);
    }
  }

  /** Resolves when the host has stored the file. @throws Error with the host's reason otherwise */
  send(kind: FileKind, step: number, bytes: Uint8Array, send: (piece: Piece) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#sending.set(keyOf(kind, step), { bytes, at: 0, send, done: { resolve, reject } });
      for (let i = 0; i < piecesUnderWay; i++) this.#next(kind, step);
    });
  }

  /** The host has received a chunk. @param end result of the whole file */
  taken(kind: FileKind, step: number, end: FileEnd | undefined): void {
    if (!end) return this.#next(kind, step);
    const sending = this.#sending.get(keyOf(kind, step));
    this.#sending.delete(keyOf(kind, step));
    if (end.problem === null) sending?.done.resolve();
    else sending?.done.reject(new Error(end.problem));
  }

  #next(kind: FileKind, step: number): void {
    const sending = this.#sending.get(keyOf(kind, step));
    if (!sending || sending.at >= sending.bytes.length) return;
    const piece = pieceOf(sending.bytes, sending.at);
    sending.at += piece.bytes.length;
    sending.send(piece);
  }
}

interface Sending {
  readonly bytes: Uint8Array;
  at: number;
  readonly send: (piece: Piece) => void;
  readonly done: { resolve(): void; reject(reason: Error): void };
}

/** `problem`: why the file was not stored; null if it was. */
export interface FileEnd {
  readonly problem: string | null;
}

const keyOf = (kind: FileKind, step: number) => `${kind} ${step}`;
