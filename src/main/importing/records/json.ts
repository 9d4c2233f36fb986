/** Numbers of logged JSON values, non-finite ones included. */
import { numberOf } from "./columns.ts";
import type { RunDraft } from "./draft.ts";

const nonFinite = /^[+-]?(nan|inf(inity)?)$/i;
/** Deepest nesting of logged values. */
const maxDepth = 8;

/** JSON with the NaN and Infinity that Python writes. @throws SyntaxError */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const quoted = text.replace(/(^|[:[,]\s*)(-?Infinity|NaN)(?=\s*([,}\]]|$))/g, '$1"$2"');
    if (quoted === text) throw error;
    return JSON.parse(quoted);
  }
}

/** Adds the numbers of a logged value under its name; those of objects under names joined by slashes. */
export function addLogged(draft: RunDraft, name: string, value: unknown, step: number, at: number | null, depth = 0): void {
  if (typeof value === "number") draft.add(name, step, value, at);
  else if (typeof value === "string" && nonFinite.test(value)) draft.add(name, step, numberOf(value)!, at);
  else if (value !== null && typeof value === "object" && !Array.isArray(value) && !("_type" in value) && depth < maxDepth) {
    for (const [key, inner] of Object.entries(value)) addLogged(draft, name === "" ? key : `${name}/${key}`, inner, step, at, depth + 1);
  }
}
