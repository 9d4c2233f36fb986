/**
 * Replacer for JSON.stringify that tells numbers apart as Object.is does:
 * plain JSON writes Infinity, -Infinity and NaN as null, and -0 as 0.
 */
export function distinctNumber(_key: string, value: unknown): unknown {
  if (typeof value !== "number") return value;
  if (Object.is(value, -0)) return "-0";
  return Number.isFinite(value) ? value : String(value);
}
