/**
 * Notices a trainer that has stopped answering: an engine or its driver hangs. It counts the ticks of
 * a timer, not time, so that a computer that slept or a clock that was set ends no run.
 */

export interface WatchdogOptions {
  /** Milliseconds that a trainer may be silent in any case. */
  readonly silence?: number;
  /** The same before its first step: it loads data and compiles. */
  readonly loading?: number;
  /** Calls `tick` every `tickLength` milliseconds until what it answers is called; a timer by default. */
  readonly ticks?: (tick: () => void) => () => void;
}

/** Milliseconds. */
export const tickLength = 5_000;

/** A step may take so many times as long as the slowest before it. */
const patience = 50;

const timer = (tick: () => void): (() => void) => {
  const interval = setInterval(tick, tickLength);
  interval.unref();
  return () => clearInterval(interval);
};

export class Watchdog {
  readonly #options: Required<WatchdogOptions>;
  /** Ticks since something was heard. */
  #silent = 0;
  /** Milliseconds; null before there was a step. */
  #slowestStep: number | null = null;
  #end: (() => void) | undefined;

  constructor({ silence = 120_000, loading = 1_800_000, ticks = timer }: WatchdogOptions = {}) {
    this.#options = { silence, loading, ticks };
  }

  /**
   * @param excused whether silence is as it should be at present
   * @param onSilence called once, with the milliseconds of silence
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

  /** @param time of a step, in milliseconds */
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
