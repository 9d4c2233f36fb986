/** The services behind every surface (window, local server, command line): one contract, one implementation. */
import type { EventName, EventPayload, Handlers } from "../../shared/contract.ts";
import type { ExportFormatName } from "../../shared/exports.ts";
import type { ExportFile } from "../reports/index.ts";
import type { LaunchTrainer } from "../training/process.ts";

export type { ExportFile } from "../reports/index.ts";

export interface ServiceOptions {
  /** Folder of the store; created when missing. */
  readonly storeDir: string;
  readonly host: "desktop" | "browser";
  readonly version: string;
  readonly launchTrainer: LaunchTrainer;
}

export interface Services {
  readonly handlers: Handlers;
  /** Subscribes to an event; returns its unsubscribe. */
  on<N extends EventName>(name: N, listener: (payload: EventPayload<N>) => void): () => void;
  /**
   * What a run learned as a file of any length, which is read while it is written.
   * @throws UserError when there is no such run, or it cannot be exported in this form
   */
  exportRun(run: string, format: ExportFormatName): ExportFile;
  /** Stops every trainer, commits what is pending and closes the store. */
  close(): Promise<void>;
}

/** A failure that a person can act on; its message crosses to the window as it is. */
export class UserError extends Error {
  readonly fields: readonly { path: string; message: string }[] | undefined;
  constructor(message: string, fields?: readonly { path: string; message: string }[], options?: ErrorOptions) {
    super(message, options);
    this.name = "UserError";
    this.fields = fields;
  }
}
