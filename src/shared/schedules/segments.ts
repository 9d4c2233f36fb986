/** Schedules as monotone segments over steps: what the step program computes and pictures show. */
import type { Piece, Schedule } from "./spec.ts";

/** Length of a run, in which epochs become steps. */
export interface RunLength {
  readonly stepsPerEpoch: number;
  readonly totalSteps: number;
}

/** Factors from `from` at `begin` towards `to` at `end`; real-valued steps. */
export interface Segment {
  readonly begin: number;
  readonly end: number;
  readonly from: number;
  readonly to: number;
  /** How `from` becomes `to`: by a power of the remaining share, or half a cosine wave. */
  readonly shape: "cosine" | { readonly power: number };
}

const linear = { power: 1 } as const;

function segmentsOfPiece(piece: Piece, begin: number, end: number, scale: number): Segment[] {
  const { kind, value = 1, from = 1, to = 0, power = 1, factor = 1, warmUp = 0, decay = 0, at = [] } = piece;
  switch (kind) {
    case "constant":
      return [{ begin, end, from: value, to: value, shape: linear }];
    case "warmUp":
    case "linear":
      return [{ begin, end, from, to, shape: linear }];
    case "cosine":
      return [{ begin, end, from, to, shape: "cosine" }];
    case "polynomial":
      return [{ begin, end, from, to, shape: { power } }];
    case "step": {
      const edges = [begin, ...at.map((milestone) => milestone * scale), end];
      return edges.slice(1).map((edge, i) => ({ begin: edges[i]!, end: edge, from: from * factor ** i, to: from * factor ** i, shape: linear }));
    }
    case "warmUpStableDecay": {
      const [stable, falling] = [begin + warmUp * (end - begin), end - decay * (end - begin)];
      return [
        { begin, end: stable, from, to: 1, shape: linear },
        { begin: stable, end: falling, from: 1, to: 1, shape: linear },
        { begin: falling, end, from: 1, to, shape: linear },
      ];
    }
    case "oneCycle": {
      const peak = begin + warmUp * (end - begin);
      return [
        { begin, end: peak, from, to: 1, shape: "cosine" },
        { begin: peak, end, from: 1, to, shape: "cosine" },
      ];
    }
  }
}

/** A schedule's segments in order; the last one's `to` holds to the end of the run. Empty segments are left out. */
export function segmentsOf({ unit, pieces }: Schedule, { stepsPerEpoch, totalSteps }: RunLength): Segment[] {
  const scale = { epochs: stepsPerEpoch, steps: 1, shares: totalSteps }[unit];
  let begin = 0;
  return pieces
    .flatMap((piece) => {
      const end = piece.until === null ? totalSteps : piece.until * scale;
      const segments = segmentsOfPiece(piece, begin, end, scale);
      begin = end;
      return segments;
    })
    .filter((segment) => segment.end > segment.begin);
}

/** Share of a segment's difference that remains, by the share of its steps that remain. */
function remaining(shape: Segment["shape"], share: number): number {
  return shape === "cosine" ? Math.sin((Math.PI / 2) * share) ** 2 : share ** shape.power;
}

/** Factor of the update of step t, from 0. */
export function factorAt(segments: readonly Segment[], t: number): number {
  const segment = segments.find(({ end }) => t < end) ?? segments.at(-1);
  if (!segment) return 1;
  const { begin, end, from, to, shape } = segment;
  return to + (from - to) * remaining(shape, Math.max(0, (end - t) / (end - begin)));
}
