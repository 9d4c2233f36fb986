/**
 * Approximates a schedule by linear pieces. Adds knots where the error is largest
 * (Ramer-Douglas-Peucker, worst segment first) until it is small enough or `maxKnots` is reached.
 */

/** Number of an update, from 1, and the value it used. */
export type Knot = readonly [update: number, value: number];

export interface Piecewise {
  readonly knots: readonly Knot[];
  /** Largest error over all updates, relative to `scale` there. */
  readonly error: number;
}

export interface PiecewiseOptions {
  readonly tolerance: number;
  readonly maxKnots: number;
  /** Reference size for the error of a value; the value itself by default. */
  readonly scale?: (value: number) => number;
}

interface Segment {
  readonly from: number;
  readonly to: number;
  readonly worst: number;
  readonly error: number;
}

/** @param values of updates 1, 2, ...; at least one, all finite */
export function piecewise(values: Float64Array, { tolerance, maxKnots, scale = Math.abs }: PiecewiseOptions): Piecewise {
  const last = values.length - 1;
  // Near 0, measure the error against the largest value instead.
  const scales = values.map(scale);
  const floor = 1e-3 * scales.reduce((a, b) => Math.max(a, b), 0);
  const measure = (from: number, to: number): Segment => {
    let worst = from;
    let error = 0;
    for (let i = from + 1; i < to; i++) {
      const linear = values[from]! + ((values[to]! - values[from]!) * (i - from)) / (to - from);
      const here = Math.abs(linear - values[i]!) / Math.max(scales[i]!, floor);
      if (here > error) [worst, error] = [i, here];
    }
    return { from, to, worst, error };
  };

  const segments = [measure(0, last)];
  for (;;) {
    let index = 0;
    for (let i = 1; i < segments.length; i++) if (segments[i]!.error > segments[index]!.error) index = i;
    const { from, to, worst, error } = segments[index]!;
    if (error <= tolerance || segments.length + 1 >= maxKnots) {
      const ends = segments.map((segment) => segment.to).sort((a, b) => a - b);
      const places = last === 0 ? [0] : [0, ...ends];
      return { knots: places.map((place) => [place + 1, values[place]!] as const), error };
    }
    segments[index] = measure(from, worst);
    segments.push(measure(worst, to));
  }
}
