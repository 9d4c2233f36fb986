/** Results of checking and of salvaging a store. Both only read the store. */

/** What a finding is about. */
export type FindingPart = "file" | "log" | "run" | "series" | "evaluations" | "events" | "pyramid" | "study" | "checkpoint" | "weights" | "dataset";

/** One thing that is wrong, for people. */
export interface Finding {
  readonly part: FindingPart;
  /** `damage`: values are wrong or missing. `warning`: nothing stored is wrong, but something may have been lost or is not checked. */
  readonly severity: "damage" | "warning";
  readonly run: string | null;
  readonly study: string | null;
  /** Where: a file, or a metric with its steps. */
  readonly where: string;
  readonly problem: string;
  /** What it means for what the person sees. */
  readonly meaning: string;
  readonly advice: string;
}

/** Adds a finding about a run. */
export type Report = (part: FindingPart, where: string, problem: string, meaning: string, severity?: Finding["severity"]) => void;

export const damageAdvice = "Restore a backup from before the damage, or save what is readable into a new store: hypertower salvage FOLDER --into NEW-FOLDER";

/** What checking a run covered. */
export interface VerifiedRun {
  readonly run: string;
  readonly name: string;
  /** Values whose checksums were compared. */
  readonly values: number;
  /** Since when checksums cover the whole run (milliseconds since 1970); null while they do not. */
  readonly protectedSince: number | null;
  /** Whether the checksums were made while the run was logged. Otherwise they hold what was stored when they were added. */
  readonly protectedFromStart: boolean;
}

export interface VerifyReport {
  /** Path of the store's database. */
  readonly path: string;
  readonly checkedAt: number;
  readonly runs: readonly VerifiedRun[];
  readonly findings: readonly Finding[];
}

export const isDamaged = (findings: readonly Finding[]): boolean => findings.some(({ severity }) => severity === "damage");

/** What became of a run or study in a salvage. */
export interface Salvaged {
  readonly id: string;
  readonly name: string;
  readonly outcome: "whole" | "part" | "lost";
  readonly steps: number;
  readonly evaluations: number;
  readonly events: number;
  /** What is missing or unproven, for people; empty for a whole one. */
  readonly losses: readonly string[];
}

export interface SalvageReport {
  /** The damaged store's folder, which is unchanged. */
  readonly from: string;
  readonly into: string;
  readonly runs: readonly Salvaged[];
  readonly studies: readonly Salvaged[];
  /** Checkpoints and weights that were copied, and those that are damaged. */
  readonly files: { readonly copied: number; readonly damaged: readonly string[] };
  /** Repairs of the working copy that made it readable: its header, its log. */
  readonly repairs: readonly string[];
}
