/** Predictions service for runs without saved weights. */
import type { ReportsOptions } from "../../src/main/services/reports.ts";
import { UserError } from "../../src/main/services/services.ts";

const problem = "This run keeps no weights.";
const refuse = () => Promise.reject(new UserError(problem));

export const noPredictions: ReportsOptions["predictions"] = {
  kept: () => Promise.resolve({ kept: [], problem }),
  report: refuse,
  text: refuse,
  file: refuse,
  attentionFile: refuse,
};
