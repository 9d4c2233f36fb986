/** Predictions from the saved weights of runs. A trainer process computes them; the latest are cached. */
import { importedProblem } from "../../shared/importedRun.ts";
import { maxNamedClasses, type DatasetInfo } from "../../shared/datasets.ts";
import { messageOf } from "../../shared/errors.ts";
import type { Experiment } from "../../shared/experiment.ts";
import type { KeptName, WeightsFormat, WeightsSummary } from "../../shared/kept.ts";
import type { PredictionReport, SamplesReply, SamplesRequest, TextRequest } from "../../shared/predictions.ts";
import type { AttentionFormat, AttentionOf, ReadingReply, ReadingRequest } from "../../shared/reading.ts";
import type { PictureSettings } from "../../shared/reports.ts";
import { dataShape } from "../../shared/models/data.ts";
import { tiedNames } from "../../shared/models/tied.ts";
import { isActive, type RunDetail } from "../../shared/run.ts";
import { CheckpointError, requireIntact } from "../../core/checkpoint/container.ts";
import { FileSender } from "../hosting/fileSender.ts";
import type { Outputs, PredictionJob, PredictionResult, Reading } from "../trainer/jobs.ts";
import { npzOf } from "../hosting/weights/npz.ts";
import { safetensorsOf } from "../hosting/weights/safetensors.ts";
import { exitInWords } from "../hosting/crash.ts";
import type { Machine } from "../hosting/machine.ts";
import type { Trainer } from "../hosting/process.ts";
import { unusable, type OpenWeights, type SavedWeights, type WeightsFolder } from "../hosting/weights/folder.ts";
import type { DatasetCatalog } from "./experiments.ts";
import { chosen, classified, confusionOf, mistakesOf, residualsOf } from "./predictionSummary.ts";
import { attentionFile, replyOf, type ReadWeights } from "./readings.ts";
import { defaultOnnxOptions, exportName, mediaTypeOf, metadataOf, remarksOn, type OnnxExportOptions } from "./savedModel.ts";
import { UserError, type ExportFile } from "./services.ts";

export interface PredictionsOptions {
  /** @throws UserError when there is no such run */
  readonly run: (id: string) => RunDetail;
  readonly weights: WeightsFolder;
  readonly datasets: DatasetCatalog;
  readonly machine: Pick<Machine, "startTrainer">;
}

/** Number of cached outputs; those of MNIST take half a megabyte. */
const maxCached = 6;

/** Maximum number of feature values in a reply. */
const maxValues = 400_000;

type Run = Pick<RunDetail, "id" | "experiment">;

type Labelled = NonNullable<Outputs["labelled"]>;

export class Predictions {
  readonly #options: PredictionsOptions;
  readonly #outputs = new Map<string, Promise<Outputs>>();
  readonly #working = new Set<Trainer>();
  /** The latest reading: a page shows its modules one after another. */
  #latest: { readonly key: string; readonly reading: Promise<Reading> } | null = null;

  constructor(options: PredictionsOptions) {
    this.#options = options;
  }

