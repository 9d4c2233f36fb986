/** A run's files on their way between trainer and host. */
import { describe, expect, it } from "vitest";
import { pieceLength, pieceOf, piecesUnderWay, requirePiece, RunPort, type Piece } from "../../../src/main/trainer/files.ts";

const file = Uint8Array.from({ length: 6 * pieceLength + 5 }, (_, i) => (i * 31) >> 3);

describe("a file that a trainer sends", () => {
  it("goes on only as pieces are acknowledged, and is whole when its end is", async () => {
    const port = new RunPort();
    const pieces: Piece[] = [];
    const sent = port.send("checkpoint", 7, file, (piece) => pieces.push(piece));
    expect(pieces).toHaveLength(piecesUnderWay);
    port.taken("weights", 7, undefined);
    expect(pieces).toHaveLength(piecesUnderWay);
    for (let i = 0; i < 6; i++) port.taken("checkpoint", 7, undefined);
    expect(pieces).toHaveLength(7);
    const whole = new Uint8Array(file.length);
    let received = 0;
    for (const piece of pieces) {
      requirePiece(piece, received);
      whole.set(piece.bytes, piece.at);
      received += piece.bytes.length;
    }
    expect(Buffer.from(whole).equals(file)).toBe(true);
    port.taken("checkpoint", 7, { problem: null });
    await sent;
  });

  it("is refused with the host's reason", async () => {
    const port = new RunPort();
    const sent = port.send("weights", 3, file, () => undefined);
    port.taken("weights", 3, { problem: "the disk is full" });
    await expect(sent).rejects.toThrow("the disk is full");
  });
});

describe("the checkpoint to resume from", () => {
  it("is put together from its pieces", async () => {
    const port = new RunPort();
    for (let at = 0; at < file.length; at += pieceLength) port.take(pieceOf(file, at));
    expect(Buffer.from(await port.received).equals(file)).toBe(true);
  });

  it("is refused when a piece was damaged or is missing", async () => {
    const damaged = new RunPort();
    const piece = pieceOf(file, 0);
    piece.bytes[9]! ^= 1;
    damaged.take(piece);
    await expect(damaged.received).rejects.toThrow("damaged on their way");
    const gap = new RunPort();
    gap.take(pieceOf(file, pieceLength));
    await expect(gap.received).rejects.toThrow("byte 0 was to come");
  });
});
