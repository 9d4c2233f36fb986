/** Null for values that JSON cannot hold: NaN and the infinities. */
export function finite(value: number | null | undefined): number | null {
  return value !== undefined && value !== null && Number.isFinite(value) ? value : null;
}
