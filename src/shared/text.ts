/** Counts and lists as they stand in sentences. */
import { formatCount } from "./format.ts";

/** The noun for a count alone: `run`, `runs`; also verbs: `is`, `are`. */
export function nounFor(count: number, one: string, many = `${one}s`): string {
  return count === 1 ? one : many;
}

/** `1 run`, `1,200 runs`. */
export function plural(count: number, one: string, many?: string): string {
  return `${formatCount(count)} ${nounFor(count, one, many)}`;
}

/** `a`, `a and b`, `a, b and c`. */
export function listed(items: readonly string[], conjunction: "and" | "or" = "and"): string {
  return items.length < 2 ? (items[0] ?? "") : `${items.slice(0, -1).join(", ")} ${conjunction} ${items.at(-1)!}`;
}

/** Counts of what there is any of: `2 diverged, 1 exploded`; empty for none. */
export function countedParts(parts: readonly (readonly [count: number, what: string])[]): string[] {
  return parts.flatMap(([count, what]) => (count > 0 ? [`${formatCount(count)} ${what}`] : []));
}

/** A text from elsewhere as it stands in a message: its beginning. */
export const clipped = (text: string, characters = 200): string => (text.length > characters ? `${text.slice(0, characters)}…` : text);

export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
