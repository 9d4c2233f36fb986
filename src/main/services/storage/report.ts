/** What takes the space of a store. */
import { dirname, join } from "node:path";
import { isResumable, runStatus } from "../../../shared/run.ts";
import type { RunSpace, StorageReport } from "../../../shared/storage.ts";
import { dataFolder } from "../../../core/folders/folder.ts";
import { networksFolder } from "../../../core/networks/folder.ts";
import { BackupFolder } from "../../store/backup/folder.ts";
import { diskSpace } from "../../store/disk.ts";
import type { Inspection } from "../../store/inspection.ts";
import { bytesIn, runFiles, totalBytes, type RunFile } from "./files.ts";

/** Runs in the list of the largest. */
const listedRuns = 20;

const canResume = (status: string) => runStatus.safeParse(status).success && isResumable(runStatus.parse(status));

export async function storageReport(storeFile: string, inspection: Inspection): Promise<StorageReport> {
  const folder = dirname(storeFile);
  const backups = new BackupFolder(storeFile);
  const [checkpoints, weights, networks, datasets, setAside] = await Promise.all([
    runFiles(join(folder, "checkpoints"), ".checkpoint"),
    runFiles(join(folder, "weights"), ".weights"),
    bytesIn(networksFolder(folder)),
    bytesIn(dataFolder()),
    bytesIn(join(folder, "set-aside")),
  ]);
  const used = inspection.bytes + inspection.log - inspection.unused;
  const values = inspection.runs.reduce((sum, run) => sum + run.values, 0);
  const [checkpointOf, weightsOf] = [bytesByRun(checkpoints), bytesByRun(weights)];
  const runs = inspection.runs.map(({ id, name, status, steps, inBin, values: own, thinnedTo }): RunSpace => ({
    run: id,
    name,
    status,
    inBin: inBin === 1,
    steps,
    log: values === 0 ? 0 : Math.round((used * own) / values),
    checkpoint: checkpointOf.get(id) ?? 0,
    weights: weightsOf.get(id) ?? 0,
    thinnedTo,
  }));
  const inBin = runs.filter((run) => run.inBin);
  const list = backups.list();
  return {
    folder,
    ...diskSpace(folder),
    bytes: {
      log: used,
      unused: inspection.unused,
      checkpoints: totalBytes(checkpoints),
      weights: totalBytes(weights),
      networks,
      datasets,
      backups: totalBytes(list),
      setAside,
      bin: inBin.reduce((sum, run) => sum + bytesOf(run), 0),
    },
    bin: { runs: inBin.length, studies: inspection.binnedStudies, steps: inBin.reduce((sum, { steps }) => sum + steps, 0) },
    unusedNetworks: inspection.unusedNetworks,
    resumable: runs.filter(({ status, checkpoint }) => checkpoint > 0 && canResume(status)).length,
    largest: runs.sort((a, b) => bytesOf(b) - bytesOf(a)).slice(0, listedRuns),
    backups: list,
    settings: backups.settings(),
  };
}

export const bytesOf = ({ log, checkpoint, weights }: RunSpace): number => log + checkpoint + weights;

function bytesByRun(files: readonly RunFile[]): Map<string, number> {
  const bytes = new Map<string, number>();
  for (const file of files) bytes.set(file.run, (bytes.get(file.run) ?? 0) + file.bytes);
  return bytes;
}
