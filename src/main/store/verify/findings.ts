/** Results of checking and of salvaging a store. Both only read the store. */

import type { Finding, VerifiedRun } from "../../../shared/verification.ts";

export type { Finding, VerifiedRun } from "../../../shared/verification.ts";
export type FindingPart = Finding["part"];

/** Adds a finding about a run. */
export type Report = (part: FindingPart, where: string, problem: string, meaning: string, severity?: Finding["severity"]) => void;

export const damageAdvice = "Restore a backup from before the damage, or save what is readable into a new store: hypertower salvage FOLDER --into NEW-FOLDER";

export interface VerifyReport {
  /** Path of the store's database. */
  readonly path: string;
  readonly checkedAt: number;
  readonly runs: readonly VerifiedRun[];
  readonly findings: readonly Finding[];
}

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
