/** What the columns of a table mean: by their names, or as asked for. */
import type { TableColumns } from "../../../shared/importedRun.ts";
import { RecordError } from "./draft.ts";

const stepNames = /^(global[_ ]?step|trainer\/global_step|_?steps?|iter(ation)?s?|update|num_timesteps|time\/total_timesteps)$/i;
const timeNames = /^(_?time_?stamp|wall[_ ]?time|_?time|date(time)?|created_at)$/i;
const epochNames = /^epochs?$/i;

export interface Columns {
  readonly step: string | undefined;
  readonly time: string | undefined;
  readonly epoch: string | undefined;
}

/** @param given columns that a person named; one that is missing is an error where `isWhole` says that no others will come */
export function recognized(names: readonly string[], given: TableColumns, isWhole: boolean): Columns {
  for (const column of [given.step, given.time, given.epoch]) {
    if (column !== undefined && isWhole && !names.includes(column)) throw new RecordError(`there is no column ${JSON.stringify(column)}; it has ${names.slice(0, 20).map((name) => JSON.stringify(name)).join(", ")}`);
  }
  const find = (pattern: RegExp) => names.find((name) => pattern.test(name));
  return { step: given.step ?? find(stepNames), time: given.time ?? find(timeNames), epoch: given.epoch ?? find(epochNames) };
}

/** Seconds since 1970 of a number (seconds, milliseconds, micro- or nanoseconds) or an ISO date; null for anything else, such as seconds since the start. */
export function wallTime(cell: string | number): number | null {
  const number = typeof cell === "number" ? cell : Number(cell);
  if (Number.isFinite(number) && cell !== "") {
    for (const unit of [1, 1e3, 1e6, 1e9]) if (number / unit >= 1e8 && number / unit < 1e11) return number / unit;
    return null;
  }
  if (typeof cell !== "string" || !/^\d{4}-\d\d-\d\d/.test(cell)) return null;
  // A time without a zone is taken as UTC, so that an import gives the same on every machine.
  const text = /(Z|[+-]\d\d:?\d\d)$/i.test(cell) || !/[T ]\d/.test(cell) ? cell : `${cell}Z`;
  const parsed = Date.parse(text.replace(" ", "T"));
  return Number.isNaN(parsed) ? null : parsed / 1000;
}

const nonFinite: Record<string, number> = { nan: NaN, inf: Infinity, "+inf": Infinity, "-inf": -Infinity, infinity: Infinity, "+infinity": Infinity, "-infinity": -Infinity };

/** The number of a cell, `nan` and `inf` included; undefined for text or nothing. */
export function numberOf(cell: string): number | undefined {
  const text = cell.trim();
  if (text === "") return undefined;
  const number = nonFinite[text.toLowerCase()] ?? (/^[+-]?(\d|\.\d)/.test(text) && !/^[+-]?0[xob]/i.test(text) ? Number(text) : NaN);
  return Number.isNaN(number) && text.toLowerCase() !== "nan" ? undefined : number;
}
