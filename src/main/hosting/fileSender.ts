/** Sends a file to a trainer in pieces, of which few are under way: the whole is never in memory here. */
import type { FileHandle } from "node:fs/promises";
import { asPiece, pieceLength, piecesUnderWay, type Piece } from "../trainer/files.ts";

export class FileSender {
  readonly #send: (piece: Piece) => void;
  /** Pieces that the trainer has not acknowledged. */
  #underWay = 0;
  #ended = false;
  #wake: () => void = () => undefined;

  constructor(send: (piece: Piece) => void) {
    this.#send = send;
  }

  /** Resolves when all is sent, or after `end()`. @throws Error where the file cannot be read */
  async send(file: FileHandle): Promise<void> {
    const { size } = await file.stat();
    for (let at = 0; at < size && !this.#ended; ) {
      if (this.#underWay >= piecesUnderWay) await new Promise<void>((resolve) => (this.#wake = resolve));
      const length = Math.min(pieceLength, size - at);
      const { bytesRead, buffer } = await file.read(new Uint8Array(length), 0, length, at);
      if (bytesRead === 0) throw new Error("it ends too early");
      if (this.#ended) return;
      this.#underWay++;
      this.#send(asPiece(buffer.slice(0, bytesRead), at, size));
      at += bytesRead;
    }
  }

  /** The trainer has taken a piece. */
  taken(): void {
    this.#underWay--;
    this.#wake();
  }

  /** Sends nothing more. */
  end(): void {
    this.#ended = true;
    this.#wake();
  }
}
