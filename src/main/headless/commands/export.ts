/** `hypertower export RUN`: writes what a run learned, its weights or model, or a picture, page or archive of it. */
import { resolve } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { exportFormatNames } from "../../../shared/exports.ts";
import { weightsFormatNames, type KeptName, type WeightsFormat } from "../../../shared/kept.ts";
import { pictureSettings, type ReportSubject } from "../../../shared/reports.ts";
import { listed } from "../../../shared/text.ts";
import { UserError, type ExportFile, type Services } from "../../services/services.ts";
import { findRun, findStudy } from "../find.ts";
import { formatOf, refuseBinary } from "../outFile.ts";
import { exitCodes, storeDirOf, withStore, type ProgramFiles } from "../session.ts";
import { writeWhole } from "../writeWhole.ts";

/** Files of a report that are exported on their own. */
const reportFormats = ["html", "svg", "png", "hypertower"] as const;
export const runFormats = [...exportFormatNames, ...weightsFormatNames, ...reportFormats] as const;
export const studyFormats = ["csv", "json", ...reportFormats] as const;
export type FileFormat = (typeof runFormats)[number];

const binary: readonly FileFormat[] = [...weightsFormatNames, "png", "hypertower"];
const frameworks = ["pytorch", "optax", "keras", "library"] as const;

const reportEndings = { ".html": "html", ".svg": "svg", ".png": "png", ".hypertower": "hypertower" } as const;
const runEndings = { ".csv": "csv", ".json": "json", ".npz": "npz", ".safetensors": "safetensors", ".onnx": "onnx", ".py": "py", ...reportEndings } as const;
const studyEndings = { ".csv": "csv", ".json": "json", ...reportEndings } as const;

export interface ExportOptions {
  readonly format?: FileFormat;
  readonly checkpoint: KeptName;
  readonly out?: string;
  readonly force?: boolean;
  readonly damagedAnyway?: boolean;
  /** Of an ONNX model of a text. */
  readonly steps?: number;
  readonly states?: boolean;
  readonly store?: string;
}

/** The format of a run's file: as asked for, or by the file's ending. @throws UserError where neither says it */
function runFormat({ format, out }: ExportOptions): FileFormat {
  if (format !== undefined) return format;
  if (out === undefined) throw new UserError(`name a format with --format (${runFormats.join(", ")}), or a file with --out whose ending says it`);
  const byEnding = formatOf(out, runEndings);
  if (byEnding !== "py") return byEnding;
  const named = frameworks.find((name) => new RegExp(`(^|[-_./\\\\])${name}\\.py$`).test(out) || (name === "library" && /gdtuo\.py$/.test(out)));
  if (named) return named;
  throw new UserError(`--out ${out}: a .py file may be for ${listed(frameworks, "or")}; add --format`);
}

const isWeightsFormat = (format: FileFormat): format is WeightsFormat => (weightsFormatNames as readonly string[]).includes(format);

export async function exportCommand(programFiles: ProgramFiles, wanted: string, options: ExportOptions): Promise<number> {
  const format = runFormat(options);
  const { steps = null, states = false } = options;
  if (format !== "onnx" && (states || steps !== null)) throw new UserError(`${states ? "--states" : "--steps"} is for the format onnx; leave it out, or add --format onnx`);
  return exporting(programFiles, options, format, async (services) => {
    const run = await findRun(services, wanted);
    if (isWeightsFormat(format)) return services.exportWeights(run, options.checkpoint, format, { steps, states });
    if (!options.damagedAnyway) await services.requireSound({ run });
    return isReportFormat(format) ? reportFile(services, { run }, format) : services.exportRun(run, format);
  });
}

export async function exportStudy(programFiles: ProgramFiles, wanted: string, options: ExportOptions): Promise<number> {
  const { out } = options;
  const format = options.format ?? (out === undefined ? undefined : formatOf(out, studyEndings));
  if (format === undefined) throw new UserError(`name a format with --format (${studyFormats.join(", ")}), or a file with --out whose ending says it`);
  return exporting(programFiles, options, format, async (services) => {
    const study = await findStudy(services, wanted);
    if (!options.damagedAnyway) await services.requireSound({ study });
    if (isReportFormat(format)) return reportFile(services, { study }, format);
    if (format === "csv") return services.reportFile({ of: { study }, file: "runs.csv", settings: pictureSettings.parse({}) });
    return { filename: `${study}.json`, mediaType: "application/json", pieces: [`${JSON.stringify(await services.handlers["studies.get"]({ study }), null, 2)}\n`] };
  });
}

const isReportFormat = (format: FileFormat): format is (typeof reportFormats)[number] => (reportFormats as readonly string[]).includes(format);

/** The page of a report, its first figure, or the archive. */
async function reportFile(services: Services, of: ReportSubject, format: (typeof reportFormats)[number]): Promise<ExportFile> {
  if (format === "hypertower") return services.exportArchive("run" in of ? { runs: [of.run], studies: [] } : { runs: [], studies: [of.study] });
  const settings = pictureSettings.parse({});
  if (format === "html") return services.reportFile({ of, file: "report.html", settings });
  const { figures } = await services.handlers["reports.describe"]({ of, settings });
  const [first] = figures;
  if (!first) throw new UserError("there is nothing to draw yet");
  return services.reportFile({ of, file: `figures/${first.name}.${format}`, settings });
}

async function exporting(programFiles: ProgramFiles, { out, force, store }: ExportOptions, format: FileFormat, make: (services: Services) => Promise<Pick<ExportFile, "pieces" | "remarks">>): Promise<number> {
  if (out === undefined && binary.includes(format)) refuseBinary(`A file in the format ${format}`);
  return withStore(programFiles, storeDirOf(store), async (services) => {
    const file = await make(services);
    if (out === undefined) await pipeline(Readable.from(file.pieces), process.stdout, { end: false });
    else await writeWhole(resolve(out), file, force ?? false);
    for (const remark of file.remarks ?? []) console.error(remark);
    return exitCodes.ok;
  });
}
