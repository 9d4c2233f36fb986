/** Descriptions of imported networks for the window. */
import type { NetworkFacts } from "@shared/models/network.ts";

/** `1 × 28 × 28`, `16 symbols`. */
export const inputOf = ({ input }: NetworkFacts): string => (input.kind === "values" ? input.shape.join(" × ") : input.steps === null ? "symbols" : `${input.steps} symbols`);

/** `10`, `16 × 65`. */
export const outputOf = ({ output }: NetworkFacts): string => output.join(" × ") || "1";
