/** Exports what a run learned. */
import { importedProblem } from "../../shared/importedRun.ts";
import { exportFormat, exportProblem, type ExportFormatName } from "../../shared/exports.ts";
import type { RunDetail } from "../../shared/run.ts";
import type { StoredStep } from "../store/runReader.ts";
import { ExportError } from "./errors.ts";
import { kerasCode, kerasExpresses } from "./keras.ts";
import { learnedOf } from "./learned.ts";
import { libraryScript } from "./library.ts";
import { optaxCode, optaxExpresses } from "./optax.ts";
import { pytorchCode, pytorchExpresses } from "./pytorch.ts";
import { importedCsv, importedJson } from "./importedTable.ts";
import { csv, json } from "./tables.ts";

export { ExportError } from "./errors.ts";

/** Content in chunks; steps and weights are read on demand. */
export type Pieces = Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>;

export interface ExportFile {
  /** Suggested file name; valid on every system. */
  readonly filename: string;
  readonly mediaType: string;
  readonly pieces: Pieces;
  /** About the content, for people. */
  readonly remarks?: readonly string[];
}

export interface TextFile extends ExportFile {
  readonly pieces: Iterable<string>;
}

/**
 * @param steps the run's logged steps in order, values in the order of `run.metrics`
 * @throws ExportError saying why the run cannot be exported in this format; code is checked before
 * this returns
 */
export function exportRun(run: RunDetail, steps: Iterable<StoredStep>, format: ExportFormatName): TextFile {
  const problem = run.imported ? null : exportProblem(run, format);
  if (problem !== null) throw new ExportError(problem);
  const { suffix, mediaType } = exportFormat(format);
  return { filename: `${fileStem(run)}-${suffix}`, mediaType, pieces: piecesOf(run, steps, format) };
}

function piecesOf(run: RunDetail, steps: Iterable<StoredStep>, format: ExportFormatName): Iterable<string> {
  if (run.imported) {
    if (format === "csv") return importedCsv(run, steps);
    if (format === "json") return importedJson(run, steps);
    throw new ExportError(importedProblem(run, "exported as code; an imported one can be written as CSV or JSON")!);
  }
  switch (format) {
    case "csv":
    case "json":
      requireSteps(run);
      return format === "csv" ? csv(run, steps) : json(run, steps);
    case "pytorch":
      return [pytorchCode(run, learnedOf(run, steps, pytorchExpresses))];
    case "optax":
      return [optaxCode(run, learnedOf(run, steps, optaxExpresses))];
    case "keras":
      return [kerasCode(run, learnedOf(run, steps, kerasExpresses))];
    case "library":
      return [libraryScript(run)];
    default:
      return format satisfies never;
  }
}

function requireSteps({ metrics, steps }: RunDetail): void {
  if (metrics.length === 0 || steps === 0) throw new ExportError("The run has logged no steps; there is nothing to export.");
}

/** A file name from letters, digits and dashes of a run's name, plus its id to make it unique. */
export function fileStem({ id, name }: { readonly id: string; readonly name: string }): string {
  const words = name
    .normalize("NFKD")
    .replace(/[^A-Za-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 60);
  return words === "" ? id : `${words}-${id}`;
}
