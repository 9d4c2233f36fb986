/** Number formats of the window, charts and reports. */
const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat("en-US", { notation: "compact", maximumSignificantDigits: 3 });
const percent = new Intl.NumberFormat("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });

export const missing = "–";

export function formatCount(value: number): string {
  return whole.format(value);
}

/** Short counts for axes: 1.2K, 60K. */
export function formatCompact(value: number): string {
  return compact.format(value);
}

/** A percentage given in percent: `3.03 %`. */
export function formatPercent(value: number | null | undefined): string {
  return value === null || value === undefined ? missing : `${percent.format(value)} %`;
}

/** Four significant digits, for losses and other measured values. */
export function formatMeasure(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return missing;
  const magnitude = Math.abs(value);
  if (value !== 0 && (magnitude < 1e-4 || magnitude >= 1e6)) return value.toExponential(3).replace("e+", "e");
  return String(Number(value.toPrecision(4)));
}

/** Seconds in words: `8 s`, `1 min 12 s`, `2 h 5 min`. */
export function formatSeconds(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return missing;
  if (seconds < 1) return "under 1 s";
  const total = Math.round(seconds);
  if (total < 60) return `${total} s`;
  const minutes = Math.floor(total / 60);
  if (minutes < 60) return total % 60 === 0 ? `${minutes} min` : `${minutes} min ${total % 60} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

const byteUnits = ["B", "kB", "MB", "GB", "TB"] as const;

/** Bytes in decimal units: `312 MB`. */
export function formatBytes(bytes: number | null | undefined): string {
  if (bytes === null || bytes === undefined || !Number.isFinite(bytes)) return missing;
  const unit = Math.min(byteUnits.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  return `${Number((bytes / 10 ** (3 * unit)).toPrecision(3))} ${byteUnits[unit]!}`;
}

const flopUnits = ["FLOP", "kFLOP", "MFLOP", "GFLOP", "TFLOP", "PFLOP"];

/** Floating-point operations: `1.13 GFLOP`. */
export function formatFlops(flops: number): string {
  const exponent = Math.min(Math.floor(Math.log10(Math.max(flops, 1)) / 3 + 1e-9), flopUnits.length - 1);
  return `${Number((flops / 1000 ** exponent).toPrecision(3))} ${flopUnits[exponent]!}`;
}

/** Milliseconds of a step: `1.57 ms`, `2.4 s`. */
export function formatStepTime(milliseconds: number): string {
  return milliseconds < 1000 ? `${Number(milliseconds.toPrecision(3))} ms` : `${Number((milliseconds / 1000).toPrecision(3))} s`;
}
