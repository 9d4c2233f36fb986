/** `npm run -s hypergradients`: every hypergradient beside the finite difference of the loss, and how far apart they are. */
import { hypergradientChecks, hypergradientStacks } from "../support/hypergradients.ts";

for (const [stack, levels] of Object.entries(hypergradientStacks)) {
  console.log(stack);
  for (const { name, analytic, numeric } of hypergradientChecks(levels)) {
    const apart = Math.abs(numeric - analytic) / Math.abs(analytic);
    console.log(`  ${name.padEnd(34)} ${analytic.toExponential(9).padStart(17)} ${numeric.toExponential(9).padStart(17)} ${apart.toExponential(1).padStart(8)}`);
  }
}
