/**
 * Detects a trainer that stopped answering because its engine or driver hangs. Counts timer ticks
 * instead of time, so that a machine that slept or a clock change ends no run.
 */

export interface WatchdogOptions {
  /** Allowed silence at least, in milliseconds. */
  readonly silence?: number;
  /** Allowed silence before the first step, in milliseconds: the trainer loads data and compiles. */
  readonly loading?: number;
  /** Calls `tick` every `tickLength` milliseconds until the returned function is called; a timer by default. */
  readonly ticks?: (tick: () => void) => () => void;
}

/** Milliseconds. */
export const tickLength = 5_000;

/** Allowed silence as a multiple of the slowest step so far. */
const patience = 50;

const timer = (tick: () => void): (() => void) => {
  const interval = setInterval(tick, tickLength);
  interval.unref();
  return () => clearInterval(interval);
};

export class Watchdog {
  readonly #options: Required<WatchdogOptions>;
  /** Ticks since the last message. */
  #silent = 0;
  /** Milliseconds; null before the first step. */
  #slowestStep: number | null = null;
  #end: (() => void) | undefined;

  constructor({ silence = 120_000, loading = 1_800_000, ticks = timer }: WatchdogOptions = {}) {
    this.#options = { silence, loading, ticks };
  }

  /**
   * @param excused whether silence is expected at present
   * @param onSilence called once, with the milliseconds of silence and of the slowest step
   */
  watch(excused: () => boolean, onSilence: (silent: number, slowestStep: number | null) => void): void {
    this.#end = this.#options.ticks(() => {
      if (excused()) {
        this.#silent = 0;
        return;
      }
      const silent = ++this.#silent * tickLength;
      if (silent <= this.#limit) return;
      this.end();
      onSilence(silent, this.#slowestStep);
    });
  }

  heard(): void {
    this.#silent = 0;
  }

  /** @param time milliseconds of a step */
  stepped(time: number): void {
    if (Number.isFinite(time)) this.#slowestStep = Math.max(this.#slowestStep ?? 0, time);
  }

  end(): void {
    this.#end?.();
    this.#end = undefined;
  }

  get #limit(): number {
    const { silence, loading } = this.#options;
    return this.#slowestStep === null ? loading : Math.max(silence, patience * this.#slowestStep);
  }
}
