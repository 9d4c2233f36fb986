/** `hypertower datasets`: lists, downloads, imports, removes and adds datasets. */
import { SingleBar } from "cli-progress";
import { datasetState, type DatasetInfo } from "../../../shared/datasets.ts";
import { formatBytes } from "../../../shared/format.ts";
import { hubDataset, type HubDataset } from "../../services/hubDataset.ts";
import { UserError, type Services } from "../../services/services.ts";
import { table } from "../format.ts";
import { orderOf, type OrderOptions } from "../datasetOrder.ts";
import { exitCodes, openServices, storeDirOf, type ProgramFiles } from "../session.ts";

export interface DatasetsOptions {
  readonly store?: string;
  readonly json?: boolean;
}

function stateOf(info: DatasetInfo): string {
  const { problem, downloadBytes } = info;
  if (problem === null) return "ready";
  if (datasetState(info) === "damaged") return problem;
  return downloadBytes === null ? "not imported" : `not downloaded (${formatBytes(downloadBytes)})`;
}

async function withServices<T>(programFiles: ProgramFiles, options: DatasetsOptions, work: (services: Services) => Promise<T>): Promise<T> {
  const services = await openServices(programFiles, storeDirOf(options.store));
  try {
    return await work(services);
  } finally {
    await services.close();
  }
}

function print(infos: readonly DatasetInfo[], json: boolean | undefined): void {
  if (json) {
    for (const info of infos) console.log(JSON.stringify(info));
    return;
  }
  const rows = infos.map((info) => [
    info.kind,
    info.task,
    `${info.trainExamples} + ${info.testExamples}`,
    info.exampleShape.join("x") || "–",
    String(info.classes || "–"),
    stateOf(info),
    info.title,
  ]);
  console.log(table([["DATASET", "TASK", "TRAIN + TEST", "EXAMPLE", "CLASSES", "STATE", "TITLE"], ...rows]));
}

export function listDatasetsCommand(programFiles: ProgramFiles, options: DatasetsOptions): Promise<number> {
  return withServices(programFiles, options, async ({ handlers }) => {
    print(await handlers["datasets.list"]({}), options.json);
    return exitCodes.ok;
  });
}

/** Downloads with a progress bar on a terminal. Ctrl+C keeps the partial download, which the next one resumes. */
export function downloadDatasetCommand(programFiles: ProgramFiles, kind: string, options: DatasetsOptions): Promise<number> {
  return withServices(programFiles, options, async (services) => {
    const bar = process.stderr.isTTY ? new SingleBar({ stream: process.stderr, format: `${kind} {bar} {percentage} %  {eta_formatted} left`, hideCursor: true, clearOnComplete: true, gracefulExit: false }) : null;
    let begun = false;
    const ended = new Promise<string | null>((resolve) =>
      services.on("dataset.changed", (change) => {
        if (change.kind !== kind) return;
        if (!change.progress) return resolve(change.problem);
        if (!begun) bar?.start(change.progress.total, 0);
        begun = true;
        bar?.update(change.progress.bytes);
      }),
    );
    await services.handlers["datasets.download"]({ kind });
    const stop = () => void services.handlers["datasets.stopDownload"]({ kind });
    process.once("SIGINT", stop);
    try {
      const problem = await ended;
      if (problem) throw new UserError(problem);
    } finally {
      process.off("SIGINT", stop);
      bar?.stop();
    }
    print((await services.handlers["datasets.list"]({})).filter((info) => info.kind === kind), options.json);
    return exitCodes.ok;
  });
}

export function importDatasetCommand(programFiles: ProgramFiles, kind: string, path: string, options: DatasetsOptions): Promise<number> {
  return withServices(programFiles, options, async ({ handlers }) => {
    print([await handlers["datasets.import"]({ kind, path })], options.json);
    return exitCodes.ok;
  });
}

export function removeDatasetCommand(programFiles: ProgramFiles, kind: string, options: DatasetsOptions): Promise<number> {
  return withServices(programFiles, options, async ({ handlers }) => {
    print(await handlers["datasets.remove"]({ kind }), options.json);
    return exitCodes.ok;
  });
}

export interface AddOptions extends DatasetsOptions, OrderOptions {}

/** Downloads with a progress bar what an address of the Hugging Face hub names. Ctrl+C keeps the partial download. */
async function fromHub(text: string): Promise<HubDataset | null> {
  const stopped = new AbortController();
  const stop = () => stopped.abort();
  const bar = process.stderr.isTTY ? new SingleBar({ stream: process.stderr, format: `${text} {bar} {percentage} %  {eta_formatted} left`, hideCursor: true, clearOnComplete: true, gracefulExit: false }) : null;
  process.once("SIGINT", stop);
  try {
    return await hubDataset(text, { signal: stopped.signal, onProgress: ({ bytes, total }) => (bar?.isActive ? bar.update(bytes) : bar?.start(total, bytes)) });
  } finally {
    process.off("SIGINT", stop);
    bar?.stop();
  }
}

/** Imports a user's own files, or a dataset of the Hugging Face hub, as a dataset. */
export function addDatasetCommand(programFiles: ProgramFiles, path: string, options: AddOptions): Promise<number> {
  return withServices(programFiles, options, async (services) => {
    const hub = await fromHub(path);
    const order = await orderOf(services, hub?.folder ?? path, hub ? { title: hub.title, ...options } : options);
    const job = "add";
    const bar = process.stderr.isTTY ? new SingleBar({ stream: process.stderr, format: `${order.title} {bar} {percentage} %`, hideCursor: true, clearOnComplete: true, gracefulExit: false }) : null;
    services.on("dataset.importing", ({ done, total }) => (bar?.isActive ? bar.update(done) : bar?.start(total, done)));
    try {
      print([await services.handlers["datasets.create"]({ order, job })], options.json);
    } finally {
      bar?.stop();
    }
    return exitCodes.ok;
  });
}
