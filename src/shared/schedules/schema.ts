/** Schema of schedules, and the errors that need the hyperparameter or the budget. */
import { z } from "zod";
import { describeDomain, inDomain, optimizerSpec, type OptimizerName } from "../optimizers.ts";
import { segmentsOf, type RunLength } from "./segments.ts";
import { pieceKinds, pieceSpec, scheduleUnits, unitWords, type Piece, type PieceField, type PieceKind, type Schedule, type Schedules } from "./spec.ts";

/** Maximum number of pieces of a schedule, and of milestones of a piece. */
const maxPieces = 100;
const maxSteps = 1e9;

const time = (what: string) => z.number(`${what} must be a number of the schedule's unit`).min(0, `${what} must be 0 or more`).max(maxSteps, `${what} must be at most ${maxSteps}`);

function fieldSchema(kind: PieceKind, { name, domain, initial }: PieceField) {
  const allowed = describeDomain(domain);
  return z
    .number(`${name} of ${kind} must be a number, ${allowed}`)
    .refine((value) => inDomain(value, domain), { error: (issue) => `${name} of ${kind} is ${String(issue.input)}; allowed: ${allowed}` })
    .default(initial);
}

function pieceSchema(kind: PieceKind) {
  const { fields, milestones } = pieceSpec(kind);
  const at = z
    .array(time("a milestone"), `${kind} needs milestones: "at" must be a list of numbers of the schedule's unit`)
    .min(1, `${kind} needs milestones: at is empty`)
    .max(maxPieces, `${kind} has more than ${maxPieces} milestones`)
    .refine((list) => list.every((milestone, i) => i === 0 || milestone > list[i - 1]!), "milestones must increase");
  return z.strictObject({
    kind: z.literal(kind),
    until: time("until").nullable().default(null),
    ...Object.fromEntries(fields.map((field) => [field.name, fieldSchema(kind, field)])),
    ...(milestones ? { at } : {}),
  });
}

/** A kind's name stands for that piece with its defaults. */
const piece = z.preprocess(
  (value) => (typeof value === "string" ? { kind: value } : value),
  z.discriminatedUnion("kind", pieceKinds.map(pieceSchema) as unknown as [ReturnType<typeof pieceSchema>], { error: () => `a piece's kind must be one of: ${pieceKinds.join(", ")}` }),
) as unknown as z.ZodType<Piece, PieceInput>;

const unit = z.enum(scheduleUnits, `unit must be one of: ${scheduleUnits.join(", ")}`).default("epochs");
const pieces = z.array(piece, "pieces must be a list of pieces").min(1, "a schedule has no pieces").max(maxPieces, `a schedule has more than ${maxPieces} pieces`);

/** A kind's name, or a list of pieces, stands for a schedule in epochs. */
const schedule = z.preprocess(
  (value) => (typeof value === "string" ? { pieces: [value] } : Array.isArray(value) ? { pieces: value } : value),
  z.strictObject({ unit, pieces }, "a schedule must be a kind of piece, a list of pieces, or { unit, pieces }").superRefine((written, context) => {
    for (const { index, field, message } of pieceProblems(written)) context.addIssue({ code: "custom", path: ["pieces", index, field], message });
  }),
) as unknown as z.ZodType<Schedule, ScheduleInput>;

/** Input form of a piece: fields that are missing are defaults. */
export type PieceInput = PieceKind | (Partial<Omit<Piece, "kind">> & { readonly kind: PieceKind });
/** Input form of a schedule. */
export type ScheduleInput = PieceKind | readonly PieceInput[] | { readonly unit?: Schedule["unit"]; readonly pieces: readonly PieceInput[] };

/** Errors of pieces that no single field has: their order, milestones outside of their piece. */
function pieceProblems({ unit, pieces }: Schedule): { readonly index: number; readonly field: string; readonly message: string }[] {
  const end = unit === "shares" ? 1 : Infinity;
  let begin = 0;
  return pieces.flatMap(({ kind, until, at = [], warmUp = 0, decay = 0 }, index) => {
    const found: { index: number; field: string; message: string }[] = [];
    const refuse = (field: string, message: string) => found.push({ index, field, message: `piece ${index + 1} (${kind}): ${message}` });
    if (until === null && index < pieces.length - 1) refuse("until", "until is missing; only the last piece may last to the end of the budget");
    if (until !== null && until <= begin) refuse("until", index === 0 ? "until must be greater than 0" : `it ends at ${until}, but the piece before it ends at ${begin}; pieces must be in order and may not overlap`);
    if (until !== null && until > end) refuse("until", `it ends at ${until}; allowed for ${unitWords[unit]}: greater than 0, at most 1`);
    if (until === null && begin >= end) refuse("until", `it would begin at ${begin}, the end of the run`);
    const outside = at.find((milestone) => milestone <= begin || milestone >= (until ?? end));
    if (outside !== undefined) refuse("at", `the milestone ${outside} is outside of the piece, which lasts from ${begin} to ${until ?? "the end of the budget"}`);
    if (warmUp + decay > 1) refuse("decay", `warmUp and decay are shares of the piece and add up to ${Number((warmUp + decay).toPrecision(6))}; allowed: at most 1`);
    begin = until ?? begin;
    return found;
  });
}

