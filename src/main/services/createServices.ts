/** Creates the services: store, supervisor, events, and a handler for every request of the contract. */
import { join } from "node:path";
import type { Handlers } from "../../shared/contract.ts";
import { messageOf } from "../../shared/errors.ts";
import { asNew, validateExperiment } from "../../shared/experiment.ts";
import type { ReportSubject } from "../../shared/reports.ts";
import type { Evaluation, RunSummary } from "../../shared/run.ts";
import type { StudySummary } from "../../shared/study/result.ts";
import { damageText } from "../../shared/verification.ts";
import { IntegrityMonitor } from "../store/integrityMonitor.ts";
import { StoreError } from "../store/errors.ts";
import { applyRequestedRestore } from "../store/backup/restore.ts";
import { BackupSchedule } from "../store/backup/schedule.ts";
import { storeFileName } from "../store/database.ts";
import { consoleLog, type Log } from "../store/log.ts";
import { Store, type StoreOptions } from "../store/store.ts";
import { Storage } from "./storage/storage.ts";
import { Studies } from "../studies/studies.ts";
import { networksFolder } from "../../core/networks/folder.ts";
import { CheckpointFolder } from "../hosting/checkpoint/folder.ts";
import { Coordinator, type CoordinatorOptions } from "../fleet/coordinator/coordinator.ts";
import { openFleet } from "../fleet/index.ts";
import { fingerprintsOf } from "../archives/fingerprints.ts";
import { Machine, type MachineOptions } from "../hosting/machine.ts";
import { Supervisor } from "../hosting/supervisor.ts";
import type { WatchdogOptions } from "../hosting/watchdog.ts";
import { WeightsFolder } from "../hosting/weights/folder.ts";
import { Archives, importIntoStore } from "./archives.ts";
import { Datasets } from "./datasets.ts";
import { Engines } from "./engines.ts";
import { Batches, Events, Throttle } from "./events.ts";
import { Extras } from "./extras.ts";
import { listPresets, usableExperiment, withNetworkFacts, type DatasetCatalog, type Inputs } from "./experiments.ts";
import { exporter } from "./exports.ts";
import { fleetHandlers } from "./fleetHandlers.ts";
import { fleetServices } from "./fleets.ts";
import { record } from "../logs/hostLog.ts";
import { onLastResort } from "./lastResort.ts";
import { ImportedRuns } from "./importedRuns.ts";
import { Networks } from "./networks.ts";
import { beginFrom } from "./startingWeights.ts";
import { describeSupport, supportFile, supportFiles } from "./logs.ts";
import { Updates, type UpdateSource } from "./updates/index.ts";
import { Predictions } from "./predictions.ts";
import { Reports } from "./reports.ts";
import { Runs } from "./runs.ts";
import { closeStore, copyStore, rescueStore, StoreHealth } from "./storeHealth.ts";
import { UserError, type ServiceOptions, type Services } from "./services.ts";
import { userError, withUserErrors } from "./userErrors.ts";
import { Verification } from "./verification.ts";

/** Minimum milliseconds between two events of a run: `run.changed`, `run.evaluated`, `run.kept`. */
const changeInterval = 250;
const evaluationInterval = 500;
const weightsInterval = 1_000;
const fleetInterval = 1_000;

