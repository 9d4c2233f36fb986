/** Reports of runs and studies: a description for a window, single files for downloads, or a whole folder. */
import type { RequestArguments, RequestOutput } from "../../shared/contract.ts";
import { archiveFileName } from "../../shared/archives.ts";
import { weightsOfFile } from "../../shared/kept.ts";
import { importedProblem } from "../../shared/importedRun.ts";
import { textRequest } from "../../shared/predictions.ts";
import { attentionFormatOf } from "../../shared/reading.ts";
import { downloadPath, type PictureSettings, type ReportFileRequest, type ReportSubject } from "../../shared/reports.ts";
import { isActive, type RunDetail } from "../../shared/run.ts";
import { findPaperFigure } from "../../shared/study/paperFigures.ts";
import type { StudyDetail } from "../../shared/study/result.ts";
import { fileStem } from "../reports/index.ts";
import { reportFiles, runReport, studyReport, type Report, type ReportFile, type RunPredictions } from "../reports/report/index.ts";
import { comparisonFigure } from "../reports/report/comparisonFigure.ts";
import { pictureFile, type PictureFormat } from "../reports/report/figure.ts";
import { writeReport, type WriteOptions } from "../reports/report/write.ts";
import type { Store } from "../store/store.ts";
import type { Predictions } from "./predictions.ts";
import type { Archives } from "./archives.ts";
import { UserError, type ExportFile } from "./services.ts";
import { userError } from "./userErrors.ts";

export interface ReportsOptions {
  readonly run: (id: string) => RunDetail;
  readonly study: (id: string) => StudyDetail;
  readonly store: Pick<Store, "readSteps" | "readSeries">;
  readonly version: string;
  /** Makes archives; without it there are none. */
  readonly archives?: Pick<Archives, "file">;
  readonly predictions: Pick<Predictions, "kept" | "report" | "text" | "file" | "attentionFile">;
}

const seriesOf = (store: ReportsOptions["store"], run: string, name: string, maxBuckets: number) =>
  store.readSeries({ run, metrics: [name], after: -1, width: 1, maxBuckets }).series[0] ?? { total: 0, buckets: [] };

export class Reports {
  readonly #options: ReportsOptions;

  constructor(options: ReportsOptions) {
    this.#options = options;
  }

  async describe({ of, settings }: RequestArguments<"reports.describe">): Promise<RequestOutput<"reports.describe">> {
    const { remarks, documents, figures } = await this.#report(of, settings, false);
    return { remarks: [...remarks], documents: documents.map(({ name }) => name), figures: figures.map(({ name, title, size }) => ({ name, title, ...size })) };
  }

  async address(request: ReportFileRequest): Promise<RequestOutput<"reports.file">> {
    const { filename, mediaType } = await this.file(request);
    return { path: downloadPath(request, filename), filename, mediaType };
  }

  /** @throws UserError when there is no such report or no such file in it */
  async file({ of, file, settings, attention }: ReportFileRequest): Promise<ExportFile> {
    const { archives } = this.#options;
    if (file === archiveFileName && archives) return archives.file("run" in of ? { runs: [of.run], studies: [] } : { runs: [], studies: [of.study] });
    const weights = weightsOfFile(file);
    if (weights && "run" in of) return this.#options.predictions.file(of.run, weights.name, weights.format);
    const attentionFormat = attentionFormatOf(file);
    if (attentionFormat && attention && "run" in of) return this.#options.predictions.attentionFile(of.run, attention, attentionFormat, settings);
    const files = this.#files(await this.#report(of, settings, file === "report.html"), settings);
    const found = files.find(({ name }) => name === file);
    if (!found) throw new UserError(`A report has no file ${file}; it has: ${files.map(({ name }) => name).join(", ")}.`);
    const { name, mediaType, pieces } = found;
    return { filename: `${this.#stem(of)}-${name.replace("figures/", "")}`, mediaType, pieces: { [Symbol.iterator]: () => pieces()[Symbol.iterator]() } };
  }

  /** Loss and headline metric of several runs in one picture. @throws UserError when one is not there */
  comparison(ids: readonly string[], format: PictureFormat, { theme, width, height, scale }: PictureSettings): string | Buffer {
    const { run, store } = this.#options;
    const figure = comparisonFigure(ids.map(run), (id, name, maxBuckets) => seriesOf(store, id, name, maxBuckets));
    return pictureFile(figure, format, { theme, scale, ...(width !== null && { width }), ...(height !== null && { height }) });
  }

  /**
   * Writes a report into a folder: all of it, or nothing.
   * @returns the written files, and remarks for the reader
   * @throws UserError before anything is written, where the failure can be foreseen
   */
  async write(of: ReportSubject, folder: string, settings: PictureSettings, { onRemarks, ...options }: WriteOptions & { readonly onRemarks?: (remarks: readonly string[]) => void }): Promise<{ files: string[]; remarks: readonly string[] }> {
    try {
      const report = await this.#report(of, settings, true);
      onRemarks?.(report.remarks);
      return { files: await writeReport(folder, this.#files(report, settings), options), remarks: report.remarks };
    } catch (error) {
      throw userError(error);
    }
  }

  #files(report: Report, { theme, width, height, scale }: PictureSettings): ReportFile[] {
    return reportFiles(report, { theme, scale, ...(width !== null && { width }), ...(height !== null && { height }) });
  }

  /** @param text whether to generate a sample from a character model, which takes a while */
  async #report(of: ReportSubject, { metric, at, band, yLog, reference }: PictureSettings, text: boolean): Promise<Report> {
    const { run, study, store, version } = this.#options;
    const source = {
      program: { version },
      run,
      steps: (id: string) => store.readSteps(id),
      series: (id: string, name: string, maxBuckets: number) => seriesOf(store, id, name, maxBuckets),
    };
    try {
      if ("run" in of) {
        const found = run(of.run);
        const problem = importedProblem(found, "reported on; compare it with others instead");
        if (problem !== null) throw new UserError(problem);
        return runReport(found, source, await this.#predicted(found, text));
      }
      const figure = reference === null ? undefined : findPaperFigure(reference);
      return studyReport(study(of.study), source, { metric, at, band, yLog, ...(figure && { reference: figure }) });
    } catch (error) {
      throw userError(error);
    }
  }

  /** Predictions of the run's best weights; null where it has none or is still active; a message where they failed. */
  async #predicted(run: RunDetail, text: boolean): Promise<RunPredictions | string | null> {
    const { predictions } = this.#options;
    if (isActive(run.status) || (await predictions.kept(run.id)).kept.length === 0) return null;
    try {
      const report = await predictions.report(run.id, "best");
      if (report.task !== "text" || !text) return { report, text: null };
      const request = textRequest.parse({ run: run.id, prime: "The " });
      const { prime, temperature, seed } = request;
      return { report, text: { prime, temperature, seed, text: (await predictions.text(request)).text } };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return error.message;
    }
  }

  #stem(of: ReportSubject): string {
    return fileStem("run" in of ? this.#options.run(of.run) : this.#options.study(of.study));
  }
}
