/** Hypergradients of every rule at every level against finite differences; `npm run hypergradients` prints the table. */
import { describe, expect, it } from "vitest";
import { hypergradientChecks, hypergradientStacks } from "../../support/hypergradients.ts";

describe.each(Object.entries(hypergradientStacks))("%s", (_, levels) => {
  it.each(hypergradientChecks(levels))("$name", ({ analytic, numeric }) => {
    // Below this the difference of two losses near 1 has too few digits to tell.
    expect(Math.abs(analytic)).toBeGreaterThan(1e-7);
    expect(Math.abs(numeric - analytic)).toBeLessThan(1e-6 * Math.abs(analytic) + 1e-10);
  });
});
