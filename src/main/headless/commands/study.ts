/** `hypertower study`: trains, resumes or extends a study. */
import { stat } from "node:fs/promises";
import { formatBytes } from "../../../shared/format.ts";
import { expandStudy } from "../../../shared/study/expand.ts";
import { quickEdition, studyPresetNames } from "../../../shared/study/presets.ts";
import type { CohortChoice, Study } from "../../../shared/study/study.ts";
import type { StudySummary } from "../../../shared/study/result.ts";
import { defaultStepEvents, type StepEvents } from "../stepEvents.ts";
import { StepFeed } from "../stepFeed.ts";
import { requireTags } from "../tags.ts";
import { plural } from "../../../shared/text.ts";
import { UserError, type Services } from "../../services/services.ts";
import { loadStudy } from "../definitionSource.ts";
import { findStudy } from "../find.ts";
import { formatDuration } from "../format.ts";
import { closing, exitCodes, openServices, storeDirOf, withStore, type ProgramFiles } from "../session.ts";
import { local, withoutPassword } from "../../fleet/name.ts";
import { fleetEstimate, inWords } from "../study/fleetEstimate.ts";
import { follow } from "../study/follow.ts";
import { jsonReport, textReport } from "../study/report.ts";
import { cellsTable } from "../study/table.ts";
import { printEngineProgress } from "./engines.ts";

export interface StudyOptions {
  readonly preset?: string;
  /** The preset's quick edition. */
  readonly quick?: boolean;
  readonly set: readonly string[];
  readonly seeds?: string;
  readonly safe?: boolean;
  readonly workers?: number;
  readonly cohort?: CohortChoice;
  /** Where to train: `local`, `slurm:PROFILE`, `queue[:URL]`. */
  readonly on?: string;
  /** Minutes that a unit of work should take at least at a fleet. */
  readonly unitMinutes?: number;
  readonly dryRun?: boolean;
  readonly resume?: string;
  readonly extend?: string;
  readonly retry?: boolean;
  readonly store?: string;
  readonly tag: readonly string[];
  readonly stepEvents?: StepEvents;
  readonly json?: boolean;
}

/** How to train a study; a calibration chooses what is null or missing. */
interface TrainingOptions {
  readonly workers: number | null;
  readonly cohort?: CohortChoice;
}

/** @returns the exit code: 0 every run has a result, 1 some have none, 130 stopped by a signal */
export async function study(programFiles: ProgramFiles, given: string | undefined, asked: StudyOptions): Promise<number> {
  const { file, ...options } = await withPreset(given, asked);
  requireTags("--tag", options.tag);
  const storeDir = storeDirOf(options.store);
  const set = [...options.set, ...seedsAssignment(options.seeds), ...(options.safe ? ["safe=true"] : [])];
  if (options.resume !== undefined) {
    const other = file ?? options.preset ?? set[0] ?? (options.extend === undefined ? undefined : `--extend ${options.extend}`) ?? (options.on === undefined ? undefined : `--on ${withoutPassword(options.on)}`);
    if (other !== undefined) throw new UserError(`--resume continues the study unchanged; "${other}" cannot be combined with it`);
    return withStore(programFiles, storeDir, async (services) => {
      const id = await findStudy(services, options.resume!);
      return followWith(services, () => services.handlers[options.retry ? "studies.retry" : "studies.resume"]({ study: id }), options);
    });
  }
  if (options.retry) throw new UserError("--retry needs a study: --resume ID --retry");
  if (options.extend !== undefined) {
    const flags = { "--dry-run": options.dryRun, "--workers": options.workers, "--cohort": options.cohort, "--on": options.on, "--unit-minutes": options.unitMinutes };
    const other = file ?? options.preset ?? Object.entries(flags).find(([, value]) => value !== undefined)?.[0];
    if (other !== undefined) throw new UserError(`--extend takes only --set and --seeds; "${other}" cannot be combined with it`);
    if (set.length === 0) throw new UserError("--extend needs an addition, such as --seeds 5 or --set axes.0.values.points=21");
    return withStore(programFiles, storeDir, async (services) => {
      const id = await findStudy(services, options.extend!);
      const { study: input } = await services.handlers["studies.get"]({ study: id });
      const definition = await loadStudy({ store: options.store, given: { input, origin: `the study ${id}` }, set });
      return followWith(services, () => services.handlers["studies.extend"]({ study: id, definition }), options);
    });
  }
  const definition = await loadStudy({ file, store: options.store, preset: options.preset, set });
  const running = { workers: options.workers ?? null, ...(options.cohort !== undefined && { cohort: options.cohort }) };
  // Report contradictions before a store is opened or created.
  const expansion = expandStudy(definition);
  if (!expansion.ok) throw new UserError("The study is not valid:", expansion.errors);
  const at = { ...(options.on !== undefined && { on: options.on }), ...(options.unitMinutes !== undefined && { unitTime: options.unitMinutes * 60_000 }) };
  const services = await openServices(programFiles, storeDir);
  const start = async () => {
    const started = await services.handlers["studies.start"]({ study: definition, ...running, ...at });
    if (options.tag.length > 0) await services.handlers["studies.tag"]({ studies: [started.id], add: [...new Set(options.tag)], remove: [] });
    return started;
  };
  if (!options.json) printEngineProgress(services);
  return closing(services, () =>
    options.dryRun ? dryRun(services, definition, running, options) : followWith(services, start, options),
  );
}

