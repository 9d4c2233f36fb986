/** `hypertower datasets`: lists, downloads, imports, removes and adds datasets. */
import { SingleBar } from "cli-progress";
import { columnRoles, datasetState, isMostlyNumbers, maxCategories, suggestedTask, type ColumnRole, type DatasetInfo, type ImportOrder } from "../../../shared/datasets.ts";
import { formatBytes } from "../../../shared/format.ts";
import { UserError, type Services } from "../../services/services.ts";
import { table } from "../format.ts";
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

export interface AddOptions extends DatasetsOptions {
  readonly title?: string;
  /** Column to predict, by name or number from 1; the last column by default. */
  readonly target?: string;
  readonly ignore?: readonly string[];
  readonly category?: readonly string[];
  readonly task?: "classification" | "regression";
  readonly missing?: "refuse" | "drop" | "fill";
  readonly targets?: string;
  readonly size?: readonly [number, number];
  readonly gray?: boolean;
  /** Reads any file as bytes. */
  readonly bytes?: boolean;
}

/** Imports a user's own files as a dataset. */
export function addDatasetCommand(programFiles: ProgramFiles, path: string, options: AddOptions): Promise<number> {
  return withServices(programFiles, options, async (services) => {
    const order = await orderOf(services, path, options);
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

async function orderOf(services: Services, path: string, options: AddOptions): Promise<ImportOrder> {
  const title = options.title ?? path.replace(/[/\\]+$/, "").split(/[/\\]/).at(-1)!;
  if (options.bytes) return { form: "text", title, path, unit: "bytes" };
  const preview = await services.handlers["datasets.preview"]({ path });
  switch (preview.form) {
    case "text":
      return { form: "text", title, path };
    case "images":
      return { form: "images", title, path, channels: options.gray ? 1 : 3, ...(options.size ? { width: options.size[0], height: options.size[1] } : {}) };
    case "arrays": {
      const [targets, array] = preview.arrays.length > 1 && !options.targets ? [path, targetArray(preview.arrays)] : [options.targets, undefined];
      if (!targets) throw new UserError(`${path} has only one array; give the file with the targets by --targets`);
      const features = array ? { path, array: preview.arrays.find(({ name }) => name !== array)!.name } : { path };
      return { form: "arrays", title, features, targets: { path: targets, ...(array ? { array } : {}) }, task: options.task ?? "classification" };
    }
    case "csv": {
      const names = preview.columns.map(({ name }) => name);
      const columnIndex = (wanted: string) => {
        const i = names.includes(wanted) ? names.indexOf(wanted) : /^\d+$/.test(wanted) ? Number(wanted) - 1 : -1;
        if (i < 0 || i >= names.length) throw new UserError(`${path} has no column ${wanted}; its columns are: ${names.join(", ")}`);
        return i;
      };
      const target = options.target ? columnIndex(options.target) : names.length - 1;
      const [ignored, categories] = [options.ignore, options.category].map((given = []) => given.map(columnIndex)) as [number[], number[]];
      const column = preview.columns[target]!;
      const roles = preview.columns.map(({ suggested, ...counts }, i): ColumnRole => {
        if (i === target) return "target";
        if (ignored.includes(i)) return "ignore";
        if (categories.includes(i)) return "category";
        return suggested === "target" ? (isMostlyNumbers(counts) ? "number" : "category") : suggested;
      });
      if (!options.json) console.error(columnsText(preview.columns, roles));
      const task = options.task ?? suggestedTask(column);
      return { form: "csv", title, path, delimiter: preview.delimiter, header: preview.header, roles, task, missing: options.missing ?? "refuse" };
    }
  }
}

/** `numbers: a, b; categories: color (3 different values); target: kind; ignored: name (more than 256 different values)`. */
function columnsText(columns: readonly { readonly name: string; readonly distinct: number }[], roles: readonly ColumnRole[]): string {
  const named = { number: "numbers", category: "categories", target: "target", ignore: "ignored" } as const;
  const parts = columnRoles.map((role) => {
    const members = columns.filter((_, i) => roles[i] === role);
    const values = (distinct: number) => (role === "category" || role === "ignore" ? ` (${distinct > maxCategories ? `more than ${maxCategories}` : distinct} different values)` : "");
    return members.length === 0 ? "" : `${named[role]}: ${members.map(({ name, distinct }) => name + values(distinct)).join(", ")}`;
  });
  return parts.filter((part) => part !== "").join("; ");
}

/** Finds the array of targets: by the common names, else the array with the fewest values. */
function targetArray(arrays: readonly { name: string; shape: readonly number[] }[]): string {
  const named = arrays.find(({ name }) => /^(y|labels?|targets?|y_train|arr_1)$/i.test(name));
  const size = ({ shape }: { shape: readonly number[] }) => shape.reduce((product, n) => product * n, 1);
  return (named ?? [...arrays].sort((a, b) => size(a) - size(b))[0]!).name;
}
