/** Whether a worker can train a unit to the numbers that its study asks for, and why not. */
import { createHash } from "node:crypto";
import { closeSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { plural } from "../../../shared/text.ts";
import { catalogEntry } from "../../../shared/catalog/index.ts";
import { engineFacts, type EngineKind } from "../../../shared/engines.ts";
import { messageOf } from "../../../shared/errors.ts";
import type { Unit } from "../../../shared/fleet/unit.ts";
import type { WorkerMachine } from "../../../shared/fleet/worker.ts";
import { packedEnding } from "../../../core/datasets/digest.ts";
import { folderOf, keptPath } from "../../../core/datasets/files.ts";
import { dataFolder } from "../../../core/folders/folder.ts";

export interface Abilities {
  readonly machine: WorkerMachine;
  readonly problems?: ReadonlyMap<EngineKind, string>;
  /** Folder of downloaded and imported datasets. */
  readonly data?: string;
}

/** Returns why the machine cannot train a unit; null where it can. Reads each file of a dataset once, at the first unit that needs it. */
export function abilityCheck({ machine, problems, data = dataFolder() }: Abilities): (unit: Pick<Unit, "needs">) => string | null {
  const { hypertower } = machine.versions;
  return ({ needs }) => {
    if (needs.hypertower !== hypertower) return `it was made by Hypertower ${needs.hypertower}, and this is ${hypertower}: other versions may compute other last digits; install ${needs.hypertower} here`;
    const engine = machine.engines.find(({ kind }) => kind === needs.engine);
    if (!engine) return `it needs the engine ${engineFacts[needs.engine].title} (${needs.engine}), which does not work here: ${problems?.get(needs.engine) ?? "it was not tried"}`;
    if (needs.threads > machine.cores) return `it needs ${plural(needs.threads, "thread")}, and this machine gives it ${plural(machine.cores, "core")}`;
    return datasetProblem(needs.dataset, data);
  };
}

/** Digests by path and algorithm; `stamp` is the file's size and modification time when it was read. */
const digests = new Map<string, { readonly stamp: string; readonly digest: string }>();

function datasetProblem({ kind, title, files }: Unit["needs"]["dataset"], data: string): string | null {
  const entry = catalogEntry(kind);
  for (const { name, digest } of files) {
    let path = join(data, kind, name);
    try {
      // Names come from elsewhere: none may lead out of the dataset's folder.
      if (/(^|[\\/])\.\.([\\/]|$)/.test(`${kind}/${name}`)) return `its dataset names the file ${JSON.stringify(name)}, which is outside the dataset's folder`;
      path = entry ? keptPath(folderOf(entry, data), name) : path;
      const here = digestOf(path, digest.split(":")[0]!, path.endsWith(packedEnding) && !name.endsWith(packedEnding));
      if (here !== digest) return `the file ${path} of the dataset ${title} is not the one of the study: its checksum is ${here} instead of ${digest}`;
    } catch (error) {
      const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
      return `the dataset ${title} is not here: ${path} ${missing ? "is missing" : `cannot be read: ${messageOf(error)}`}; put the dataset there (hypertower datasets, --data names another folder)`;
    }
  }
  return null;
}

/** `algorithm:hexadecimal` of a file, or of what is packed in it. Reads at once, before anything trains. */
function digestOf(path: string, algorithm: string, isPacked: boolean): string {
  if (algorithm !== "sha256" && algorithm !== "md5") throw new Error(`checksums of the kind ${algorithm} are not known`);
  const { size, mtimeMs } = statSync(path);
  const stamp = `${size} ${mtimeMs}`;
  const key = `${algorithm} ${isPacked} ${path}`;
  const known = digests.get(key);
  if (known?.stamp === stamp) return known.digest;
  const hash = createHash(algorithm);
  if (isPacked) hash.update(gunzipSync(readFileSync(path)));
  else {
    const file = openSync(path, "r");
    try {
      const piece = Buffer.alloc(1 << 20);
      for (let read = readSync(file, piece); read > 0; read = readSync(file, piece)) hash.update(piece.subarray(0, read));
    } finally {
      closeSync(file);
    }
  }
  const digest = `${algorithm}:${hash.digest("hex")}`;
  digests.set(key, { stamp, digest });
  return digest;
}
