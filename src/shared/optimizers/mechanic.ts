/** Mechanic (Cutkosky, Defazio and Mehta 2023): an option of optimizers whose step size it can tune. */
import { logEpsilon } from "./common.ts";
import type { HyperparameterSpec, OptionSpec, Slot, SlotSettings } from "./spec.ts";

const ofMechanic = { learnedByDefault: false, extra: true, onlyWith: "mechanic" } as const;

/** To be listed after the optimizer's own. */
export const mechanicHyperparameters = [
  {
    ...ofMechanic,
    name: "sInit",
    symbol: "s₀",
    label: "Mechanic's first scale",
    help: "First scale of the updates, up to a constant. Too small costs steps, too large can diverge.",
    initial: 1e-8,
    domain: { min: 0, max: 1e12, minExclusive: true },
    storedAs: "log",
    learnable: true,
    scale: "log",
  },
  {
    ...ofMechanic,
    name: "sDecay",
    symbol: "λₛ",
    label: "Mechanic's decay",
    help: "Pulls the scale towards 0 in proportion to the weights, as weight decay would.",
    initial: 0.01,
    domain: { min: 0, max: 1e12 },
    storedAs: "raw",
    learnable: true,
    scale: "log",
  },
  { ...logEpsilon, ...ofMechanic, name: "sLogEps", symbol: "log₁₀ εₛ", label: "Mechanic's log epsilon", help: "Power of ten added to Mechanic's denominators." },
] as const satisfies readonly HyperparameterSpec[];

/** To be listed after the optimizer's own. */
export const mechanicOptions = [
  {
    name: "mechanic",
    kind: "flag",
    label: "Tune with Mechanic",
    help: "Learns online by how much to scale the optimizer's updates (Cutkosky et al. 2023), so that α hardly matters; 1 is usual.",
    short: "Mechanic",
    weightsOnly: true,
  },
  {
    name: "mechanicBetas",
    kind: "numbers",
    label: "Mechanic's decays",
    help: "One scale is estimated with each; their sum applies. They are constant: no level can learn a list.",
    short: "βₛ",
    initial: [0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999999],
    domain: { min: 0, max: 1, minExclusive: true },
    maxLength: 20,
    weightsOnly: true,
    onlyWith: "mechanic",
  },
  {
    name: "mechanicUpdates",
    kind: "choice",
    label: "Mechanic's sum of updates",
    help: "Stored as in the paper, or recomputed from the weights as in its package by default: less memory, but float32 loses digits of the first updates.",
    choices: [
      { value: "stored", label: "stored", short: "stored" },
      { value: "recomputed", label: "recomputed", short: "recomputed" },
    ],
    initial: "stored",
    weightsOnly: true,
    onlyWith: "mechanic",
  },
] as const satisfies readonly OptionSpec[];

/** All fields of a level that concern Mechanic. */
export const mechanicFields: readonly string[] = [...mechanicOptions, ...mechanicHyperparameters].map(({ name }) => name);

export type MechanicEstimate = "scale" | "squaredProducts" | "reward" | "largestProduct";

/** Slot of the estimate with the decay at `index`. */
export const estimateSlot = (name: MechanicEstimate, index: number) => `${name}${index + 1}`;

/** Its slots, beside the optimizer's own. */
export function mechanicSlots({ mechanic, mechanicBetas: { length }, mechanicUpdates }: SlotSettings["options"]): readonly Slot[] {
  if (!mechanic) return [];
  const all = (name: MechanicEstimate, initial: number) => Array.from({ length }, (_, i): Slot => ({ name: estimateSlot(name, i), initial, of: "group" }));
  return [
    { name: "start", initial: "parameter" },
    ...(mechanicUpdates === "stored" ? [{ name: "delta", initial: 0 } as const] : []),
    ...all("scale", 0),
    ...all("squaredProducts", 0),
    ...all("reward", 0),
    // As in the authors' package.
    ...all("largestProduct", 1e-6),
  ];
}

