/** A run while its record is read: what is known of it, and the points since the last part. */
import { configurationValue, maxConfigurationFields, maxFieldLength, maxImportedPoints, maxImportedSeries, maxImportedStep, maxSeriesName, wallTimeSeries, type ConfigurationValue, type RecordFormat } from "../../../shared/importedRun.ts";

/** What is wrong with a file, and where. */
export class RecordError extends Error {}

/** Points of a series as little-endian doubles in base64, which keeps NaN and the infinities. Steps increase. */
export interface PartSeries {
  readonly name: string;
  readonly steps: string;
  readonly values: string;
}

/** What was read of a run since its last part. */
export interface RecordPart {
  readonly format: RecordFormat;
  readonly path: string;
  readonly key: string;
  readonly name: string;
  readonly configuration: readonly (readonly [string, ConfigurationValue])[];
  /** All series so far, without the wall time. */
  readonly names: readonly string[];
  /** Milliseconds since 1970 of the first and last recorded point; null where the record has no times. */
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly series: readonly PartSeries[];
  /** Points so far. */
  readonly points: number;
  /** Points and configuration begin anew: everything that was read before is to be replaced. */
  readonly isFirst: boolean;
}

export type RunIdentity = Pick<RecordPart, "format" | "path" | "key">;

const encoded = (values: Float64Array): string => Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString("base64");

/** The doubles of a series in a part. */
export function decodePoints(text: string): Float64Array {
  const bytes = Buffer.from(text, "base64");
  return new Float64Array(new Uint8Array(bytes).buffer);
}

export class RunDraft {
  readonly identity: RunIdentity;
  name: string;
  /** Set when reading cannot go on. */
  problem: string | null = null;
  readonly #configuration = new Map<string, ConfigurationValue>();
  readonly #names = new Set<string>();
  #steps = new Map<string, number[]>();
  #values = new Map<string, number[]>();
  readonly #timed = new Set<number>();
  #points = 0;
  #startedAt: number | null = null;
  #endedAt: number | null = null;
  #isFirst = true;
  #isChanged = true;

  constructor(identity: RunIdentity, name: string) {
    this.identity = identity;
    this.name = name;
  }

  get points(): number {
    return this.#points;
  }

  /** Whether `take()` has something new. */
  get hasNews(): boolean {
    return this.#isChanged && this.#points > 0;
  }

  configure(field: string, value: ConfigurationValue): void {
    const name = field.slice(0, maxSeriesName);
    if (name === "" || (!this.#configuration.has(name) && this.#configuration.size >= maxConfigurationFields)) return;
    const shown = typeof value === "string" ? value.slice(0, maxFieldLength) : typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
    if (this.#configuration.get(name) === shown && this.#configuration.has(name)) return;
    this.#configuration.set(name, shown);
    this.#isChanged = true;
  }

  /** Adds a nested configuration: its fields are joined by dots. */
  configureAll(value: unknown, path = "", depth = 0): void {
    if (value !== null && typeof value === "object" && !Array.isArray(value) && depth < 8) {
      for (const [key, inner] of Object.entries(value)) this.configureAll(inner, path === "" ? key : `${path}.${key}`, depth + 1);
      return;
    }
    const plain = configurationValue.safeParse(value);
    this.configure(path, plain.success ? plain.data : (JSON.stringify(value) ?? "").slice(0, maxFieldLength));
  }

  /** Checks a recorded step. @throws RecordError for one that no run has */
  static step(step: number): number {
    if (Number.isInteger(step) && step >= 0 && step <= maxImportedStep) return step;
    throw new RecordError(`the step ${step} is not a whole number from 0 to 2^40`);
  }

  /** @param at seconds since 1970; null where it is not recorded */
  add(name: string, step: number, value: number, at: number | null): void {
    RunDraft.step(step);
    const series = name === wallTimeSeries ? `${name} (recorded)` : name.slice(0, maxSeriesName);
    if (series === "") return;
    if (!this.#names.has(series)) {
      if (this.#names.size >= maxImportedSeries) throw new RecordError(`the run has more than ${maxImportedSeries} series`);
      this.#names.add(series);
    }
    this.#push(series, step, value);
    if (at !== null && Number.isFinite(at) && at > 0 && at < 8.64e12 && !this.#timed.has(step)) {
      this.#timed.add(step);
      this.#push(wallTimeSeries, step, at);
      this.#startedAt = Math.min(this.#startedAt ?? Infinity, 1000 * at);
      this.#endedAt = Math.max(this.#endedAt ?? -Infinity, 1000 * at);
    }
  }

  #push(name: string, step: number, value: number): void {
    if (this.#points >= maxImportedPoints) throw new RecordError(`the run has more than ${maxImportedPoints} values; log fewer, or import a part of it`);
    this.#points++;
    this.#isChanged = true;
    const steps = this.#steps.get(name);
    if (steps) {
      steps.push(step);
      this.#values.get(name)!.push(value);
      return;
    }
    this.#steps.set(name, [step]);
    this.#values.set(name, [value]);
  }

  /** What was added since the last call. */
  take(): RecordPart {
    const series = [...this.#steps].map(([name, steps]): PartSeries => ({ name, ...ordered(steps, this.#values.get(name)!) }));
    const isFirst = this.#isFirst;
    this.#steps = new Map();
    this.#values = new Map();
    this.#isFirst = false;
    this.#isChanged = false;
    return {
      ...this.identity,
      name: this.name,
      configuration: [...this.#configuration],
      names: [...this.#names],
      startedAt: this.#startedAt,
      endedAt: this.#endedAt,
      series,
      points: this.#points,
      isFirst,
    };
  }
}

/** Points in increasing order of step; of several at one step the last. */
function ordered(steps: readonly number[], values: readonly number[]): { steps: string; values: string } {
  const isOrdered = steps.every((step, i) => i === 0 || step > steps[i - 1]!);
  if (isOrdered) return { steps: encoded(Float64Array.from(steps)), values: encoded(Float64Array.from(values)) };
  const last = new Map(steps.map((step, i) => [step, values[i]!]));
  const sorted = [...last].sort(([a], [b]) => a - b);
  return { steps: encoded(Float64Array.from(sorted, ([step]) => step)), values: encoded(Float64Array.from(sorted, ([, value]) => value)) };
}
