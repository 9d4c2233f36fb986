/** Checks and salvages whole stores: the database, and the files of its runs. Never writes the store that it reads. */
import type { SalvageReport, VerifyReport } from "../store/verify/findings.ts";

export interface VerifyOptions {
  /** Only these runs; all, and the whole file, by default. */
  readonly runs?: readonly string[];
  readonly onProgress?: (done: number, total: number) => void;
}

/** Checks the store in `folder`. Findings say what is damaged; throws only where there is no store. */
export type VerifyStore = (folder: string, options?: VerifyOptions) => Promise<VerifyReport>;

/** Saves every readable run of the store in `from` into a new store in `into`, which must not hold one. */
export type SalvageStore = (from: string, into: string, options?: Pick<VerifyOptions, "onProgress">) => Promise<SalvageReport>;
