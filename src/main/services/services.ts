/** The services behind every surface (window, local server, command line). */
import type { EventName, EventPayload, Handlers } from "../../shared/contract.ts";
import type { ExportFormatName } from "../../shared/exports.ts";
import type { KeptName, WeightsFormat } from "../../shared/kept.ts";
import type { PictureSettings, ReportFileRequest, ReportSubject } from "../../shared/reports.ts";
import type { ExportFile, TextFile } from "../reports/index.ts";
import type { BundleFile } from "../logs/bundle.ts";
import type { ArchiveRequest } from "../../shared/archives.ts";
import type { WriteOptions } from "../reports/report/write.ts";
import type { OnnxExportOptions } from "./savedModel.ts";
import type { FleetServices } from "./fleets.ts";
import type { StoredStep } from "../store/runReader.ts";
import type { LaunchImporter } from "../hosting/importRunner.ts";
import type { LaunchTrainer } from "../hosting/process.ts";
import type { LaunchCheck } from "../store/integrityMonitor.ts";
import { StoreError } from "../store/errors.ts";
import type { RunScript } from "../extras/runProgram.ts";
import type { LaunchTask } from "../store/task.ts";

export type { LaunchCheck } from "../store/integrityMonitor.ts";
export { failureOf, type RunScript } from "../extras/runProgram.ts";
export { resultOf, type LaunchTask } from "../store/task.ts";
export type { ExportFile, Pieces, TextFile } from "../reports/index.ts";

export interface ServiceOptions {
  /** Folder of the store; created when missing. */
  readonly storeDir: string;
  readonly host: "desktop" | "browser";
  readonly version: string;
  readonly launchTrainer: LaunchTrainer;
  /** Launches processes that read files from elsewhere; without it, this process reads them. */
  readonly launchImporter?: LaunchImporter;
  /** Launches integrity checks of the store's file; without it, the file is not checked. */
  readonly launchCheck?: LaunchCheck;
  /** Launches backups and other work on the store's file; without it, none are made by themselves. */
  readonly launchTask?: LaunchTask;
  /** Runs scripts of optional packages while they are installed; by default in this process's Node. */
  readonly runScript?: RunScript;
}

export interface Services {
  readonly handlers: Handlers;
  /** Whether close() was called: requests are refused from then on. */
  isClosing(): boolean;
  /** Subscribes to an event; returns its unsubscribe. */
  on<N extends EventName>(name: N, listener: (payload: EventPayload<N>) => void): () => void;
  /**
   * Exports what a run learned. The pieces are read from the store while the caller writes them.
   * @throws UserError when there is no such run, or it cannot be exported in this format
   */
  exportRun(run: string, format: ExportFormatName): TextFile;
  /**
   * The weights of a run's best or last evaluation, or its model for inference; npz by default.
   * @throws UserError when there is no such run, or it has no saved weights
   */
  exportWeights(run: string, name: KeptName, format?: WeightsFormat, options?: OnnxExportOptions): Promise<ExportFile>;
  /**
   * One file of a report; its pieces are made while the caller reads them.
   * @throws UserError when there is no such report or no such file in it
   */
  reportFile(request: ReportFileRequest): Promise<ExportFile>;
  /** Loss and headline metric of several runs in one picture. @throws UserError when one is not there */
  comparisonPicture(runs: readonly string[], format: "svg" | "png", settings: PictureSettings): string | Buffer;
  /** Logs and facts as a file that a person can send. */
  supportFile(): Promise<ExportFile>;
  /** What that file holds. */
  supportFiles(): Promise<readonly BundleFile[]>;
  /**
   * Writes a report into a folder: all of it, or nothing.
   * @throws UserError before anything is written, where the failure can be foreseen
   */
  writeReport(of: ReportSubject, folder: string, settings: PictureSettings, options: WriteOptions & { readonly onRemarks?: (remarks: readonly string[]) => void }): Promise<{ files: string[]; remarks: readonly string[] }>;
  /**
   * An archive of runs and studies; its pieces are read while the caller writes them.
   * @param onRemark called for what is left out or not final
   * @throws UserError when one of them is missing
   */
  exportArchive(of: ArchiveRequest, onRemark?: (remark: string) => void): ExportFile;
  /** Resolves when the values of erased and thinned runs are deleted and their space was given back. */
  erased(): Promise<void>;
  /** Compares a run, or the runs of a study, with their checksums. @throws UserError naming the damage */
  requireSound(of: ReportSubject): Promise<void>;
  /** Logged steps of a run from `from` on, in order. */
  readSteps(run: string, from?: number): Iterable<StoredStep>;
  /** Resolves once everything is committed, or cannot be within some seconds. */
  settled(): Promise<void>;
  /** Where studies train that do not train on this machine. */
  readonly fleets: FleetServices;
  /** Number of runs that close() would stop. */
  training(): number;
  /** Stops every trainer, commits pending rows and closes the store. */
  close(): Promise<void>;
}

/** A failure that a person can act on; surfaces show its message unchanged. */
export class UserError extends Error {
  readonly fields: readonly { path: string; message: string }[] | undefined;
  constructor(message: string, fields?: readonly { path: string; message: string }[], options?: ErrorOptions) {
    super(message, options);
    this.name = "UserError";
    this.fields = fields;
  }
}

/** Whether a failure concerns the store itself, so that a repair or a backup may help. */
export function isStoreFailure(error: unknown): boolean {
  return error instanceof UserError && error.cause instanceof StoreError;
}
