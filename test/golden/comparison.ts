/** The largest difference between our values and recorded ones. */
export interface Difference {
  readonly relative: number;
  /** What differs most, e.g. `L0.beta1 hypergradient at step 3`. */
  readonly where: string;
}

/**
 * Collects the largest difference, relative to the largest magnitude of its series (a
 * column over time, or one parameter's values): a value near 0 carries the rounding
 * of the large ones it came from.
 */
export class Comparison {
  worst: Difference = { relative: 0, where: "nothing" };

  series(what: (i: number) => string, ours: readonly number[], theirs: readonly number[]): void {
    if (ours.length !== theirs.length) {
      this.worst = { relative: Infinity, where: `${what(0)}: ${ours.length} values instead of ${theirs.length}` };
      return;
    }
    const scale = theirs.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
    theirs.forEach((expected, i) => {
      const difference = Math.abs(ours[i]! - expected);
      // Cancellation leaves noise of one rounding of the terms (about 1e-17) where the exact value is 0.
      const relative = difference <= 1e-15 ? 0 : difference / scale;
      if (!(relative <= this.worst.relative)) this.worst = { relative: Number.isNaN(relative) ? Infinity : relative, where: what(i) };
    });
  }
}
