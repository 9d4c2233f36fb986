/** The guard against divergence: when it acts, and what it may do. Off by default; docs/guard.md describes it. */
import { z } from "zod";
import { describeDomain, inDomain, type Domain } from "./optimizers.ts";

export interface GuardSpec {
  readonly name: Exclude<keyof GuardOptions, "on">;
  readonly label: string;
  /** One line of help for the editor. */
  readonly help: string;
  readonly initial: number;
  readonly domain: Domain;
  readonly whole: boolean;
}

export interface GuardOptions {
  readonly on: boolean;
  readonly factor: number;
  readonly patience: number;
  readonly window: number;
  readonly every: number;
  readonly rollbacks: number;
  readonly shrink: number;
}

const atLeast = (min: number): Domain => ({ min, max: 1e12 });

export const guardSpecs: readonly GuardSpec[] = [
  {
    name: "factor",
    label: "Loss explodes above",
    help: "Times the median of the last good losses.",
    initial: 3,
    domain: { min: 1, max: 1e12, minExclusive: true },
    whole: false,
  },
  { name: "patience", label: "For steps", help: "So many in a row: one batch that is hard is no divergence.", initial: 5, domain: atLeast(1), whole: true },
  { name: "window", label: "Median over steps", help: "How many good losses are remembered.", initial: 50, domain: { min: 1, max: 10_000 }, whole: true },
  { name: "every", label: "Snapshot every", help: "Steps between two states to go back to, kept in memory.", initial: 50, domain: atLeast(1), whole: true },
  { name: "rollbacks", label: "Go back at most", help: "Times in a run; after that it ends as diverged.", initial: 10, domain: { min: 1, max: 10_000 }, whole: true },
  {
    name: "shrink",
    label: "Shrink to a share of",
    help: "What the step size to blame is multiplied by, each time.",
    initial: 0.25,
    domain: { min: 0, max: 1, minExclusive: true, maxExclusive: true },
    whole: false,
  },
];

function field({ name, initial, domain, whole }: GuardSpec) {
  const allowed = `${whole ? "a whole number, " : ""}${describeDomain(domain)}`;
  return z
    .number(`guard.${name} must be ${allowed}`)
    .refine((value) => inDomain(value, domain) && (!whole || Number.isInteger(value)), {
      error: (issue) => `guard.${name} is ${String(issue.input)}; allowed: ${allowed}`,
    })
    .default(initial);
}

const fields = Object.fromEntries(guardSpecs.map((spec) => [spec.name, field(spec)])) as Record<GuardSpec["name"], ReturnType<typeof field>>;

export const guard = z.strictObject({ on: z.boolean("guard.on must be true or false").default(false), ...fields });
