/** Pauses everything while the store cannot be written or its file is gone, says so, and continues by itself. */
import type { StoreProblem } from "../../shared/storeProblem.ts";
import { messageOf } from "../../shared/errors.ts";
import type { RunSummary } from "../../shared/run.ts";
import { StoreError } from "../store/errors.ts";
import type { FileState } from "../store/fileWatch.ts";
import type { Store } from "../store/store.ts";
import { UserError } from "./services.ts";
import { userError } from "./userErrors.ts";

export interface StoreHealthOptions {
  readonly path: string;
  /** Pauses all runs and studies. */
  readonly hold: (reason: string) => void;
  /** Resumes what hold() paused. @param because for the runs' logs */
  readonly release: (because: string) => void;
  /** Null: the store works again. */
  readonly onChange: (problem: StoreProblem | null) => void;
}

export class StoreHealth {
  readonly #options: StoreHealthOptions;
  #unwritable: string | null = null;
  #file: FileState = "here";
  /** Folder of the latest saved copy. */
  #copy: string | null = null;
  #problem: StoreProblem | null = null;

  /** @param readOnly why the store can only be read; null when it can be written */
  constructor(options: StoreHealthOptions, readOnly: string | null) {
    this.#options = options;
    if (readOnly !== null) this.#problem = { kind: "readOnly", message: `${options.path} can only be read: ${readOnly}. Everything can be viewed and exported; nothing can be trained, renamed or deleted.` };
  }

  get problem(): StoreProblem | null {
    return this.#problem;
  }

  /** Writing the store fails (`why`), or works again (null). */
  writing(why: string | null): void {
    this.#unwritable = why;
    this.#update("the store can be written again");
  }

  fileIs(state: FileState): void {
    this.#file = state;
    if (state === "here") this.#copy = null;
    this.#update("the store's file is back");
  }

  copied(folder: string): void {
    this.#copy = folder;
    this.#update("");
  }

  #update(because: string): void {
    const before = this.#problem;
    const now = (this.#problem = this.#current());
    if (before?.message === now?.message) return;
    if (now && !before) this.#options.hold(`Paused: ${now.message}`);
    if (!now) this.#options.release(because);
    this.#options.onChange(now);
  }

  #current(): StoreProblem | null {
    const { path } = this.#options;
    if (this.#file !== "here") {
      const what = this.#file === "missing" ? `The store's file ${path} is gone` : `Another file has taken the place of the store's file ${path}`;
      const copy = this.#copy === null ? "Everything is still here until Hypertower ends: save a copy, or put the file back" : `A copy is in ${this.#copy}. Put the file back`;
      return { kind: this.#file, message: `${what}. ${copy}, and training continues by itself.` };
    }
    if (this.#unwritable === null) return null;
    return { kind: "unwritable", message: `What the runs log cannot be written and is kept in memory: ${this.#unwritable} Training continues by itself once the store can be written.` };
  }
}

/** Saves a copy of a store whose file is gone. @throws UserError when it is not gone */
export async function copyStore(store: Store, health: StoreHealth): Promise<{ folder: string }> {
  if (store.fileState() === "here") throw new UserError(`${store.path} is in its place; no copy is needed.`);
  const folder = await store.saveCopy();
  health.copied(folder);
  return { folder };
}

/**
 * Closes the store, after saving a copy if its file is gone.
 * @throws UserError when something could not be written to the store; it names the file or folder that has it
 */
export async function closeStore(store: Store): Promise<void> {
  await store.settle();
  const state = store.fileState();
  try {
    if (state === "here") return store.close();
    try {
      const folder = await store.saveCopy();
      const what = state === "missing" ? `The store's file ${store.path} is gone` : `Another file has taken the place of ${store.path}`;
      throw new StoreError(store.path, `${what}. Everything was saved in ${folder}. Open it with --store ${folder}, or move its files to where the store was.`);
    } finally {
      store.close();
    }
  } catch (error) {
    throw userError(error);
  }
}

/** Writes what is pending before the process ends for an unhandled error. Synchronous. Returns what a person should know. */
export function rescueStore(store: Store, active: readonly RunSummary[], why: string): string[] {
  try {
    for (const { id, steps } of active) store.addEvent(id, { at: Date.now(), step: steps, kind: "hostFailed", message: `Hypertower ended because of an error in itself: ${why}` });
    store.flush();
    const copy = store.fileState() === "here" ? [] : [`The store's file is not in its place. Everything was saved in ${store.saveCopyNow()}.`];
    store.close();
    return [...copy, "What the runs logged is saved. They can be resumed from their last checkpoints."];
  } catch (error) {
    return [messageOf(error)];
  }
}
