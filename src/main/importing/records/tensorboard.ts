/** A run of TensorBoard: the event files of one folder, or one of them. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "../../../shared/errors.ts";
import { RunDraft } from "./draft.ts";
import { EventReader, takeRecords } from "./events.ts";
import type { RecordSource, SourceOptions } from "./source.ts";
import { FileTail } from "./tail.ts";

export const isEventFile = (name: string): boolean => /(^|\.)tfevents\./.test(name);

/** Folder in which `add_hparams` of PyTorch writes the settings of the run above it. */
const isSettingsFolder = (name: string): boolean => /^\d{9,11}\.\d+$/.test(name);

/** Whether a folder's event files belong to the run of the folder above. */
export async function isPartOfParent(parent: string, name: string): Promise<boolean> {
  return isSettingsFolder(name) && (await readdir(parent)).some(isEventFile);
}

interface EventFile {
  readonly tail: FileTail;
  readonly reader: EventReader;
  problem: boolean;
}

export class TensorBoardRun implements RecordSource {
  readonly drafts: readonly [RunDraft];
  readonly #folder: string;
  readonly #only: string | null;
  readonly #files = new Map<string, EventFile>();
  readonly #options: SourceOptions;

  /** @param only the one file to read, instead of all of the folder */
  constructor(folder: string, only: string | null, name: string, options: SourceOptions) {
    this.#folder = folder;
    this.#only = only;
    this.#options = options;
    this.drafts = [new RunDraft({ format: "tensorboard", path: only ?? folder, key: "" }, name)];
  }

  async read(isLast: boolean): Promise<void> {
    const [draft] = this.drafts;
    for (const path of await this.#paths()) {
      let file = this.#files.get(path);
      if (!file) this.#files.set(path, (file = { tail: new FileTail(path), reader: new EventReader(draft), problem: false }));
      if (file.problem) continue;
      const { tail, reader } = file;
      try {
        const rest = await tail.read(takeRecords((data) => reader.event(data)), this.#options.onProgress);
        if (isLast && rest.length > 0) this.#options.warn(`${path} ends within the record at byte ${tail.offset}; it was read up to there`);
      } catch (error) {
        file.problem = true;
        draft.problem = messageOf(error);
        this.#options.warn(messageOf(error));
      }
    }
  }

  /** Event files in the order in which they were begun: their names hold the time. */
  async #paths(): Promise<string[]> {
    if (this.#only !== null) return [this.#only];
    const entries = await readdir(this.#folder, { withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile() && isEventFile(entry.name)).map(({ name }) => join(this.#folder, name));
    files.sort();
    const settings: string[] = [];
    for (const { name } of entries.filter((entry) => entry.isDirectory() && isSettingsFolder(entry.name))) {
      const inner = await readdir(join(this.#folder, name), { withFileTypes: true });
      settings.push(...inner.filter((entry) => entry.isFile() && isEventFile(entry.name)).map((entry) => join(this.#folder, name, entry.name)));
    }
    return [...files, ...settings.sort()];
  }
}
