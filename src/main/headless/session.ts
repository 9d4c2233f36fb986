/** Opens the services for a command, and formats its errors. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { createServices } from "../services/createServices.ts";
import { record } from "../logs/hostLog.ts";
import { openHostLog } from "../services/logs.ts";
import { defaultStoreDir, storeDirAt } from "../services/paths.ts";
import { UserError, type Services } from "../services/services.ts";
import { FleetError } from "../fleet/fleet.ts";
import { checkLauncher } from "../hosting/checkLauncher.ts";
import { importerOptions } from "../hosting/importMemory.ts";
import { taskLauncher } from "../hosting/taskLauncher.ts";
import { nodeLauncher } from "../hosting/nodeLauncher.ts";

/** Paths of the program's parts, in the build or in the sources. */
export interface ProgramFiles {
  /** Entry of the trainer process. */
  readonly trainer: string;
  /** Entry of the process that reads files from elsewhere. */
  readonly importer: string;
  /** Entry of the process that checks the store's file. */
  readonly integrityCheck: string;
  /** Entry of the process that makes backups and vacuums. */
  readonly storeTask: string;
  /** Folder of the built window. */
  readonly rendererDir: string;
  readonly version: string;
}

export { exitCodes } from "./exitCodes.ts";

export function storeDirOf(option: string | undefined): string {
  return option === undefined ? defaultStoreDir() : storeDirAt(resolve(option));
}

export function openServices(programFiles: ProgramFiles, storeDir: string): Promise<Services> {
  openHostLog({ storeDir, where: commandName(), version: programFiles.version });
  return createServices({
    storeDir,
    host: "browser",
    version: programFiles.version,
    launchTrainer: nodeLauncher(programFiles.trainer),
    launchImporter: nodeLauncher(programFiles.importer, importerOptions()),
    launchCheck: checkLauncher(programFiles.integrityCheck),
    launchTask: taskLauncher(programFiles.storeTask),
  });
}

/**
 * Opens an existing store.
 * @throws UserError when there is none: a command that only reads must not create a store
 */
export function openExisting(programFiles: ProgramFiles, storeDir: string): Promise<Services> {
  if (!existsSync(storeDir)) {
    throw new UserError(`there is no store in ${storeDir} yet; "hypertower train" creates it, --store names another folder`);
  }
  return openServices(programFiles, storeDir);
}

/**
 * Works with an existing store, and closes it afterwards.
 * @throws UserError when there is none
 */
export async function withStore<T>(programFiles: ProgramFiles, storeDir: string, work: (services: Services) => T | Promise<T>): Promise<T> {
  const services = await openExisting(programFiles, storeDir);
  return closing(services, () => work(services));
}

/** Works, and then closes the services. */
export async function closing<T>(services: Services, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    await services.close();
  }
}

/** Name of the command that this process runs; the rest of what was typed may be private. */
function commandName(): string {
  const [, , name = ""] = process.argv;
  return /^[a-z][a-z0-9]{0,19}$/.test(name) ? name : "command";
}

/** Logs why a command failed, as far as that is about Hypertower and not about what was typed. */
export function recordFailure(error: unknown): void {
  if (!(error instanceof UserError)) record("error", "the command failed", { error });
  else if (error.cause instanceof Error) record("warn", "the command was refused", { error: error.cause });
}

/** Lines of an error: the message, then one line per invalid field. */
export function errorLines(error: unknown): string[] {
  if (error instanceof UserError) {
    return [error.message, ...(error.fields ?? []).map(({ path, message }) => `  ${path ? `${path}: ` : ""}${message}`)];
  }
  if (error instanceof FleetError) return [error.message];
  return [error instanceof Error ? (error.stack ?? error.message) : String(error)];
}
