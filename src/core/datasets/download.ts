/** Downloads one file from several mirrors, resumes partial downloads, and checks the file before it gets its name. */
import { createReadStream } from "node:fs";
import { open, rename, rm, stat, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { messageOf } from "../../shared/errors.ts";
import type { Archive, Digest } from "../../shared/catalog/entry.ts";
import { createFolder } from "../durable/folders.ts";
import { hasher } from "./digest.ts";

export interface DownloadOptions {
  readonly signal?: AbortSignal;
  /** Called with the number of bytes downloaded so far. */
  readonly onProgress?: (bytes: number) => void;
  /** Replaces the network in tests. */
  readonly fetch?: typeof fetch;
  /** Milliseconds without data after which a mirror is abandoned. */
  readonly silentFor?: number;
}

/** A file to download; without a digest, only its size is checked. */
export interface DownloadedFile extends Pick<Archive, "name" | "bytes" | "mirrors"> {
  readonly digest: Digest | null;
}

/** fetch() names the reason only in the cause of its error. */
const reasonOf = (error: unknown) => (error instanceof Error && error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : messageOf(error));

/** @throws Error when the disk of `folder` has less than `bytes` free */
export async function requireSpace(folder: string, bytes: number): Promise<void> {
  await createFolder(folder);
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  if (free < bytes) throw new Error(`${folder}: ${Math.ceil(bytes / 2 ** 20)} MiB are needed, the disk has ${Math.floor(free / 2 ** 20)} MiB free`);
}

/**
 * Downloads an archive to `path`, resuming what an earlier attempt left in `path.part`.
 * @throws Error naming every mirror and its failure; `path` is unchanged then
 */
export async function download(archive: DownloadedFile, path: string, options: DownloadOptions = {}): Promise<void> {
  const part = `${path}.part`;
  if (archive.mirrors.length === 0) throw new Error(`${archive.name} has no mirror; import a copy of it`);
  const failures: string[] = [];
  for (const mirror of archive.mirrors) {
    try {
      await requireSpace(dirname(path), archive.bytes);
      await fetchInto(part, mirror, archive, options);
      await requireDigest(part, mirror, archive);
      await rename(part, path);
      return;
    } catch (error) {
      if (options.signal?.aborted) throw new Error(`the download of ${archive.name} was stopped; download it again to resume`, { cause: error });
      failures.push(`${mirror}: ${reasonOf(error)}`);
    }
  }
  throw new Error(`${archive.name} could not be downloaded.\n${failures.join("\n")}`);
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => null))?.size ?? 0;
}

async function fetchInto(part: string, mirror: string, archive: DownloadedFile, options: DownloadOptions): Promise<void> {
  const { signal, onProgress = () => undefined, fetch: request = fetch, silentFor = 30_000 } = options;
  const had = await sizeOf(part);
  if (had === archive.bytes) return;
  if (had > archive.bytes) await rm(part);
  const start = had < archive.bytes ? had : 0;
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(new Error(`nothing came for ${silentFor / 1000} s`)), silentFor);
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => silence.abort(new Error(`nothing came for ${silentFor / 1000} s`)), silentFor);
  };
  try {
    const response = await request(mirror, {
      headers: start > 0 ? { range: `bytes=${start}-` } : {},
      redirect: "follow",
      signal: AbortSignal.any([silence.signal, ...(signal ? [signal] : [])]),
    });
    heard();
    if (!response.ok || !response.body) throw new Error(`answered ${response.status} ${response.statusText}`.trim());
    // A server without range support sends the whole file again.
    const resumed = response.status === 206;
    const file = await open(part, resumed ? "a" : "w");
    let size = resumed ? start : 0;
    try {
      onProgress(size);
      for await (const chunk of response.body) {
        heard();
        size += chunk.byteLength;
        if (size > archive.bytes) break;
        await file.write(chunk);
        onProgress(size);
      }
      await file.sync();
    } finally {
      await file.close();
    }
    if (size > archive.bytes) {
      await rm(part);
      throw new Error(`sends more than the ${archive.bytes} bytes of ${archive.name}`);
    }
    if (size < archive.bytes) throw new Error(`the download broke off after ${size} of ${archive.bytes} bytes`);
  } finally {
    clearTimeout(timer);
  }
}

/** Deletes a file with a wrong checksum: no later attempt can resume it. */
async function requireDigest(part: string, mirror: string, archive: DownloadedFile): Promise<void> {
  if (archive.digest === null) return;
  const hash = hasher(archive.digest);
  for await (const chunk of createReadStream(part)) hash.update(chunk as Buffer);
  const found = hash.digest();
  if (found === archive.digest) return;
  await rm(part);
  throw new Error(`wrong checksum: ${found}, expected ${archive.digest}; the file from ${mirror} was deleted`);
}