/** Options that only tests and benchmarks set. */
export interface ServiceExtras {
  readonly datasets?: DatasetCatalog;
  readonly log?: Log;
  /** Milliseconds between checkpoints of a run. */
  readonly checkpointEvery?: number;
  /** Engines to choose from, and how to launch and measure them. */
  readonly engines?: MachineOptions["engines"];
  /** How long a trainer may be silent. */
  readonly watch?: WatchdogOptions;
  /** Maximum number of runs trained at the same time. */
  readonly places?: number;
  /** Further options of the store. */
  readonly storeOptions?: Pick<StoreOptions, "busyTimeout" | "busyGrace" | "machine" | "beatEvery" | "ownerPollEvery" | "spillFolders" | "watchEvery">;
  /** Called with the runs whose rows or state were just committed. */
  readonly onCommit?: StoreOptions["onCommit"];
  /** Free bytes on the disk of a file. */
  readonly freeBytes?: (file: string) => Promise<number>;
  /** Where updates come from; by default what this build carries. */
  readonly updates?: UpdateSource | null;
  /** Opens fleets by their names. */
  readonly openFleet?: CoordinatorOptions["open"];
  /** How often fleets are asked for news, and in which portions. */
  readonly fleet?: Pick<CoordinatorOptions, "lookEvery" | "moment" | "segments">;
}