  async kept(id: string): Promise<{ kept: WeightsSummary[]; problem: string | null }> {
    const run = this.#options.run(id);
    const problem = importedProblem(run, "used for predictions");
    if (problem !== null) return { kept: [], problem };
    try {
      const kept = (await this.#options.weights.list(run)).map(shown);
      return { kept, problem: kept.length > 0 ? null : whyNoWeights(run) };
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
      return { kept: [], problem: `${sentence(error.message)} Train the run's experiment again to predict from it.` };
    }
  }

  /** @throws UserError saying why there are no weights */
  async #weights(id: string, name: KeptName): Promise<SavedWeights> {
    const { problem } = await this.kept(id);
    if (problem !== null) throw new UserError(problem);
    return (await this.#options.weights.list(this.#options.run(id))).find((weights) => weights.name === name)!;
  }

  /**
   * The weights as a file of their own, or the model for inference.
   * @throws UserError saying why there are no weights, or why the model cannot be written
   */
  async file(id: string, name: KeptName, format: WeightsFormat = "npz", options: OnnxExportOptions = defaultOnnxOptions): Promise<ExportFile> {
    const run = this.#options.run(id);
    const weights = await this.#weights(id, name);
    const file = { filename: exportName(run, name, format), mediaType: mediaTypeOf(format) };
    if (format === "onnx") {
      const result = await this.#askWith(run, weights, { kind: "onnx", ...options, metadata: metadataOf(run, weights.header) });
      if (result.kind !== "onnx") throw new Error(`a trainer answered ${result.kind} instead of a model`);
      return { ...file, pieces: [result.bytes], remarks: remarksOn(result) };
    }
    // What is damaged is refused before the first byte is sent.
    await this.#opened(run, weights, ({ read, size }) => requireIntact(read, size));
    return { ...file, pieces: { [Symbol.asyncIterator]: () => this.#arrays(run, weights, format) } };
  }

  async report(id: string, name: KeptName): Promise<PredictionReport> {
    const weights = await this.#weights(id, name);
    const { experiment } = this.#options.run(id);
    const [found, info] = await Promise.all([this.#outputsOf(experiment, weights), this.#dataset(experiment)]);
    const { examples, sums, labelled } = found;
    const common = { kept: shown(weights), examples, loss: sums["loss"]! / examples };
    const error = (100 * (sums["errors"] ?? 0)) / examples;
    if (info.task === "text" || !labelled) return { task: "text", ...common, error };
    if (info.task === "regression") return { task: "regression", ...common, ...residualsOf(labelled) };
    const classNames = Array.from({ length: labelled.width }, (_, i) => info.classNames[i] ?? String(i));
    const examplesOf = classified(labelled);
    if (labelled.width > maxNamedClasses) return { task: "classification", ...common, error, classNames: [], confusion: [], mistakes: mistakesOf(examplesOf, (index) => classNames[index]!) };
    return { task: "classification", ...common, error, classNames, confusion: confusionOf(examplesOf, labelled.width) };
  }

  async samples(request: SamplesRequest): Promise<SamplesReply> {
    const weights = await this.#weights(request.run, request.checkpoint);
    const { experiment } = this.#options.run(request.run);
    const info = await this.#dataset(experiment);
    if (info.task !== "classification") throw new UserError(`${info.title} has no classes; examples can be shown for classifications only.`);
    const labelled = (await (this.#superseded(request, weights) ?? this.#outputsOf(experiment, weights))).labelled!;
    const all = chosen(classified(labelled), request);
    const width = info.exampleShape.reduce((size, n) => size * n, 1);
    const first = all.slice(0, Math.max(1, Math.min(request.limit, Math.floor(maxValues / width))));
    const result = first.length === 0 ? undefined : await this.#ask(experiment, null, { kind: "examples", indices: first.map(({ index }) => index) });
    if (result && result.kind !== "examples") throw new Error(`a trainer answered ${result.kind} instead of examples`);
    return {
      total: all.length,
      samples: first.map(({ index, actual, predicted }, i) => ({ index, actual, predicted, probabilities: probabilitiesOf(labelled, index), values: Array.from(result!.values[i]!) })),
      exampleShape: [...info.exampleShape],
      range: result?.range ?? null,
    };
  }

  async text({ run, checkpoint, ...continuation }: TextRequest): Promise<{ kept: WeightsSummary; text: string }> {
    const weights = await this.#weights(run, checkpoint);
    const { id, experiment } = this.#options.run(run);
    const info = await this.#dataset(experiment);
    if (info.task !== "text") throw new UserError(`This run was trained on ${info.title}, which is not a text; only models of texts generate text.`);
    const result = await this.#askWith({ id, experiment }, weights, { kind: "text", ...continuation });
    if (result.kind !== "text") throw new Error(`a trainer answered ${result.kind} instead of a text`);
    return { kept: shown(weights), text: result.text };
  }

  async reading(request: ReadingRequest): Promise<ReadingReply> {
    return replyOf(await this.#read(request), request.module);
  }

  /** The attention on an example as a file. @throws UserError where the model has none */
  async attentionFile(id: string, { head, ...of }: AttentionOf, format: AttentionFormat, settings: PictureSettings): Promise<ExportFile> {
    const run = this.#options.run(id);
    return attentionFile({ run, ...(await this.#read({ run: id, ...of })) }, { module: of.module, head, format, settings });
  }

  async #read({ run, checkpoint, example }: ReadingRequest): Promise<ReadWeights> {
    const weights = await this.#weights(run, checkpoint);
    const { experiment } = this.#options.run(run);
    const info = await this.#dataset(experiment);
    const key = JSON.stringify([run, weights.header.evaluation.step, weights.header.savedAt, example]);
    if (this.#latest?.key !== key) {
      const reading = this.#askWith({ id: run, experiment }, weights, { kind: "reading", example }).then((result) => {
        if (result.kind !== "reading") throw new Error(`a trainer answered ${result.kind} instead of a reading`);
        return result;
      });
      reading.catch(() => (this.#latest = null));
      this.#latest = { key, reading };
    }
    return { kept: shown(weights), info, reading: await this.#latest.reading };
  }

  /** Cancels active predictions. */
  close(): void {
    for (const trainer of this.#working) trainer.kill();
  }

  /** Cached outputs of weights that newer ones have replaced; null for the current weights. @throws UserError where they are not cached any more */
  #superseded({ run, step }: SamplesRequest, { header }: SavedWeights): Promise<Outputs> | null {
    if (step === null || step === header.evaluation.step) return null;
    const key = [...this.#outputs.keys()].find((cached) => cached.startsWith(`${run} ${step} `));
    if (key === undefined) throw new UserError("Newer weights have replaced these; open their predictions instead.");
    return this.#outputs.get(key)!;
  }

  /** Cached, because a page requests several views of the same outputs. */
  #outputsOf(experiment: Experiment, weights: SavedWeights): Promise<Outputs> {
    const { run, savedAt, evaluation } = weights.header;
    const key = `${run} ${evaluation.step} ${savedAt}`;
    let outputs = this.#outputs.get(key);
    if (!outputs) {
      outputs = this.#askWith({ id: run, experiment }, weights, { kind: "outputs" }).then((result) => {
        if (result.kind !== "outputs") throw new Error(`a trainer answered ${result.kind} instead of outputs`);
        return result;
      });
      outputs.catch(() => this.#outputs.delete(key));
    }
    // Least recently used: move this one to the end, drop the first.
    this.#outputs.delete(key);
    this.#outputs.set(key, outputs);
    for (const old of [...this.#outputs.keys()].slice(0, -maxCached)) this.#outputs.delete(old);
    return outputs;
  }

  /** Opens a weights file while `use` works. @throws UserError where it is damaged, or was replaced in this moment */
  async #opened<T>(run: Run, weights: SavedWeights, use: (file: OpenWeights) => Promise<T>): Promise<T> {
    const file = await this.#open(run, weights);
    try {
      return await use(file);
    } catch (error) {
      throw error instanceof CheckpointError ? unusableWeights(unusable(file.path, error)) : error;
    } finally {
      await file.handle.close();
    }
  }

  async #open(run: Run, weights: SavedWeights): Promise<OpenWeights> {
    let file: OpenWeights | undefined;
    try {
      file = await this.#options.weights.open(run, weights);
    } catch (error) {
      throw error instanceof CheckpointError ? unusableWeights(error) : error;
    }
    // A better evaluation may have replaced the file since it was listed.
    if (!file) throw new UserError("Newer weights have replaced these; open their predictions instead.");
    return file;
  }

  async *#arrays(run: RunDetail, weights: SavedWeights, format: Exclude<WeightsFormat, "onnx">): AsyncGenerator<Uint8Array> {
    const { handle, read, size } = await this.#open(run, weights);
    try {
      const tied = tiedNames(run.experiment.model, dataShape(run.experiment));
      yield* format === "npz" ? npzOf(read, size, tied) : safetensorsOf(read, size, { metadata: (header) => metadataOf(run, header), tied });
    } finally {
      await handle.close();
    }
  }

  #askWith(run: Run, weights: SavedWeights, job: PredictionJob): Promise<PredictionResult> {
    return this.#opened(run, weights, (file) => this.#ask(run.experiment, { file, run: run.id }, job));
  }

  /** @throws UserError in the words of the trainer: what it cannot use is a matter of files and data */
  #ask(experiment: Experiment, from: { readonly file: OpenWeights; readonly run: string } | null, job: PredictionJob): Promise<PredictionResult> {
    const failed = job.kind === "onnx" ? "The model could not be written" : "Nothing could be predicted";
    return new Promise((resolve, reject) => {
      const trainer = this.#options.machine.startTrainer();
      const sender = new FileSender((piece) => trainer.send({ type: "weights", piece }));
      this.#working.add(trainer);
      trainer.onMessage((message) => {
        if (message.type === "pieceTaken") sender.taken();
        if (message.type === "predicted") resolve(message.result);
        if (message.type !== "failed") return;
        sender.end();
        reject(message.checkpoint ? new CheckpointError(message.message) : new UserError(`${failed}: ${message.message}`));
      });
      trainer.onExit((exit) => {
        sender.end();
        this.#working.delete(trainer);
        reject(new UserError(`${failed}. ${exitInWords(exit)}`));
      });
      trainer.send({ type: "predict", experiment, weightsOf: from?.run ?? null, job });
      if (!from) return;
      sender.send(from.file.handle).catch((error: unknown) => {
        reject(new CheckpointError(messageOf(error), { cause: error }));
        trainer.kill();
      });
    });
  }

  async #dataset({ dataset: { kind } }: Experiment): Promise<DatasetInfo> {
    const info = (await this.#options.datasets.list()).find((listed) => listed.kind === kind);
    if (!info) throw new UserError(`The dataset ${kind} of this run does not exist any more.`);
    if (info.problem) throw new UserError(`Nothing can be predicted without the data: ${info.title}: ${info.problem}`);
    return info;
  }
}

const unusableWeights = ({ message }: CheckpointError) => new UserError(`${sentence(message)} Train the run's experiment again to predict from it.`);

const shown = ({ name, bytes, header: { evaluation, savedAt } }: SavedWeights): WeightsSummary => ({ name, bytes, evaluation, savedAt });

function probabilitiesOf({ scores, width }: Labelled, index: number): number[] {
  return Array.from(scores.subarray(index * width, (index + 1) * width), (score) => Math.exp(score));
}

/** Why a run has no saved weights. */
function whyNoWeights({ study, status, evaluations }: RunDetail): string {
  if (study !== null) return "Runs of a study keep no weights. Train this one's experiment by itself to predict from it.";
  const finite = evaluations.some(({ testLoss, validationLoss }) => (testLoss ?? validationLoss ?? null) !== null);
  if (isActive(status) && !finite) return "Weights are kept from the first evaluation on; this run has none yet.";
  if (!finite) return `The run ${status === "diverged" ? "diverged" : "ended"} before its first evaluation, so it has no weights to predict from.`;
  return "The run was trained by a version that kept no weights. Train its experiment again to predict from it.";
}

const sentence = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
