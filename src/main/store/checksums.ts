/**
 * Checksums of what is logged. They show that a disk or another program changed a value that SQLite
 * itself reads without complaint. Released checksums must stay what they are: append columns only.
 */
import { crc32 } from "node:zlib";

/** Values of a metric under one checksum. */
export const checksumSpan = 256;

/** Columns of `runs` under the checksum of a row since layout version 9: all but those that change without anything being logged. */
export const firstSealedRunColumns = [
  "id", "name", "status", "reason", "stack", "seed", "engine", "device", "created_at", "started_at", "finished_at", "deleted_at", "steps",
  "total_steps", "epoch", "loss", "test_error", "hyperparameters", "environment", "experiment", "study", "cell", "pruned", "evaluation",
  "dataset", "model", "result_name", "result", "trained_ms", "trained_from",
] as const;
/** Of layout version 12. */
export const thinnedSealedRunColumns = [...firstSealedRunColumns, "thinned_at", "thinned_width"] as const;
/** Of layout version 13. */
export const taggedSealedRunColumns = [...thinnedSealedRunColumns, "tags"] as const;
/** Of the current layout. */
export const sealedRunColumns = [...taggedSealedRunColumns, "imported"] as const;
/** Since layout version 9. */
export const firstSealedStudyColumns = [
  "id", "name", "status", "reason", "created_at", "started_at", "finished_at", "deleted_at", "total", "workers", "definition", "trained_ms",
  "trained_from", "running_since",
] as const;
/** Of the current layout. */
export const sealedStudyColumns = [...firstSealedStudyColumns, "tags"] as const;
export const sealedEvaluationColumns = [
  "run", "step", "at", "epoch", "train_loss", "test_loss", "test_error", "test_rmse", "test_mae", "validation_loss", "validation_error",
  "validation_rmse", "validation_mae",
] as const;
export const sealedEventColumns = ["run", "at", "step", "kind", "message"] as const;

export type Cell = string | number | null | undefined;

/** Checksum of a row. Trailing NULLs do not count, so a column that a later layout appends changes no checksum. */
export function rowChecksum(cells: readonly Cell[]): number {
  let end = cells.length;
  while (end > 0 && (cells[end - 1] ?? null) === null) end--;
  return crc32(JSON.stringify(cells.slice(0, end)));
}

/** Checksum of no values from step `start` of a metric on: the seed of its span. */
export function emptyChecksum(metric: string, start: number): number {
  return crc32(`${metric}\n${start}`);
}

/** Name of a metric in its checksums. */
export const checksumName = (run: string, metric: string): string => `${run}\n${metric}`;

/** Continues a checksum by consecutive values, as they are stored: any NaN as NULL, -0 as 0. Overwrites `values` with that form. */
export function addToChecksum(crc: number, values: Float64Array): number {
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    values[i] = Number.isNaN(value) ? NaN : value + 0;
  }
  return crc32(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), crc);
}

export interface SpanChecksum {
  readonly start: number;
  readonly crc: number;
}

/** Makes the checksums of a metric from its values in order of step. */
export class ChecksumBuilder {
  readonly #metric: string;
  #next: number;
  #open: number;

  /** @param open checksum of the values from the start of `next`'s span to `next` */
  constructor(metric: string, next = 0, open = emptyChecksum(metric, next - (next % checksumSpan))) {
    this.#metric = metric;
    this.#next = next;
    this.#open = open;
  }

  /** Checksum of the values after the last whole span. */
  get open(): number {
    return this.#open;
  }

  /** Adds the next values; appends the checksums of the spans that they finish to `finished`. Overwrites `values`: see `addToChecksum`. */
  add(values: Float64Array, finished: SpanChecksum[]): void {
    for (let at = 0; at < values.length; ) {
      const left = checksumSpan - (this.#next % checksumSpan);
      const part = values.subarray(at, at + left);
      this.#open = addToChecksum(this.#open, part);
      this.#next += part.length;
      at += part.length;
      if (part.length < left) return;
      finished.push({ start: this.#next - checksumSpan, crc: this.#open });
      this.#open = emptyChecksum(this.#metric, this.#next);
    }
  }
}