/** A name that is no file but a preset stands for the preset; `--quick` for its quick edition. */
async function withPreset(given: string | undefined, { quick, ...options }: StudyOptions): Promise<StudyOptions & { readonly file?: string | undefined }> {
  const isPreset = given !== undefined && options.preset === undefined && studyPresetNames.includes(given) && !(await stat(given).catch(() => null));
  const preset = isPreset ? given : options.preset;
  if (!quick) return isPreset ? { ...options, preset: given } : { ...options, file: given };
  const edition = preset && quickEdition(preset);
  if (!edition) {
    const known = studyPresetNames.filter(quickEdition).join(", ");
    throw new UserError(`--quick needs a preset with a quick edition${preset === undefined ? "" : `, and ${preset} has none`}; allowed: ${known}`);
  }
  return isPreset ? { ...options, preset: edition } : { ...options, preset: edition, file: given };
}

/** `3` means the seeds 0, 1, 2; `0,4,7` means these seeds. */
function seedsAssignment(seeds: string | undefined): string[] {
  if (seeds === undefined) return [];
  if (!/^\d+(,\d+)*$/.test(seeds) || seeds === "0") throw new UserError(`--seeds ${seeds}: expected a number of seeds, such as 3, or a list of them, such as 0,4,7`);
  const list = seeds.includes(",") ? seeds.split(",").map(Number) : Array.from({ length: Math.min(Number(seeds), 1_001) }, (_, seed) => seed);
  return [`seeds=${JSON.stringify(list)}`];
}

const reportFor = ({ json, stepEvents = defaultStepEvents }: StudyOptions) => (json ? jsonReport(process, stepEvents) : textReport());

/** Follows a study and, with --json, the steps of its runs. */
function followWith(services: Services, begin: () => StudySummary | Promise<StudySummary>, options: StudyOptions): Promise<number> {
  return follow(services, begin, reportFor(options), options.json ? new StepFeed(services, options.stepEvents) : undefined);
}

/** Prints the runs, and estimates of their time and disk space. Trains only a few steps, to measure. */
async function dryRun(services: Services, study: Study, running: TrainingOptions, { json = false, on = local }: StudyOptions): Promise<number> {
  const name = await services.fleets.nameToStore(on);
  const estimate = await services.handlers["studies.estimate"]({ study, ...running });
  const expansion = expandStudy(study);
  const cells = expansion.ok ? expansion.cells : [];
  if (json) {
    for (const { experiment: _experiment, source, ...cell } of cells) console.log(JSON.stringify({ type: "cell", ...cell, ...(source && { rerunOf: source.key }) }));
    console.log(JSON.stringify({ type: "estimate", ...estimate, ...(name !== local && (await fleetEstimate(services, name, estimate))) }));
    return exitCodes.ok;
  }
  console.log(cellsTable(study, cells));
  console.log("");
  const took = estimate.duration === null ? "no step could be measured" : `about ${formatDuration(estimate.duration)}`;
  const free = estimate.diskFree === null ? "" : ` of ${formatBytes(estimate.diskFree)} free`;
  const together = estimate.cohort === 1 ? "" : ` in cohorts of ${estimate.cohort}`;
  console.log(`${plural(estimate.runs, "run")}${together}, ${estimate.workers} at a time with ${plural(estimate.threads, "thread")} each: ${took}, ${formatBytes(estimate.disk)} on disk${free}`);
  if (name !== local) console.log(inWords(await fleetEstimate(services, name, estimate)));
  return exitCodes.ok;
}
