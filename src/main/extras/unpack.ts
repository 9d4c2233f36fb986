/** Unpacks npm's tarballs and Python's wheels, of which only the files that are needed. */
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, open } from "node:fs/promises";
import { dirname, join, normalize, sep } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGunzip, createInflateRaw } from "node:zlib";
import { extract } from "tar-stream";

/** Path of an entry below a folder. @throws Error for one that would lie elsewhere */
function inside(folder: string, name: string): string {
  const path = join(folder, normalize(name));
  if (!path.startsWith(folder + sep)) throw new Error(`the archive has an entry outside of its folder: ${name}`);
  return path;
}

/** Unpacks an npm tarball, without the folder that all of its files are in. */
export async function unpackTarball(archive: string, into: string, wanted: (name: string) => boolean, signal: AbortSignal): Promise<void> {
  const reader = extract();
  const unpacking = pipeline(createReadStream(archive), createGunzip(), reader, { signal });
  // Reported by the loop below or by the await at the end, whichever comes first.
  unpacking.catch(() => undefined);
  for await (const entry of reader) {
    const name = entry.header.name.split("/").slice(1).join("/");
    if (entry.header.type !== "file" || !wanted(name)) {
      entry.resume();
      continue;
    }
    const path = inside(into, name);
    await mkdir(dirname(path), { recursive: true });
    await pipeline(entry, createWriteStream(path, { mode: 0o644 }), { signal });
  }
  await unpacking;
}

/** Unpacks some files of a wheel, which is a zip archive, under their base names. */
export async function unpackWheel(archive: string, files: Readonly<Record<string, string>>, signal: AbortSignal): Promise<void> {
  const file = await open(archive);
  try {
    const { size } = await file.stat();
    const tail = Buffer.alloc(Math.min(size, 65_557));
    await file.read(tail, 0, tail.length, size - tail.length);
    const end = tail.lastIndexOf("PK\x05\x06", undefined, "latin1");
    if (end < 0) throw new Error(`${archive} is not a zip archive`);
    const directory = Buffer.alloc(tail.readUInt32LE(end + 12));
    await file.read(directory, 0, directory.length, tail.readUInt32LE(end + 16));
    const waiting = new Map(Object.entries(files));
    for (let at = 0; at < directory.length && directory.readUInt32LE(at) === 0x02014b50; ) {
      const [method, packed, nameLength] = [directory.readUInt16LE(at + 10), directory.readUInt32LE(at + 20), directory.readUInt16LE(at + 28)];
      const name = directory.toString("utf8", at + 46, at + 46 + nameLength);
      const to = waiting.get(name);
      if (to !== undefined) {
        const header = Buffer.alloc(30);
        const start = directory.readUInt32LE(at + 42);
        await file.read(header, 0, 30, start);
        const from = start + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
        const bytes = createReadStream(archive, { start: from, end: from + packed - 1 });
        await mkdir(dirname(to), { recursive: true });
        await (method === 0 ? pipeline(bytes, createWriteStream(to), { signal }) : pipeline(bytes, createInflateRaw(), createWriteStream(to), { signal }));
        waiting.delete(name);
      }
      at += 46 + nameLength + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
    }
    if (waiting.size > 0) throw new Error(`${archive} has no ${[...waiting.keys()].join(", ")}`);
  } finally {
    await file.close();
  }
}
