/** Errors of the store, with messages that tell the user what to do. */
import Database from "better-sqlite3";

/** The store cannot be opened, read or written. The message names the path. */
export class StoreError extends Error {
  readonly path: string;
  constructor(path: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StoreError";
    this.path = path;
  }
}

/** Another process has taken the run or study; this process must not write it any more. */
export class LeaseLostError extends Error {
  constructor(what: string) {
    super(`${what} was taken over by another Hypertower process`);
    this.name = "LeaseLostError";
  }
}

/** Failures of the disk, the file or a lock. They concern all pending writes and may be temporary. */
const storeFailures = ["SQLITE_FULL", "SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_IOERR", "SQLITE_READONLY", "SQLITE_PERM", "SQLITE_CANTOPEN", "SQLITE_NOMEM", "SQLITE_CORRUPT", "SQLITE_NOTADB"];

/** Whether the store made a write fail; otherwise the written values did. */
export function isStoreFailure(error: unknown): boolean {
  return error instanceof Database.SqliteError && storeFailures.some((prefix) => error.code.startsWith(prefix));
}

/** Whether another process or connection holds the lock. */
export function isBusy(error: unknown): boolean {
  return error instanceof Database.SqliteError && (error.code.startsWith("SQLITE_BUSY") || error.code.startsWith("SQLITE_LOCKED"));
}

/** Whether an explained error says that the store cannot be written at present, so that a later try may succeed. */
export function isOutage(error: unknown): boolean {
  return error instanceof StoreError && isStoreFailure(error.cause);
}

/** What is pending could not be written, so that what depends on it must wait. */
export const notWritten = (path: string): StoreError =>
  new StoreError(path, `${path} cannot be written at present.`, { cause: new Database.SqliteError("pending rows could not be written", "SQLITE_BUSY") });

/** The request contradicts what is being trained, or what is in the bin, as the store says at that moment. */
export class ActiveError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ActiveError";
  }
}

/** Whether a write would make a second run of a study's cell active. */
function isCellTaken(error: unknown): boolean {
  return error instanceof Database.SqliteError && error.code === "SQLITE_CONSTRAINT_UNIQUE" && error.message.includes("runs.cell");
}

const explanations: readonly [prefix: string, explanation: string][] = [
  ["SQLITE_NOTADB", "is not a SQLite database; nothing was changed. \"hypertower doctor\" says what can be saved and restored, or choose another folder for the store"],
  ["SQLITE_CORRUPT", "is damaged; nothing was changed. \"hypertower doctor\" says what can be saved and restored"],
  ["SQLITE_READONLY", "cannot be written: the file or its folder is read-only"],
  ["SQLITE_PERM", "cannot be opened: permission denied"],
  ["SQLITE_CANTOPEN", "cannot be opened: it is not a file that may be read and written"],
  ["SQLITE_BUSY", "is locked by another process that did not let go in time"],
  ["SQLITE_LOCKED", "is locked by another connection"],
  ["SQLITE_FULL", "cannot be written: the disk is full"],
  ["SQLITE_IOERR", "cannot be read or written: the disk reported an error"],
];

/** Converts a SQLite error into a StoreError; returns other errors unchanged. */
export function explain(error: unknown, path: string): unknown {
  if (!(error instanceof Database.SqliteError)) return error;
  if (isCellTaken(error)) return new ActiveError("Another run of this cell of its study is being trained; stop it first.");
  const { code, message } = error;
  const known = explanations.find(([prefix]) => code.startsWith(prefix));
  const text = known ? `${path} ${known[1]} (${code}).` : `${path}: ${message} (${code}).`;
  return new StoreError(path, text, { cause: error });
}

/** Runs `work` and converts SQLite errors into StoreErrors that name the path. */
export function explained<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw explain(error, path);
  }
}
