/** Unpacks archives: each file is written to a temporary name, checked, and then renamed. */
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { Transform, type Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { extract } from "tar-stream";
import { messageOf } from "../../shared/errors.ts";
import { formatBytes } from "../../shared/format.ts";
import type { Archive, KeptFile } from "../../shared/catalog/entry.ts";
import { hasher } from "./digest.ts";

/** A file with a temporary name, and its final path. */
interface TemporaryFile {
  readonly aside: string;
  readonly to: string;
}

export interface Source {
  readonly path: string;
  readonly archive: Archive;
}

/**
 * Unpacks archives, or copies files that are not packed: all of them, or none.
 * @throws Error naming the file and what is wrong with it; no existing file is changed then
 */
export async function unpack(sources: readonly Source[], folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const done: TemporaryFile[] = [];
  try {
    for (const { path, archive } of sources) await unpackAside(path, archive, folder, done);
  } catch (error) {
    await Promise.all(done.map(({ aside }) => rm(aside, { force: true })));
    throw error;
  }
  for (const { aside, to } of done) await rename(aside, to);
}

/** @param done receives each file before it is written, so that a failure can remove it */
async function unpackAside(path: string, archive: Archive, folder: string, done: TemporaryFile[]): Promise<void> {
  const found = new Set<string>();
  const keep = async (content: Readable, file: KeptFile) => {
    const to = join(folder, file.name);
    const aside = `${to}.new`;
    found.add(file.name);
    done.push({ aside, to });
    await writeChecked(content, file, aside, path);
  };
  if (archive.packed === "tar.gz") await eachEntry(path, archive, keep);
  else {
    const source = createReadStream(path);
    const [file] = archive.contents as [KeptFile];
    const content = archive.packed === "gzip" ? source.pipe(createGunzip()) : source;
    source.on("error", (error) => content.destroy(error));
    await keep(content, file);
  }
  const missing = archive.contents.filter(({ name }) => !found.has(name));
  if (missing.length > 0) throw new Error(`${path} does not contain ${missing.map(({ name }) => name).join(", ")}`);
}

/** Bytes that an archive may unpack to beyond the files that are kept: file headers, padding, files that nobody needs. */
const maxExtra = 2 ** 28;

/** Passes bytes on, up to a limit that only a decompression bomb reaches. */
function limited(path: string, contents: readonly KeptFile[]): Transform {
  const limit = contents.reduce((sum, { bytes }) => sum + bytes, 0) + maxExtra;
  let size = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      done(size > limit ? new Error(`${path} unpacks to more than ${formatBytes(limit)}`) : null, chunk);
    },
  });
}

async function eachEntry(path: string, archive: Archive, keep: (content: Readable, file: KeptFile) => Promise<void>): Promise<void> {
  const entries = extract();
  const fed = pipeline(createReadStream(path), createGunzip(), limited(path, archive.contents), entries);
  // The loop below sees the same error; without this it would count as unhandled meanwhile.
  fed.catch(() => undefined);
  for await (const entry of entries) {
    const file = archive.contents.find(({ name }) => name === basename(entry.header.name));
    if (file) await keep(entry as unknown as Readable, file);
    else entry.resume();
  }
  await fed;
}

async function writeChecked(content: Readable, file: KeptFile, aside: string, source: string): Promise<void> {
  const hash = hasher(file.digest);
  let size = 0;
  const check = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      hash.update(chunk);
      done(size > file.bytes ? new Error(`${file.name} in ${source} is larger than ${file.bytes} bytes`) : null, chunk);
    },
  });
  try {
    await pipeline(content, check, createWriteStream(aside, { flush: true }));
  } catch (error) {
    throw new Error(`${source} cannot be unpacked: ${messageOf(error)}`, { cause: error });
  }
  const digest = hash.digest();
  if (digest !== file.digest) throw new Error(`${file.name} in ${source} is not the published file: its checksum is ${digest}, expected ${file.digest}`);
}
