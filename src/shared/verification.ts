/** What a check of a store or a run finds. */
import { z } from "zod";
import { plural } from "./text.ts";

/** One thing that is wrong, for people. */
export const finding = z.object({
  /** What it is about. */
  part: z.enum(["file", "log", "run", "series", "evaluations", "events", "pyramid", "study", "checkpoint", "weights", "network", "dataset"]),
  /** `damage`: values are wrong or missing. `warning`: nothing stored is wrong, but something may have been lost or is not checked. */
  severity: z.enum(["damage", "warning"]),
  run: z.string().nullable(),
  study: z.string().nullable(),
  /** Where: a file, or a metric with its steps. */
  where: z.string(),
  problem: z.string(),
  /** What it means for what the person sees. */
  meaning: z.string(),
  advice: z.string(),
});
export type Finding = z.infer<typeof finding>;

/** What a check of a run covered. */
export const verifiedRun = z.object({
  run: z.string(),
  name: z.string(),
  /** Values whose checksums were compared. */
  values: z.number(),
  /** Since when checksums cover the whole run (milliseconds since 1970); null while they do not. */
  protectedSince: z.number().nullable(),
  /** Whether the checksums were made while the run was logged. Otherwise they hold what was stored when they were added. */
  protectedFromStart: z.boolean(),
});
export type VerifiedRun = z.infer<typeof verifiedRun>;

export const verifiedRunWithFindings = verifiedRun.extend({ findings: z.array(finding) });

export const isDamaged = (findings: readonly Finding[]): boolean => findings.some(({ severity }) => severity === "damage");

/** The damage of a run in one sentence. */
export function damageText(findings: readonly Finding[]): string {
  const damage = findings.filter(({ severity }) => severity === "damage");
  const [first] = damage;
  if (!first) return "No damage was found.";
  return `${first.where}: ${first.problem}${damage.length > 1 ? ` (and ${plural(damage.length - 1, "more problem")})` : ""}. ${first.meaning}`;
}
