/** Conditions, sorting and times of a list, as typed on the command line. */
import { UserError } from "../../services/services.ts";
import type { Column, Value } from "./columns.ts";

export interface Condition<T> {
  readonly key: string;
  holds(item: T): boolean;
}

const operators = ["<=", ">=", "!=", "==", "<", ">", "=", "~"] as const;
type Operator = (typeof operators)[number];

/**
 * Parses `KEY OPERATOR VALUE`: `alpha<0.01`, `testError >= 3`, `model.kind=cnn`, `name~*warm*`. A run without the value
 * fulfills only `!=`.
 * @throws UserError for anything else
 */
export function parseCondition<T>(text: string, columnOf: (key: string) => Column<T>): Condition<T> {
  const [, key, operator, wanted] = /^\s*([^\s<>=!~]+)\s*(<=|>=|!=|==|<|>|=|~)\s*(.+?)\s*$/.exec(text) ?? [];
  if (key === undefined || wanted === undefined) throw new UserError(`--where ${text}: expected KEY OPERATOR VALUE with one of ${operators.join(" ")}, such as "alpha<0.01" or "model.kind=cnn"`);
  const column = columnOf(key);
  const number = Number(wanted);
  const ordered = operator === "<" || operator === "<=" || operator === ">" || operator === ">=";
  if (ordered && Number.isNaN(number)) throw new UserError(`--where ${text}: ${wanted} is not a number, and ${operator} compares numbers`);
  const test = comparison(operator as Operator, wanted, number);
  return { key, holds: (item) => test(column.value(item)) };
}

function comparison(operator: Operator, wanted: string, number: number): (value: Value) => boolean {
  const same = (value: Value) => (typeof value === "number" ? value === number : value === wanted);
  const like = operator === "~" ? glob(wanted) : undefined;
  switch (operator) {
    case "=":
    case "==":
      return (value) => value !== null && same(value);
    case "!=":
      return (value) => !same(value);
    case "~":
      return (value) => value !== null && like!(String(value));
    default: {
      const holds = { "<": (a: number) => a < number, "<=": (a: number) => a <= number, ">": (a: number) => a > number, ">=": (a: number) => a >= number }[operator];
      return (value) => typeof value === "number" && holds(value);
    }
  }
}

/** Whether a text matches a pattern with `*` and `?`, whatever the case. Takes time proportional to both lengths. */
export function glob(pattern: string): (text: string) => boolean {
  const wanted = [...pattern.toLowerCase()];
  return (text) => {
    const found = [...text.toLowerCase()];
    let [p, t, star, retry] = [0, 0, -1, 0];
    while (t < found.length) {
      if (p < wanted.length && wanted[p] === "*") [star, retry, p] = [p, t, p + 1];
      else if (p < wanted.length && (wanted[p] === "?" || wanted[p] === found[t])) [p, t] = [p + 1, t + 1];
      else if (star >= 0) [p, t] = [star + 1, ++retry];
      else return false;
    }
    while (wanted[p] === "*") p++;
    return p === wanted.length;
  };
}

/** Parses `KEY`, `KEY:asc` or `KEY:desc`. @throws UserError for another order or an unknown key */
export function parseSort<T>(text: string, columnOf: (key: string) => Column<T>): { readonly key: string; readonly compare: (a: T, b: T) => number } {
  const [, key = text, order = "asc"] = /^(.*):(asc|desc)$/.exec(text) ?? [];
  if (/:[a-z]+$/i.test(key)) throw new UserError(`--sort ${text}: expected KEY, KEY:asc or KEY:desc`);
  const column = columnOf(key);
  const sign = order === "asc" ? 1 : -1;
  return {
    key,
    // What has no value comes last in either order.
    compare: (a, b) => {
      const [one, other] = [column.value(a), column.value(b)];
      if (one === null || other === null) return Number(one === null) - Number(other === null);
      return sign * (typeof one === "number" && typeof other === "number" ? one - other : String(one).localeCompare(String(other)));
    },
  };
}

const units = { s: 1_000, min: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/**
 * Milliseconds since 1970 of `30min`, `2h`, `3d`, `2w` (ago), `today`, `yesterday`, `2026-11-30` or `2026-11-30T14:00` (local time).
 * @throws UserError for anything else
 */
export function parseTime(option: string, text: string, now = Date.now()): number {
  const [, count, unit] = /^(\d{1,6}(?:\.\d+)?)\s*(s|min|h|d|w)$/.exec(text) ?? [];
  if (unit) return now - Number(count) * units[unit as keyof typeof units];
  const midnight = new Date(now);
  midnight.setHours(0, 0, 0, 0);
  if (text === "today") return midnight.getTime();
  if (text === "yesterday") return midnight.setDate(midnight.getDate() - 1);
  const [, date, time = "00:00"] = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2})?))?$/.exec(text) ?? [];
  const at = date === undefined ? NaN : new Date(`${date}T${time}`).getTime();
  if (Number.isNaN(at)) throw new UserError(`${option} ${text}: expected a time such as 30min, 2h, 3d, 2w (ago), today, yesterday, 2026-11-30 or 2026-11-30T14:00`);
  return at;
}
