/** Schedules in the editor: every field may hold text that is not a number yet. */
import { z } from "zod";
import type { RunLength } from "@shared/schedules/segments.ts";
import { pieceKinds, pieceSpec, scheduleUnits, type Piece, type PieceKind, type Schedule, type ScheduleUnit } from "@shared/schedules/spec.ts";
import type { Entry } from "./numbers.ts";
import { readEntry } from "./numbers.ts";

export interface DraftPiece {
  readonly kind: PieceKind;
  /** Empty text: the end of the budget. */
  readonly until: Entry;
  readonly fields: Readonly<Record<string, Entry>>;
  /** Milestones, separated by commas. */
  readonly at: string;
}

export interface DraftSchedule {
  readonly unit: ScheduleUnit;
  readonly pieces: readonly DraftPiece[];
}

/** By hyperparameter. */
export type DraftSchedules = Readonly<Record<string, DraftSchedule>>;

export function newDraftPiece(kind: PieceKind, until: Entry = "", unit: ScheduleUnit = "epochs"): DraftPiece {
  const middle = unit === "shares" ? "0.5" : "1";
  return { kind, until, fields: Object.fromEntries(pieceSpec(kind).fields.map(({ name, initial }) => [name, initial])), at: pieceSpec(kind).milestones ? middle : "" };
}

export const newDraftSchedule = (kind: PieceKind): DraftSchedule => ({ unit: "epochs", pieces: [newDraftPiece(kind)] });

const draftOfPiece = (piece: Piece): DraftPiece => ({
  kind: piece.kind,
  until: piece.until ?? "",
  fields: Object.fromEntries(pieceSpec(piece.kind).fields.map(({ name, initial }) => [name, piece[name] ?? initial])),
  at: (piece.at ?? []).join(", "),
});

export function draftOfSchedules(schedules: Readonly<Record<string, Schedule>>): DraftSchedules {
  return Object.fromEntries(Object.entries(schedules).map(([name, { unit, pieces }]) => [name, { unit, pieces: pieces.map(draftOfPiece) }]));
}

/** In an experiment's form; invalid text is passed on for validation to refuse. */
export function writtenSchedule({ unit, pieces }: DraftSchedule): { unit: ScheduleUnit; pieces: Record<string, unknown>[] } {
  return {
    unit,
    pieces: pieces.map(({ kind, until, fields, at }) => ({
      kind,
      until: until === "" ? null : until,
      ...fields,
      ...(pieceSpec(kind).milestones ? { at: at.split(/[\s,]+/).filter(Boolean).map(readEntry) } : {}),
    })),
  };
}

export const writtenSchedules = (schedules: DraftSchedules) => Object.fromEntries(Object.entries(schedules).map(([name, schedule]) => [name, writtenSchedule(schedule)]));

/** Changes a piece; another kind keeps its end, and the values that it has too. */
export function withPiece(schedule: DraftSchedule, index: number, change: Partial<DraftPiece>): DraftSchedule {
  const pieces = schedule.pieces.map((piece, i) => {
    if (i !== index) return piece;
    return change.kind !== undefined && change.kind !== piece.kind ? newDraftPiece(change.kind, piece.until, schedule.unit) : { ...piece, ...change };
  });
  return { ...schedule, pieces };
}

/** Adds a piece at the end; the one before it needs an end of its own. */
export function addPiece(schedule: DraftSchedule): DraftSchedule {
  const { unit, pieces } = schedule;
  const last = pieces.at(-1);
  const before = pieces.at(-2)?.until;
  const begin = typeof before === "number" ? before : 0;
  const until = unit === "shares" ? (begin + 1) / 2 : begin + 1;
  const closed = last && last.until === "" ? { ...last, until } : last;
  return { ...schedule, pieces: [...pieces.slice(0, -1), ...(closed ? [closed] : []), newDraftPiece("cosine", "", unit)] };
}

/**
 * Changes the unit. To and from shares of the run, ends and milestones are converted, so that the picture stays; between epochs and
 * steps the numbers stay.
 * @param length null while it is unknown; the numbers then stay too
 */
export function inUnit(schedule: DraftSchedule, unit: ScheduleUnit, length: RunLength | null): DraftSchedule {
  if (!length || unit === schedule.unit || (unit !== "shares" && schedule.unit !== "shares")) return { ...schedule, unit };
  const steps = { epochs: length.stepsPerEpoch, steps: 1, shares: length.totalSteps };
  const converted = (entry: Entry): Entry => (typeof entry === "number" ? Number(((entry * steps[schedule.unit]) / steps[unit]).toPrecision(6)) : entry);
  const milestones = (at: string) => at.split(/[\s,]+/).filter(Boolean).map((text) => converted(readEntry(text))).join(", ");
  return { unit, pieces: schedule.pieces.map((piece) => ({ ...piece, until: converted(piece.until), at: milestones(piece.at) })) };
}

export function removePiece(schedule: DraftSchedule, index: number): DraftSchedule {
  return { ...schedule, pieces: schedule.pieces.toSpliced(index, 1) };
}

const entry = z.union([z.number(), z.string()]);
/** As kept between sessions. */
export const storedSchedules = z.record(
  z.string(),
  z.object({ unit: z.enum(scheduleUnits), pieces: z.array(z.object({ kind: z.enum(pieceKinds), until: entry, fields: z.record(z.string(), entry), at: z.string() })).min(1) }),
);
