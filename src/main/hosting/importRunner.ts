/** Runs import jobs in processes of their own, within limits of memory, time and number. */
import { access } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { catalogEntry } from "../../shared/catalog/index.ts";
import { orderPaths } from "../../shared/datasets.ts";
import { messageOf } from "../../shared/errors.ts";
import { formatBytes, formatSeconds } from "../../shared/format.ts";
import { removeUnfinished } from "../../core/datasets/own.ts";
import type { OnProgress } from "../../core/datasets/progress.ts";
import { isFetched, removeUnpacked } from "../../core/datasets/published.ts";
import type { ImportResults } from "../importing/jobs.ts";
import type { RecordsNews } from "../importing/records/index.ts";
import { memoryWords, type FromImporter, type ImportJob, type ToImporter } from "../importing/messages.ts";
import { removePendingNetworks } from "../../core/networks/stored.ts";
import { isProcessAlive } from "../../core/durable/alive.ts";
import { isUnlaunched } from "./crash.ts";
import { importMemory } from "./importMemory.ts";
import type { HelperExit, HelperProcess, LaunchHelper } from "./process.ts";

export type LaunchImporter = LaunchHelper<ToImporter, FromImporter>;

export interface ImportRunnerOptions {
  readonly launch: LaunchImporter;
  /** Milliseconds without progress after which a job is ended. */
  readonly silentFor?: number;
  /** Maximum number of jobs at the same time, not counting downloads. */
  readonly places?: number;
}

export interface ImportRunOptions {
  /** Ends the job. A download stops so that it can be resumed. */
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
  /** Receives what a job sends before it is done. An error that it throws ends the job. */
  readonly onNews?: (news: RecordsNews) => void;
}

/** Milliseconds that a download gets to stop by itself. */
const stopWithin = 5_000;

export class ImportRunner {
  readonly #options: Required<ImportRunnerOptions>;
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor({ launch, silentFor = 300_000, places = 2 }: ImportRunnerOptions) {
    this.#options = { launch, silentFor, places };
    this.#free = places;
  }

  /** Deletes what imports of processes that have ended left unfinished. */
  async removeLeftovers(): Promise<void> {
    await removeUnfinished((pid) => pid === null || !isProcessAlive(pid));
  }

  /** @throws Error that says why the job failed; nothing half-written is left then */
  async run<J extends ImportJob>(job: J, options: ImportRunOptions = {}): Promise<ImportResults[J["kind"]]> {
    if (job.kind === "download") return this.#run(job, options);
    // A mistyped path gets its answer at once, not after the imports before it and the start of a process.
    for (const path of pathsOf(job)) await requirePath(path);
    // A watch waits most of the time.
    if (job.kind === "records" && job.order.watch) return this.#run(job, options);
    await this.#takePlace(options.signal);
    try {
      return await this.#run(job, options);
    } finally {
      this.#free++;
      this.#waiting.shift()?.();
    }
  }

