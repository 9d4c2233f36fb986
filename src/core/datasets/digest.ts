/** Telling whether a file is the one that was published. */
import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import type { Digest, KeptFile } from "../../shared/catalog/entry.ts";
import { chunksOf } from "./chunks.ts";

/** A hash that can be fed while bytes go by. */
export function hasher(like: Digest) {
  const [algorithm] = like.split(":") as [string];
  const hash = createHash(algorithm);
  return {
    update: (bytes: Uint8Array) => void hash.update(bytes),
    digest: (): Digest => `${algorithm}:${hash.digest("hex")}` as Digest,
  };
}

/** What was found of files, by path: with their size and time of change at the check, which may be under way. */
const checks = new Map<string, { readonly stamp: string; readonly problem: Promise<string | null> }>();

/** Why a kept file cannot be used, naming it; null when it is there and has its digest. Unchanged files are hashed once a process. */
export async function fileProblem(path: string, file: KeptFile): Promise<string | null> {
  const found = await stat(path).catch(() => null);
  if (!found) return `${path} is missing`;
  if (found.size !== file.bytes) return `${path} has ${found.size} bytes instead of ${file.bytes}`;
  const stamp = `${found.size} ${found.mtimeMs} ${file.digest}`;
  const known = checks.get(path);
  if (known?.stamp === stamp) return known.problem;
  const problem = digestProblem(path, file);
  checks.set(path, { stamp, problem });
  // What could not be read, or is damaged, may be another file next time without another time of change.
  const forget = () => checks.get(path)?.problem === problem && checks.delete(path);
  problem.then((found) => found !== null && forget(), forget);
  return problem;
}

async function digestProblem(path: string, file: KeptFile): Promise<string | null> {
  const hash = hasher(file.digest);
  for await (const piece of chunksOf(path)) hash.update(piece);
  const digest = hash.digest();
  if (digest !== file.digest) return `${path} is damaged: its checksum is ${digest}, expected ${file.digest}`;
  return null;
}
