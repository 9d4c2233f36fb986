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
    help: "Multiple of the median of the latest good losses.",
    initial: 3,
    domain: { min: 1, max: 1e12, minExclusive: true },
    whole: false,
  },
  { name: "patience", label: "For steps", help: "Consecutive bad losses before a rollback.", initial: 5, domain: atLeast(1), whole: true },
  { name: "window", label: "Median over steps", help: "Number of good losses in the median.", initial: 50, domain: { min: 1, max: 10_000 }, whole: true },
  { name: "every", label: "Snapshot every", help: "Steps between two snapshots, which are held in memory.", initial: 50, domain: atLeast(1), whole: true },
  { name: "rollbacks", label: "Maximum rollbacks", help: "After this many, the run ends as diverged.", initial: 10, domain: { min: 1, max: 10_000 }, whole: true },
  {
    name: "shrink",
    label: "Reduce step size to",
    help: "Factor for the responsible step size at every rollback.",
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
