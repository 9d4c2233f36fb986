/** Checks files against their published checksums. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { messageOf } from "../../shared/errors.ts";
import type { Digest, KeptFile } from "../../shared/catalog/entry.ts";
import { chunksOf } from "./chunks.ts";

/** Ending of a file packed by gzip; its size and digest are those of its contents. */
export const packedEnding = ".gz";

/** An incremental hash with the algorithm of `expected`. */
export function hasher(expected: Digest) {
  const [algorithm] = expected.split(":") as [string];
  const hash = createHash(algorithm);
  return {
    update: (bytes: Uint8Array) => void hash.update(bytes),
    digest: (): Digest => `${algorithm}:${hash.digest("hex")}` as Digest,
  };
}

/** Results of checks by path, some still running; `stamp` is the file's size and modification time at the check. */
const checks = new Map<string, { readonly stamp: string; readonly problem: Promise<string | null> }>();

/** Why a kept file cannot be used, naming it; null when it is there and has its digest. Unchanged files are hashed once a process. */
export async function fileProblem(path: string, file: KeptFile): Promise<string | null> {
  const found = await stat(path).catch(() => null);
  if (!found) return `${path} is missing`;
  if (!isPacked(path, file) && found.size !== file.bytes) return `${path} has ${found.size} bytes instead of ${file.bytes}`;
  const stamp = `${found.size} ${found.mtimeMs} ${file.digest}`;
  const known = checks.get(path);
  if (known?.stamp === stamp) return known.problem;
  const problem = digestProblem(path, file);
  checks.set(path, { stamp, problem });
  // A file that failed may be replaced by one with the same size and modification time: check it again.
  const forget = () => checks.get(path)?.problem === problem && checks.delete(path);
  problem.then((found) => found !== null && forget(), forget);
  return problem;
}

const isPacked = (path: string, { name }: KeptFile) => path.endsWith(`${name}${packedEnding}`);

async function digestProblem(path: string, file: KeptFile): Promise<string | null> {
  const hash = hasher(file.digest);
  try {
    const add = async (pieces: AsyncIterable<Uint8Array>) => {
      for await (const piece of pieces) hash.update(piece);
    };
    await (isPacked(path, file) ? pipeline(createReadStream(path), createGunzip(), add) : add(chunksOf(path)));
  } catch (error) {
    if (!isPacked(path, file)) throw error;
    return `${path} is damaged: it cannot be unpacked (${messageOf(error)})`;
  }
  const digest = hash.digest();
  if (digest !== file.digest) return `${path} is damaged: its checksum is ${digest}, expected ${file.digest}`;
  return null;
}
