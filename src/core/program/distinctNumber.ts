/**
 * Replacer for JSON.stringify that keeps numbers apart as Object.is does:
 * JSON alone writes Infinity, -Infinity and NaN as null, and -0 as 0.
 */
export function distinctNumber(_key: string, value: unknown): unknown {
  if (typeof value !== "number") return value;
  if (Object.is(value, -0)) return "-0";
  return Number.isFinite(value) ? value : String(value);
}