  async #takePlace(signal: AbortSignal | undefined): Promise<void> {
    requireWanted(signal);
    while (this.#free === 0) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
        const leave = () => {
          this.#waiting.splice(this.#waiting.indexOf(resolve), 1);
          resolve();
        };
        signal?.addEventListener("abort", () => this.#waiting.includes(resolve) && leave(), { once: true });
      });
      requireWanted(signal);
    }
    this.#free--;
  }

  async #run<J extends ImportJob>(job: J, { signal, onProgress, onNews }: ImportRunOptions): Promise<ImportResults[J["kind"]]> {
    requireWanted(signal);
    let importer: HelperProcess<ToImporter, FromImporter>;
    try {
      importer = await this.#options.launch();
    } catch (error) {
      throw new Error(`the process that reads files could not be started: ${messageOf(error)}`, { cause: error });
    }
    const { pid } = importer;
    try {
      return (await this.#answer(importer, job, { signal, onProgress, onNews })) as ImportResults[J["kind"]];
    } catch (error) {
      await removeWritten(job, pid);
      throw error;
    } finally {
      importer.kill();
    }
  }

  #answer(importer: HelperProcess<ToImporter, FromImporter>, job: ImportJob, { signal, onProgress, onNews }: { [K in keyof ImportRunOptions]: ImportRunOptions[K] | undefined }): Promise<unknown> {
    return new Promise((resolve, reject) => {
      /** Why this process ended the job. */
      let ended: string | undefined;
      const end = (why: string) => {
        ended ??= why;
        importer.kill();
      };
      const silence = setTimeout(() => end(`nothing was read for ${formatSeconds(this.#options.silentFor / 1000)}; it was ended`), this.#options.silentFor);
      const stop = () => {
        if (job.kind !== "download") return end("it was stopped");
        importer.send({ type: "stop" });
        void delay(stopWithin, undefined, { ref: false }).then(() => end("it was stopped"));
      };
      signal?.addEventListener("abort", stop, { once: true });
      const over = () => {
        clearTimeout(silence);
        signal?.removeEventListener("abort", stop);
      };
      importer.onMessage((message) => {
        silence.refresh();
        if (message.type === "progress") return onProgress?.(message.progress);
        if (message.type === "news") {
          try {
            return onNews?.(message.news);
          } catch (error) {
            over();
            importer.kill();
            return reject(error as Error);
          }
        }
        over();
        if (message.type === "done") resolve(message.value);
        else reject(new Error(message.message));
      });
      importer.onExit((exit) => {
        over();
        reject(new Error(`${subjectOf(job)}: ${ended ?? endInWords(exit)}`));
      });
      importer.send({ type: "start", job });
      if (signal?.aborted) stop();
    });
  }
}

function requireWanted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new Error("it was stopped");
}

async function requirePath(path: string): Promise<void> {
  try {
    await access(path);
  } catch (cause) {
    throw new Error(`${path} cannot be read: ${messageOf(cause)}`, { cause });
  }
}

/** Files and folders that a job reads. */
function pathsOf(job: ImportJob): readonly string[] {
  switch (job.kind) {
    case "preview":
    case "copy":
      return [job.path];
    case "network":
      return [job.order.path];
    case "records":
      return job.order.paths;
    case "create":
      return orderPaths(job.order);
    case "download":
    case "inspect":
      return [];
  }
}

function subjectOf(job: ImportJob): string {
  switch (job.kind) {
    case "preview":
    case "copy":
      return job.path;
    case "network":
      return job.order.path;
    case "records":
      return job.order.paths.join(", ");
    case "create":
      return orderPaths(job.order)[0]!;
    case "download":
    case "inspect":
      return job.dataset;
  }
}

/** Why a process ended without an answer. */
function endInWords(exit: HelperExit): string {
  const { code, signal, stderr } = exit;
  if (isUnlaunched(exit)) return `the process that reads files could not be started: ${stderr}`;
  if (stderr.includes(memoryWords) || /heap out of memory|Allocation failed/.test(stderr)) {
    return `reading it takes more than the ${formatBytes(importMemory().resident)} of memory that an import may have; import a part of it, or smaller images`;
  }
  const how = signal === null ? `ended with code ${code}` : `was ended by ${signal}`;
  return `the process that reads files ${how}${signal === "SIGKILL" ? " (as systems do when memory runs out)" : "; the file may be damaged"}`;
}

/** Deletes what a job that failed had begun to write. */
async function removeWritten(job: ImportJob, pid: number | undefined): Promise<void> {
  if (job.kind === "network") removePendingNetworks(job.order.folder);
  if (job.kind === "create") await removeUnfinished((writer) => writer === pid);
  if (job.kind !== "copy" && job.kind !== "download") return;
  const entry = catalogEntry(job.dataset);
  if (entry && isFetched(entry)) await removeUnpacked(entry);
}
