/** The kinds of pieces that a schedule is made of; the schema, the editor and the docs read this table. */
import type { Domain } from "../optimizers/spec.ts";

export interface PieceField {
  readonly name: "value" | "from" | "to" | "power" | "factor" | "warmUp" | "decay";
  readonly label: string;
  readonly initial: number;
  readonly domain: Domain;
}

export interface PieceSpec {
  readonly label: string;
  /** In tower notation. */
  readonly short: string;
  /** One line of help for the editor. */
  readonly help: string;
  readonly fields: readonly PieceField[];
  /** Whether it has milestones, in `at`. */
  readonly milestones?: boolean;
}

/** Largest factor: a schedule gives a shape, the hyperparameter the scale. */
const factors: Domain = { min: 0, max: 1e6 };
const share: Domain = { min: 0, max: 1 };

const factor = (name: PieceField["name"], label: string, initial: number): PieceField => ({ name, label, initial, domain: factors });
const [from, to] = [factor("from", "From factor", 1), factor("to", "To factor", 0)];

export const pieceSpecs = {
  constant: { label: "Constant", short: "constant", help: "The same factor throughout.", fields: [factor("value", "Factor", 1)] },
  warmUp: { label: "Warm-up", short: "warm-up", help: "Grows linearly.", fields: [factor("from", "From factor", 0), factor("to", "To factor", 1)] },
  linear: { label: "Linear", short: "linear", help: "Falls linearly, by default to 0.", fields: [from, to] },
  cosine: { label: "Cosine", short: "cosine", help: "Half a cosine wave (Loshchilov and Hutter 2017).", fields: [from, to] },
  polynomial: {
    label: "Polynomial",
    short: "polynomial",
    help: "A power of the remaining share of the piece.",
    fields: [from, to, { name: "power", label: "Power", initial: 2, domain: { min: 0, max: 100, minExclusive: true } }],
  },
  step: {
    label: "Step",
    short: "step",
    help: "Multiplied by a factor at each milestone.",
    fields: [from, factor("factor", "Multiply by", 0.1)],
    milestones: true,
  },
  warmUpStableDecay: {
    label: "Warm-up, stable, decay",
    short: "WSD",
    help: "Grows linearly, stays at 1, and falls linearly (Hu et al. 2024).",
    fields: [
      factor("from", "From factor", 0),
      { name: "warmUp", label: "Share of warm-up", initial: 0.1, domain: share },
      { name: "decay", label: "Share of decay", initial: 0.2, domain: share },
      to,
    ],
  },
  oneCycle: {
    label: "One cycle",
    short: "one-cycle",
    help: "Half a cosine wave up to 1 and another one down (Smith and Topin 2018), as in PyTorch.",
    fields: [
      factor("from", "From factor", 0.04),
      { name: "warmUp", label: "Share of warm-up", initial: 0.3, domain: share },
      factor("to", "To factor", 4e-6),
    ],
  },
} as const satisfies Record<string, PieceSpec>;

export type PieceKind = keyof typeof pieceSpecs;
export const pieceKinds = Object.keys(pieceSpecs) as [PieceKind, ...PieceKind[]];

export function pieceSpec(kind: PieceKind): PieceSpec {
  return pieceSpecs[kind];
}

export const scheduleUnits = ["epochs", "steps", "shares"] as const;
export type ScheduleUnit = (typeof scheduleUnits)[number];

/** Names of the units, as in "until (shares of the run)". With shares, a schedule has the same shape whatever the budget. */
export const unitWords = { epochs: "epochs", steps: "steps", shares: "shares of the run" } as const satisfies Record<ScheduleUnit, string>;

/** A part of a schedule. It begins where the one before it ends, the first at step 0. */
export interface Piece extends Readonly<Partial<Record<PieceField["name"], number>>> {
  readonly kind: PieceKind;
  /** Where it ends, in the schedule's unit from the run's beginning; null for the budget's end. */
  readonly until: number | null;
  /** Milestones of a step piece, in the schedule's unit from the run's beginning. */
  readonly at?: readonly number[];
}

/** A factor over the steps of a run, by which a hyperparameter of level 0 is multiplied. */
export interface Schedule {
  readonly unit: ScheduleUnit;
  readonly pieces: readonly Piece[];
}

/** Schedules by the name of the hyperparameter. */
export type Schedules = Readonly<Record<string, Schedule>>;

/** `warm-up cosine`: its pieces in short. */
export function scheduleNotation({ pieces }: Schedule): string {
  return pieces.map(({ kind }) => pieceSpec(kind).short).join(" ");
}

/** A schedule with all its values: `warm-up (from 0, to 1) until 2, cosine (from 1, to 0), in epochs`; the unit last. */
export function scheduleInWords({ unit, pieces }: Schedule): string {
  const words = pieces.map((piece) => {
    const { short, fields } = pieceSpec(piece.kind);
    const values = [...fields.map(({ name, initial }) => `${name} ${piece[name] ?? initial}`), ...(piece.at ? [`at ${piece.at.join(" and ")}`] : [])];
    return `${short} (${values.join(", ")})${piece.until === null ? "" : ` until ${piece.until}`}`;
  });
  return `${words.join(", ")}, in ${unitWords[unit]}`;
}
