/** The folder of the store. */
import { applyRequestedMove } from "../archives/moveNext.ts";
import { followMoves, MovedFolderMissing, userFolder } from "../../core/folders/folder.ts";
import { UserError } from "./services.ts";

/** @throws UserError when it was moved to a folder that is not there */
export function defaultStoreDir(): string {
  return followed(() => userFolder());
}

/** The given folder, or where its store was moved. @throws UserError when that is not there */
export function storeDirAt(folder: string): string {
  return followed(() => followMoves(folder));
}

/** Where the store is when a workbench starts on it: a move that was asked for is done now. */
export function movedAtStart(storeDir: string): string {
  return applyRequestedMove(storeDir);
}

function followed(find: () => string): string {
  try {
    return find();
  } catch (error) {
    throw error instanceof MovedFolderMissing ? new UserError(error.message, undefined, { cause: error }) : error;
  }
}
