/** Takes weights of a file or a run into a store, for runs that begin from them. */
import { rmSync } from "node:fs";
import { basename } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { messageOf } from "../../shared/errors.ts";
import type { Experiment } from "../../shared/experiment.ts";
import { dataShape } from "../../shared/models/data.ts";
import { tiedNames } from "../../shared/models/tied.ts";
import type { BeginRequest, Beginning } from "../../shared/networks.ts";
import { encodeNetwork, hashOf } from "../../core/networks/file.ts";
import { networksFolder } from "../../core/networks/folder.ts";
import { modelOf } from "../../core/networks/model.ts";
import { placeNetwork, writePending } from "../../core/networks/stored.ts";
import { weightsFacts, weightsNetwork } from "../../core/networks/weightsOnly.ts";
import { matchWeights } from "../../core/weights/match.ts";
import type { Store } from "../store/store.ts";
import { UserError, type Services } from "./services.ts";
import { readWeightsFile, weightsIn, type WeightsFile } from "./weightsFile.ts";

export interface StartingOptions {
  readonly store: Pick<Store, "networks" | "requireWritable">;
  /** Folder of the store. */
  readonly folder: string;
  readonly exportWeights: Services["exportWeights"];
  readonly check: (experiment: unknown) => Promise<Experiment>;
  readonly onChange: () => void;
}

/** Keeps what of the file the experiment's model can begin from. @throws UserError saying what does not fit; nothing is kept then */
export async function beginFrom({ store, folder, exportWeights, check, onChange }: StartingOptions, { experiment: given, from, partial, byShape }: BeginRequest): Promise<Beginning> {
  store.requireWritable();
  const experiment = await check(given);
  const named = "path" in from ? from.path : `run ${from.run}`;
  try {
    const { sha256, arrays: found } = "path" in from ? await readWeightsFile(from.path) : await ofRun(exportWeights, from.run);
    const data = dataShape(experiment);
    const model = await modelOf(experiment.model, data, networksFolder(folder));
    const wanted = [...model.parameters, ...model.buffers.filter(({ role }) => role === "statistics")];
    const { arrays, fresh, remarks } = matchWeights(found, { wanted, tied: tiedNames(experiment.model, data), partial, byShape });
    const network = weightsNetwork(arrays);
    const file = encodeNetwork(network);
    const stored = hashOf(file);
    const name = "path" in from ? basename(from.path).slice(0, 100) : named.slice(0, 100);
    const pending = writePending(folder, stored, [file]);
    try {
      store.networks.add({ hash: stored, name, source: named, producer: "", bytes: file.length, createdAt: Date.now(), facts: weightsFacts(name, network.description) }, () => placeNetwork(folder, stored, pending));
    } catch (error) {
      rmSync(pending, { force: true });
      throw error;
    }
    onChange();
    return { weights: { stored, sha256, file: name, given: arrays.map((one) => one.name), fresh: [...fresh] }, remarks: [...remarks] };
  } catch (error) {
    throw new UserError(`The run cannot begin from ${named}: ${messageOf(error)}.`, undefined, { cause: error });
  }
}

async function ofRun(exportWeights: StartingOptions["exportWeights"], run: string): Promise<WeightsFile> {
  const { pieces } = await exportWeights(run, "last", "safetensors");
  return weightsIn(await buffer(Readable.from(pieces)), `run ${run}`);
}
