/** What a report is made of: a study or a run, and how to read what its runs logged. */
import type { Bucket } from "../../../shared/series.ts";
import type { PredictionReport } from "../../../shared/predictions.ts";
import type { RunDetail } from "../../../shared/run.ts";
import type { StudyDetail } from "../../../shared/study/result.ts";
import type { StoredStep } from "../../store/runReader.ts";
import type { Program } from "./origin.ts";

/** Reads what runs logged; runs in the bin are found, too. */
export interface RunSource {
  readonly program: Program;
  run(id: string): RunDetail;
  /** Every logged step in order, values in the order of `metrics`. */
  steps(id: string): Iterable<StoredStep>;
  /** A thinned-out series, extremes kept; no buckets where the metric is not logged. */
  series(id: string, metric: string, maxBuckets: number): { readonly total: number; readonly buckets: readonly Bucket[] };
}

/** What a run's best kept weights say of the test examples. */
export interface RunPredictions {
  readonly report: PredictionReport;
  /** What a character model wrote, and how it was asked; null for other models. */
  readonly text: { readonly prime: string; readonly text: string; readonly temperature: number; readonly seed: number } | null;
}

export interface ReportOfStudy {
  readonly study: StudyDetail;
  readonly source: RunSource;
}

/** A file of a report. */
export interface ReportFile {
  /** Inside the report's folder, with `/`. */
  readonly name: string;
  readonly mediaType: string;
  /** A piece at a time; steps are read as the pieces are. */
  readonly pieces: () => Iterable<string | Uint8Array>;
}