/** The field of a level or group. Without it nothing is scheduled, and nothing is stored. */
export const schedules = z.record(z.string(), schedule, "schedules must be an object: a schedule for each hyperparameter's name").optional();

interface ScheduledSettings {
  readonly optimizer: OptimizerName;
  readonly learned: readonly string[];
  readonly schedules?: Schedules | undefined;
}

export interface ScheduleProblem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** The factors between which a schedule moves; lengths do not matter to them. */
function factorsOf({ pieces }: Schedule): number[] {
  const even = pieces.map((piece, i) => ({ ...piece, until: i + 1, ...(piece.at ? { at: piece.at.map((_, n) => i + (n + 1) / (piece.at!.length + 1)) } : {}) }));
  return segmentsOf({ unit: "steps", pieces: even }, { stepsPerEpoch: 1, totalSteps: pieces.length }).flatMap(({ from, to }) => [from, to]);
}

/** Unknown hyperparameters, and values that would leave their domain; paths are below the level or group. */
export function scheduleProblems({ optimizer, learned, schedules = {} }: ScheduledSettings, initial: (name: string) => number): ScheduleProblem[] {
  const { label, hyperparameters } = optimizerSpec(optimizer);
  return Object.entries(schedules).flatMap(([name, of]): ScheduleProblem[] => {
    const path = ["schedules", name];
    const spec = hyperparameters.find((one) => one.name === name);
    if (!spec) return [{ path, message: `${label} has no hyperparameter ${name} to schedule; allowed: ${hyperparameters.map((one) => one.name).join(", ")}` }];
    const factors = factorsOf(of);
    const wrong = [...new Set(factors)].find((factor) => !inDomain(initial(name) * factor, spec.domain));
    if (wrong !== undefined) return [{ path, message: `${label} ${name} ${initial(name)} times the factor ${wrong} is ${Number((initial(name) * wrong).toPrecision(6))}; allowed: ${describeDomain(spec.domain)}` }];
    if (learned.includes(name) && spec.storedAs === "tanh" && factors.some((factor) => factor > 1)) {
      return [{ path, message: `${label} ${name} is learned, so a factor above 1 could take it beyond 1; use factors of at most 1` }];
    }
    return [];
  });
}

/**
 * What does not fit into the budget; shares of the run always fit.
 * @param at path of the level or group
 */
export function budgetProblems({ schedules = {} }: Pick<ScheduledSettings, "schedules">, { stepsPerEpoch, totalSteps }: RunLength, at: ScheduleProblem["path"]): ScheduleProblem[] {
  return Object.entries(schedules).flatMap(([name, { unit, pieces }]) => {
    if (unit === "shares") return [];
    const budget = unit === "epochs" ? totalSteps / stepsPerEpoch : totalSteps;
    const words = `the budget of ${budget} ${unit}`;
    return pieces.flatMap(({ until, at: milestones = [] }, index): ScheduleProblem[] => {
      const refuse = (field: string, message: string) => [{ path: [...at, "schedules", name, "pieces", index, field], message: `${name}: ${message}` }];
      if (until !== null && until > budget) return refuse("until", `piece ${index + 1} of its schedule ends at ${until} ${unit}, after ${words}`);
      const late = milestones.find((milestone) => milestone >= budget);
      if (late !== undefined) return refuse("at", `the milestone ${late} of its schedule is not before the end of ${words}`);
      const begin = pieces[index - 1]?.until ?? 0;
      return until === null && begin >= budget ? refuse("until", `piece ${index + 1} of its schedule would begin at ${begin} ${unit}, the end of ${words}`) : [];
    });
  });
}

/** Reads a schedule; null where it has an error. */
export function readSchedule(input: unknown): Schedule | null {
  return schedule.safeParse(input).data ?? null;
}
