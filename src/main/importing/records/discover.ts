/** Finds the runs that a file or folder holds, by names and first bytes. */
import { open, readdir, stat } from "node:fs/promises";
import { basename, dirname, extname, join, relative } from "node:path";
import Database from "better-sqlite3";
import { RecordError } from "./draft.ts";
import type { RecordSource, SourceOptions } from "./source.ts";
import { CsvRun, JsonLinesRun } from "./table.ts";
import { isEventFile, isPartOfParent, TensorBoardRun } from "./tensorboard.ts";
import { TrackioProject } from "./trackio.ts";
import { WandbRun } from "./wandb.ts";

/** Limits of a folder that is searched. */
const maxDepth = 16;
const maxEntries = 100_000;

const allowed = "Allowed: TensorBoard's event files (*.tfevents.*), W&B's offline files (*.wandb), a project of trackio (*.db), CSV (.csv, .tsv), JSON lines (.jsonl, .ndjson), or a folder of these.";

async function beginning(path: string): Promise<string> {
  const file = await open(path, "r");
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(16), 0, 16, 0);
    return buffer.toString("latin1", 0, bytesRead);
  } finally {
    await file.close();
  }
}

const isDatabase = async (path: string) => (await beginning(path)) === "SQLite format 3\0";

function isTrackio(path: string): boolean {
  let db: Database.Database | undefined;
  try {
    db = new Database(path, { readonly: true, fileMustExist: true });
    return db.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'metrics'").get() !== undefined && db.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'configs'").get() !== undefined;
  } catch {
    return false;
  } finally {
    db?.close();
  }
}

/** Source of a file that needs no look at its folder; undefined for a file of another kind. */
function fileSource(path: string, name: string, options: SourceOptions): RecordSource | undefined {
  const short = name.slice(0, 200);
  switch (extname(path).toLowerCase()) {
    case ".csv":
    case ".tsv":
      return new CsvRun(path, short, options);
    case ".jsonl":
    case ".ndjson":
      return new JsonLinesRun(path, short, options);
    case ".wandb":
      return new WandbRun(path, short, options);
    default:
      return undefined;
  }
}

/** Keeps the sources of one path; a folder may get more while it is watched. */
export class Discovery {
  readonly sources = new Map<string, RecordSource>();
  readonly #root: string;
  readonly #options: SourceOptions;
  #entries = 0;

  constructor(root: string, options: SourceOptions) {
    this.#root = root;
    this.#options = options;
  }

  /** Looks for sources that are not known yet. @throws RecordError where the path is nothing to import */
  async look(): Promise<void> {
    const found = await stat(this.#root).catch((error: unknown) => {
      throw new RecordError(`${this.#root} cannot be read: ${(error as Error).message}`, { cause: error });
    });
    if (found.isDirectory()) {
      this.#entries = 0;
      await this.#walk(this.#root, 0);
      if (this.sources.size === 0) throw new RecordError(`${this.#root} has no runs to import. ${allowed}`);
    } else if (this.sources.size === 0) await this.#file();
  }

  async #file(): Promise<void> {
    const path = this.#root;
    const name = basename(path);
    const known = fileSource(path, basename(path, extname(path)), this.#options);
    if (known) this.sources.set(path, known);
    else if (isEventFile(name)) this.sources.set(path, new TensorBoardRun(dirname(path), path, basename(dirname(path)), this.#options));
    else if (await isDatabase(path)) this.sources.set(path, new TrackioProject(path, this.#options));
    else throw new RecordError(`${path} is no record of runs that can be imported. ${allowed}`);
  }

  async #walk(folder: string, depth: number): Promise<void> {
    if (depth > maxDepth) throw new RecordError(`${folder} lies more than ${maxDepth} folders deep; import a folder within it`);
    const entries = await readdir(folder, { withFileTypes: true });
    this.#entries += entries.length;
    if (this.#entries > maxEntries) throw new RecordError(`${this.#root} has more than ${maxEntries} files; import a folder within it`);
    this.#options.onProgress();
    const shown = relative(this.#root, folder) || basename(folder);
    if (entries.some((entry) => entry.isFile() && isEventFile(entry.name)) && !this.sources.has(folder)) this.sources.set(folder, new TensorBoardRun(folder, null, shown.slice(0, 200), this.#options));
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(folder, entry.name);
      // Links are not followed: they may lead in circles.
      if (entry.isDirectory()) {
        if (!(await isPartOfParent(folder, entry.name))) await this.#walk(path, depth + 1);
      } else if (entry.isFile() && !this.sources.has(path)) {
        const source = fileSource(path, relative(this.#root, path).slice(0, -extname(path).length), this.#options);
        if (source) this.sources.set(path, source);
        else if (/\.(db|sqlite3?)$/i.test(entry.name) && (await isDatabase(path)) && isTrackio(path)) this.sources.set(path, new TrackioProject(path, this.#options));
      }
    }
  }
}
