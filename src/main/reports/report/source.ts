/** Data sources of a report: a study or a run, and readers of the logs. */
import type { Bucket } from "../../../shared/series.ts";
import type { PredictionReport } from "../../../shared/predictions.ts";
import type { RunDetail } from "../../../shared/run.ts";
import type { StudyDetail } from "../../../shared/study/result.ts";
import type { StoredStep } from "../../store/runReader.ts";
import type { Program } from "./origin.ts";

/** Reads logs of runs, including runs in the bin. */
export interface RunSource {
  readonly program: Program;
  run(id: string): RunDetail;
  /** Every logged step in order, values in the order of `metrics`. */
  steps(id: string): Iterable<StoredStep>;
  /** A downsampled series that preserves extremes; no buckets where the metric is not logged. */
  series(id: string, metric: string, maxBuckets: number): { readonly total: number; readonly buckets: readonly Bucket[] };
}

/** Predictions of a run's best weights on the test examples. */
export interface RunPredictions {
  readonly report: PredictionReport;
  /** Text from a character model and its settings; null for other models. */
  readonly text: { readonly prime: string; readonly text: string; readonly temperature: number; readonly seed: number } | null;
}

export interface ReportOfStudy {
  readonly study: StudyDetail;
  readonly source: RunSource;
}

/** A file of a report. */
export interface ReportFile {
  /** Path inside the report's folder, with `/`. */
  readonly name: string;
  readonly mediaType: string;
  /** The content in chunks; steps are read on demand. */
  readonly pieces: () => Iterable<string | Uint8Array>;
}
