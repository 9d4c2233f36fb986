/** JSON has no NaN and no infinity: what is shown of such a value is null. */
export function finite(value: number | null | undefined): number | null {
  return value !== undefined && value !== null && Number.isFinite(value) ? value : null;
}