/** @throws UserError when the store cannot be opened; it names the path and what is wrong. */
export async function createServices(options: ServiceOptions, extras: ServiceExtras = {}): Promise<Services> {
  const { log = consoleLog } = extras;
  const events = new Events((error) => log.error("a listener to an event failed", error));
  const throttle = new Throttle<RunSummary>(changeInterval, (run) => events.emit("run.changed", run));
  const evaluated = new Batches<Evaluation>(evaluationInterval, (run, evaluations) => events.emit("run.evaluated", { run, evaluations }));
  const weightsThrottle = new Throttle<{ readonly id: string }>(weightsInterval, ({ id }) => events.emit("run.kept", { run: id }));
  const fleetThrottle = new Throttle<{ readonly id: string }>(fleetInterval, () => events.emit("fleets.changed", {}));
  const studyThrottle = new Throttle<StudySummary>(changeInterval, (study) => events.emit("study.changed", study));
  const library = new Datasets({
    onChange: (change) => events.emit("dataset.changed", change),
    onImporting: (progress) => events.emit("dataset.importing", progress),
    launch: options.launchImporter,
    log,
  });
  const datasetCatalog = extras.datasets ?? library;
  const restored = applyRestore(options.storeDir);
  if (restored !== null) log.warn(restored);
  const store = openStore(options.storeDir, {
    ...extras.storeOptions,
    onCommit: extras.onCommit,
    log,
    onForeignChange: (changes) => {
      const foreign = runs.foreign(changes.runs);
      if (foreign.length > 0) events.emit("runs.listed", foreign);
      for (const study of studies.readable(changes.studies)) studyThrottle.push(study, false);
      const foreignStudies = changes.studies.filter((id) => !studies.isHere(id));
      if (foreign.length + foreignStudies.length > 0) events.emit("store.changed", { runs: foreign.map(({ id }) => id), studies: foreignStudies });
    },
    onRunFailure: (run, error) => {
      log.error(`what run ${run} logged cannot be written and was dropped`, error);
      supervisor.unwritable(run, messageOf(error));
    },
    onLeaseLost: (run, dropped) => supervisor.leaseLost(run, dropped),
    onWriteFailure: (error) => health.writing(messageOf(error)),
    onWriteRecovery: () => health.writing(null),
    onFileState: (state) => health.fileIs(state),
  });
  const networks = new Networks({ store, folder: options.storeDir, launch: options.launchImporter, onChange: () => events.emit("networks.changed", {}) });
  const datasets: Inputs = { problem: (dataset) => datasetCatalog.problem(dataset), list: () => datasetCatalog.list(), networks };
  const health = new StoreHealth({
    path: store.path,
    hold: (reason) => {
      studies.hold(reason);
      supervisor.holdAll(reason);
    },
    release: (because) => {
      // The studies first: their workers decide how many runs may train.
      studies.release();
      supervisor.releaseAll(because);
    },
    onChange: (problem) => {
      log.warn(problem ? problem.message : `${store.path} can be used again; what was paused for it resumes.`);
      events.emit("store.problem", { problem });
    },
  }, store.readOnly);
  /** Goes on where the store fails: the writer reports that, and retries. */
  const unlessStoreFails = (what: string, work: () => void): void => {
    try {
      work();
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      log.warn(`${what}: ${error.message}`);
    }
  };
  const integrity =
    options.launchCheck && store.readOnly === null
      ? new IntegrityMonitor({ path: store.path, log, launch: options.launchCheck, onDamage: (message) => events.emit("store.damaged", { message }) })
      : undefined;
  const backups =
    options.launchTask && store.readOnly === null ? new BackupSchedule({ path: store.path, log, launch: options.launchTask, onBackup: () => storage.backedUp() }) : undefined;
  const machine = new Machine({
    launch: options.launchTrainer,
    networks: networksFolder(options.storeDir),
    store,
    version: options.version,
    onWorking: (working) => events.emit("engines.working", working),
    places: extras.places,
    engines: extras.engines,
  });
  const engines = new Engines(machine, datasets);
  const optional = new Extras({
    onWorking: (working) => events.emit("extras.working", { working }),
    runScript: options.runScript,
    recheck: async (kinds) => {
      for (const kind of kinds) await engines.retry(kind, undefined);
    },
  });
  const supervisor: Supervisor = new Supervisor({
    machine,
    log: store,
    storeFolder: options.storeDir,
    checkpointEvery: extras.checkpointEvery,
    watch: extras.watch,
    wanted: () => studies.workers,
    onChange: (run, atOnce) => {
      // Who hears of a run's end knows its evaluations.
      if (atOnce) evaluated.flush(run.id);
      throttle.push(run, atOnce);
      if (run.status === "failed") record("error", `run ${run.id} failed: ${run.reason ?? "for no known reason"}`, { engine: run.experiment.engine.kind, steps: run.steps });
      studies.runChanged(run);
    },
    onEvaluation: (run, evaluation) => {
      evaluated.add(run, evaluation);
      studies.runEvaluated(run, evaluation);
    },
    onEngineFailure: ({ id, experiment }, reason, kind) => {
      record("error", `run ${id}: its engine failed: ${reason}`, { engine: experiment.engine.kind, kind });
      // The memory may still suffice for another program, so only this experiment is excluded.
      if (experiment.engine.kind === "auto") return;
      // A full disk must not end the host; the next failure is stored again.
      machine.engines.failed(experiment.engine.kind, reason, kind === "memory" ? experiment : undefined).catch((error: unknown) => log.error("the failure of an engine could not be stored", error));
    },
    onKept: (id) => weightsThrottle.push({ id }, false),
    onLost: (run, dropped) => unlessStoreFails(`run ${run.id} was taken over`, () => {
      const message = `Another Hypertower process took this run over${dropped === 0 ? "" : `; ${dropped} steps that process ${process.pid} had trained and not written were dropped`}.`;
      log.warn(`run ${run.id}: ${message}`);
      const event = { at: Date.now(), step: run.steps, kind: "takenOver", message };
      store.noteForeign(run.id, event);
      events.emit("run.noted", { run: run.id, event });
      const now = runs.get(run.id);
      throttle.push(now, true);
      studies.runLost(now);
    }),
    onEvent: (run, event) => events.emit("run.noted", { run, event }),
  });
  const coordinator = new Coordinator({
    store,
    storeFolder: options.storeDir,
    version: options.version,
    open: extras.openFleet ?? ((name) => openFleet(name, { storeFolder: options.storeDir, version: options.version, warn: (message) => log.warn(message), launch: options.launchTrainer })),
    filesOf: fingerprintsOf,
    log,
    checkpointEvery: extras.checkpointEvery,
    onChange: () => fleetThrottle.push({ id: "fleets" }, false),
    ...extras.fleet,
  });
  const runs: Runs = new Runs({
    store,
    supervisor,
    datasets,
    engines,
    checkpoints: new CheckpointFolder(options.storeDir),
    onChange: (run) => throttle.push(run, true),
    goesOn: (run) => coordinator.goesOn(run),
  });
  /** Where the runs of a study train, unless on this machine. */
  const placeOf = (study: string | null) => {
    const fleet = study === null ? undefined : store.fleets.ofStudy(study);
    return fleet && coordinator.place({ id: study!, name: store.studies.get(study!)?.name ?? "" }, fleet);
  };

  const studies: Studies = new Studies({
    store,
    controls: {
      start: (experiment, origin, seat) => runs.start(experiment, origin, seat, placeOf(origin.study)),
      resume: (run, seat) => runs.goOn(run, seat, placeOf(runs.get(run).study)),
      unpause: (run) => supervisor.unpause(run),
      cohort: (size) => supervisor.cohort(size),
      pause: (run) => runs.pause(run),
      stop: (run) => runs.stop(run),
      live: (run) => supervisor.get(run) ?? store.pendingRun(run),
      left: (run) => supervisor.left(run),
    },
    machine,
    coordinator,
    check: (experiment) => usableExperiment(experiment, datasets),
    free: extras.freeBytes,
    log,
    onChange: (study, atOnce) => studyThrottle.push(study, atOnce),
    onAdvance: (study, point) => events.emit("study.advanced", { study, point }),
  });
  const importedRuns = new ImportedRuns({
    store,
    launch: options.launchImporter,
    log,
    onRun: (run) => runs.refresh(run),
    onChange: () => events.emit("importedRuns.changed", {}),
    committed: (run) => extras.onCommit?.([run]),
  });
  const moved = (changed: RunSummary[]) => {
    studies.runsDeleted(changed);
    return changed;
  };

  const storage: Storage = new Storage({
    store,
    log,
    launch: options.launchTask,
    backups,
    isBusy: () => supervisor.training > 0,
    resumption: (run) => runs.resumption(run),
    onThinned: (run) => runs.refresh(run),
    onNotices: (notices) => events.emit("storage.noticed", notices),
    onChange: () => events.emit("storage.changed", {}),
  });
  const exports = exporter((id) => runs.get(id), store);
  const predictions = new Predictions({ run: (id) => runs.get(id), weights: new WeightsFolder(options.storeDir), datasets, machine });
  const exportWeights: Services["exportWeights"] = (id, name, format, onnx) => predictions.file(id, name, format, onnx);
  const archives = new Archives({ store, folder: options.storeDir, version: options.version });
  const reports = new Reports({ archives, predictions, run: (id) => runs.get(id), study: (id) => studies.get(id), store, version: options.version });

  const verification = new Verification(store.path);
  const runsOf = (of: ReportSubject) => ("run" in of ? [of.run] : store.listRuns(false, of.study).map(({ id }) => id));

  const filesToSend = () =>
    supportFiles({
      storeDir: options.storeDir,
      version: options.version,
      host: options.host,
      engines: () => engines.list(undefined),
      datasets: async () => (await datasets.list()).filter(({ own }) => own).map(({ title }) => title),
    });

  const updates = new Updates({ version: options.version, folder: join(options.storeDir, "updates"), ...(extras.updates !== undefined && { source: extras.updates }) });

  const fleets = fleetServices(coordinator, studies, { storeFolder: options.storeDir, nameOf: (study) => store.studies.get(study)?.name ?? null });
  const handlers: Handlers = {
    "app.info": () => ({
      version: options.version,
      host: options.host,
      platform: `${process.platform} ${process.arch}`,
      cpu: machine.processor,
      cores: machine.cores,
      storePath: store.path,
      storeDamage: integrity?.damage ?? null,
      storeProblem: health.problem,
    }),
    "datasets.list": () => datasets.list(),
    "datasets.inspect": ({ kind, position }) => library.inspect(kind, position),
    "datasets.download": ({ kind }) => library.download(kind),
    "datasets.stopDownload": ({ kind }) => library.stopDownload(kind),
    "datasets.import": ({ kind, path }) => library.import(kind, path),
    "datasets.remove": ({ kind }) => library.remove(kind),
    "datasets.choose": () => {
      throw new UserError("Only the desktop app can open the system's dialog; type the path.");
    },
    "datasets.preview": ({ path, job }) => library.preview(path, job),
    "datasets.create": ({ order, job }) => library.create(order, job),
    "datasets.stopImport": ({ job }) => {
      library.stopImport(job);
      return null;
    },
    ...importedRuns.handlers(),
    "networks.list": () => networks.list(),
    "networks.get": ({ network }) => networks.get(network),
    "networks.picture": ({ network }) => networks.picture(network),
    "networks.import": (request) => networks.import(request),
    "networks.begin": (request) => beginFrom({ store, folder: options.storeDir, exportWeights, check: (experiment) => usableExperiment(experiment, datasets), onChange: () => events.emit("networks.changed", {}) }, request),
    "networks.rename": ({ network, name }) => networks.rename(network, name),
    "networks.remove": ({ network }) => networks.remove(network),
    "engines.list": ({ experiment }) => engines.list(experiment),
    "engines.calibrate": ({ experiment }) => engines.calibrate(experiment),
    "engines.retry": ({ kind, experiment }) => engines.retry(kind, experiment),
    "extras.list": () => optional.list(),
    "extras.install": ({ name }) => optional.install(name),
    "extras.cancel": () => optional.cancel(),
    "extras.remove": ({ name }) => optional.remove(name),
    "experiments.presets": () => listPresets(),
    "experiments.validate": ({ experiment }) => validateExperiment(asNew(withNetworkFacts(experiment, networks))),
    "experiments.measure": async ({ experiment }) => machine.calibration.measure(await machine.engines.likely(await usableExperiment(experiment, datasets))),
    "runs.start": ({ experiment }) => {
      store.requireWritable();
      return runs.start(experiment);
    },
    "runs.pause": ({ run }) => runs.pause(run),
    "runs.resume": ({ run, fromStart }) => runs.resume(run, fromStart),
    "runs.resumption": ({ run }) => runs.resumption(run),
    "runs.stop": ({ run }) => runs.stop(run),
    "runs.find": ({ prefix, name }) => (name === undefined ? runs.find(prefix) : runs.named(name)),
    "runs.list": ({ deleted, study, ...page }) => runs.list(deleted, study, page),
    "runs.summaries": ({ runs: ids }) => runs.summaries(ids),
    "runs.get": ({ run }) => runs.get(run),
    "runs.rename": ({ run, name }) => runs.rename(run, name),
    "runs.tag": ({ runs: ids, add, remove }) => runs.tag(ids, add, remove),
    "runs.delete": ({ runs: ids }) => moved(runs.delete(ids)),
    "runs.restore": ({ runs: ids }) => moved(runs.restore(ids)),
    "runs.export": async ({ run, format, damagedAnyway }) => {
      if (!damagedAnyway) await verification.requireSound([run], "Choose “Export anyway” to export it with the damage.");
      return exports.text(run, format);
    },
    "runs.verify": ({ run }) => verification.verify(runs.get(run).id),
    "series.read": (query) => runs.readSeries(query),
    "predictions.kept": ({ run }) => predictions.kept(run),
    "predictions.report": ({ run, checkpoint }) => predictions.report(run, checkpoint),
    "predictions.samples": (request) => predictions.samples(request),
    "predictions.text": (request) => predictions.text(request),
    "predictions.reading": (request) => predictions.reading(request),
    "studies.presets": () => studies.presets(),
    "studies.validate": ({ study }) => studies.validate(study),
    "studies.estimate": async ({ study, workers, cohort }) => studies.estimate((await engines.ofStudy(study, "known")).study, workers, cohort),
    "studies.start": async ({ study, workers, cohort, on, unitTime }) => {
      store.requireWritable();
      const { study: named, why } = await engines.ofStudy(study, "measured");
      return studies.start(named, workers, cohort, why, { on: on === undefined ? undefined : await fleets.nameToStore(on), unitTime });
    },
    "studies.pause": ({ study }) => studies.pause(study),
    "studies.resume": ({ study }) => studies.resume(study),
    "studies.stop": ({ study }) => studies.stop(study),
    "studies.extend": ({ study, definition }) => studies.extend(study, definition),
    "studies.retry": ({ study }) => studies.retry(study),
    "studies.list": ({ deleted }) => studies.list(deleted),
    "studies.get": ({ study }) => studies.get(study),
    "studies.rename": ({ study, name }) => studies.rename(study, name),
    "studies.tag": ({ studies: ids, add, remove }) => studies.tag(ids, add, remove),
    "studies.delete": ({ studies: ids, withRuns }) => studies.delete(ids, withRuns),
    "studies.restore": ({ studies: ids }) => studies.restore(ids),
    "reports.describe": async (request) => {
      const described = await reports.describe(request);
      const damage = await verification.damage(runsOf(request.of));
      return damage.length === 0 ? described : { ...described, remarks: [`The log is damaged. ${damageText(damage)}`, ...described.remarks] };
    },
    "store.saveCopy": () => copyStore(store, health),
    "reports.file": (request) => reports.address(request),
    "logs.describe": async () => describeSupport(await filesToSend()),
    "archives.import": ({ path }) => importIntoStore(path, options.storeDir),
    ...storage.handlers(),
    ...fleetHandlers(fleets),
    "updates.check": () => updates.check(),
    "updates.download": ({ name }) => updates.download(name),
    "studies.trajectories": ({ study, metric, maxPoints }) => studies.trajectories(study, metric, maxPoints),
  };

  const forgetLastResort = onLastResort((why) => rescueStore(store, supervisor.active, why));
  let closed: Promise<void> | undefined;
  return {
    handlers: withUserErrors(handlers),
    on: (name, listener) => events.on(name, listener),
    exportRun: exports.file,
    exportWeights,
    reportFile: (request) => reports.file(request),
    comparisonPicture: (ids, format, settings) => reports.comparison(ids, format, settings),
    supportFile: async () => supportFile(await filesToSend()),
    supportFiles: () => filesToSend(),
    erased: () => storage.settled(),
    requireSound: (of) => verification.requireSound(runsOf(of), "To export it with the damage, add --damaged-anyway."),
    writeReport: (of, folder, settings, writing) => reports.write(of, folder, settings, writing),
    exportArchive: (of, onRemark) => archives.file(of, onRemark),
    readSteps: (run, from) => store.readSteps(run, from),
    settled: () => store.settle(),
    training: () => supervisor.training,
    fleets,
    isClosing: () => closed !== undefined,
    close: () =>
      (closed ??= (async () => {
        try {
          integrity?.close();
          machine.stopMeasuring();
          studies.close();
          importedRuns.close();
          predictions.close();
          await optional.cancel();
          await Promise.all([supervisor.close(), library.close(), coordinator.close()]);
        } finally {
          await machine.close();
          evaluated.close();
          weightsThrottle.close();
          studyThrottle.close();
          fleetThrottle.close();
          throttle.close();
          backups?.stop();
          storage.close();
          const { written } = store;
          await closeStore(store).finally(forgetLastResort);
          await backups?.afterEnd(written);
        }
      })()),
  };
}

/** Restores the backup that a person has chosen before the start. Returns what was done, for people. @throws UserError */
function applyRestore(storeDir: string): string | null {
  try {
    const done = applyRequestedRestore(join(storeDir, storeFileName));
    return done && `Restored the backup ${done.backup.name}; the files it replaces are in ${done.setAside}.`;
  } catch (error) {
    throw userError(error);
  }
}

function openStore(...parameters: ConstructorParameters<typeof Store>): Store {
  try {
    return new Store(...parameters);
  } catch (error) {
    throw userError(error);
  }
}
