/** Checksums of the files of datasets, by which data found elsewhere can be recognized. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { catalogEntry } from "../../shared/catalog/index.ts";
import { dataFolder } from "../../core/folders/folder.ts";
import { checksumsName } from "../../core/datasets/ownChecksums.ts";

export interface Fingerprint {
  readonly name: string;
  /** `algorithm:hexadecimal`. */
  readonly digest: string;
}

const ownPrefix = "own/";

/** Of published data as it is published, of own data as it was imported here; empty where that is not known. */
export function fingerprintsOf(kind: string): Fingerprint[] {
  const files = catalogEntry(kind)?.files;
  if (files) return (files.from === "archives" ? files.archives.flatMap(({ contents }) => contents) : files.files).map(({ name, digest }) => ({ name, digest }));
  if (!kind.startsWith(ownPrefix) || !/^[\w-]+$/.test(kind.slice(ownPrefix.length))) return [];
  try {
    const sums = z.record(z.string(), z.string()).parse(JSON.parse(readFileSync(join(dataFolder(), kind, checksumsName), "utf8")));
    return Object.entries(sums).map(([name, digest]) => ({ name, digest: `sha256:${digest}` }));
  } catch {
    // The data is not here, or of a version without checksums.
    return [];
  }
}
