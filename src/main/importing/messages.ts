/** Messages between the host and a process that reads files from elsewhere. */
import type { ImportOrder } from "../../shared/datasets.ts";
import type { NetworkOrder } from "./network.ts";
import type { RecordsNews, RecordsOrder } from "./records/index.ts";
import type { Progress } from "../../core/datasets/progress.ts";

/** Everything that decodes files which Hypertower did not write, or the datasets made of them. */
export type ImportJob =
  | { readonly kind: "preview"; readonly path: string }
  | { readonly kind: "create"; readonly order: ImportOrder }
  /** Imports a local copy of a published dataset. */
  | { readonly kind: "copy"; readonly dataset: string; readonly path: string }
  | { readonly kind: "download"; readonly dataset: string }
  | { readonly kind: "inspect"; readonly dataset: string; readonly position?: number }
  /** Reads an ONNX file and writes it aside as a network. */
  | { readonly kind: "network"; readonly order: NetworkOrder }
  /** Reads runs that other programs recorded; sends them in parts. */
  | { readonly kind: "records"; readonly order: RecordsOrder };

export type ToImporter =
  | { readonly type: "start"; readonly job: ImportJob }
  /** Ends a download so that it can be resumed. */
  | { readonly type: "stop" };

export type FromImporter =
  | { readonly type: "progress"; readonly progress: Progress }
  /** Part of what was read, before the job is done. */
  | { readonly type: "news"; readonly news: RecordsNews }
  | { readonly type: "done"; readonly value: unknown }
  | { readonly type: "failed"; readonly message: string };

/** First line of the output of a process that ended itself because it took too much memory. */
export const memoryWords = "hypertower: the memory limit of imports was reached";
