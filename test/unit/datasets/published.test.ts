/** Downloads against a loopback server: mirrors, resuming, checksums, unpacking; imports of local copies. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { pack } from "tar-stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Archive, Digest, KeptFile } from "../../../src/shared/catalog/entry.ts";
import { entryProblem, folderOf } from "../../../src/core/datasets/files.ts";
import { listDatasets } from "../../../src/core/datasets/index.ts";
import { downloadEntry, importEntry, removeEntry, type FetchedEntry } from "../../../src/core/datasets/published.ts";

const sha256 = (bytes: Uint8Array): Digest => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
const kept = (name: string, bytes: Uint8Array): KeptFile => ({ name, bytes: bytes.length, digest: sha256(bytes) });

const content = Uint8Array.from({ length: 200_000 }, (_, i) => (Math.imul(i, 2654435761) >>> 13) & 255);
const zipped = gzipSync(content);

type Respond = (request: IncomingMessage, response: ServerResponse) => void;
let server: Server;
let base = "";
let respond: Record<string, Respond> = {};
let requests: { path: string; range: string | undefined }[] = [];
let folder = "";

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "hypertower-data-"));
  requests = [];
  respond = {};
  server = createServer((request, response) => {
    const path = request.url ?? "";
    requests.push({ path, range: request.headers.range });
    const answer = respond[path];
    if (answer) answer(request, response);
    else response.writeHead(404).end();
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
  await rm(folder, { recursive: true });
});

const whole = (bytes: Uint8Array): Respond => (request, response) => {
  const [, start] = /^bytes=(\d+)-$/.exec(request.headers.range ?? "") ?? [];
  if (start) response.writeHead(206).end(bytes.subarray(Number(start)));
  else response.writeHead(200).end(bytes);
};
function entry(paths: readonly string[], archive: Partial<Archive> = {}): FetchedEntry {
  const file: Archive = { ...kept("numbers.gz", zipped), packed: "gzip", mirrors: paths.map((path) => base + path), contents: [kept("numbers", content)], ...archive };
  return { id: "fashion-mnist", files: { from: "archives", archives: [file] } };
}
const at = (name: string) => join(folderOf(entry([]), folder), name);

describe("a download", () => {
  it("is checked, unpacked and then ready", async () => {
    respond["/a"] = whole(zipped);
    const seen: number[] = [];
    await downloadEntry(entry(["/a"]), { folder, onProgress: ({ bytes, total }) => seen.push(bytes / total) });
    expect(await entryProblem(entry([]), folder)).toBeNull();
    expect(Uint8Array.from(await readFile(at("numbers")))).toEqual(content);
    expect(seen.at(-1)).toBe(1);
    // Nothing but the kept file stays.
    expect(existsSync(at("numbers.gz.download"))).toBe(false);
  });

  it("goes on where it broke off", async () => {
    let answer: ServerResponse | undefined;
    respond["/a"] = (_, response) => {
      answer = response.writeHead(200, { "content-length": String(zipped.length) });
      response.write(zipped.subarray(0, 1000));
    };
    // Broken once a part has arrived.
    const onProgress = ({ bytes }: { bytes: number }) => void (bytes > 0 && answer?.destroy());
    await expect(downloadEntry(entry(["/a"]), { folder, onProgress })).rejects.toThrow("/a: ");
    const begun = (await listDatasets(folder)).find(({ kind }) => kind === "fashion-mnist");
    expect(begun?.bytesHere).toBeGreaterThan(0);
    expect(begun?.bytesHere).toBeLessThanOrEqual(zipped.length);
    expect(await entryProblem(entry([]), folder)).toContain("numbers is missing");
    respond["/a"] = whole(zipped);
    await downloadEntry(entry(["/a"]), { folder });
    expect(requests.at(-1)?.range).toMatch(/^bytes=[1-9]\d*-$/);
    expect(await entryProblem(entry([]), folder)).toBeNull();
  });

  it("that was changed or damaged since is noticed, whoever asks at the same time", async () => {
    respond["/a"] = whole(zipped);
    await downloadEntry(entry(["/a"]), { folder });
    expect(await Promise.all([entryProblem(entry([]), folder), entryProblem(entry([]), folder)])).toEqual([null, null]);
    const damaged = Uint8Array.from(content);
    damaged[7]! ^= 1;
    await writeFile(at("numbers"), damaged);
    await utimes(at("numbers"), 1, 1);
    const problems = await Promise.all([entryProblem(entry([]), folder), entryProblem(entry([]), folder)]);
    expect(problems[0]).toContain("numbers is damaged: its checksum is sha256:");
    expect(problems[1]).toBe(problems[0]);
    await writeFile(at("numbers"), content);
    await utimes(at("numbers"), 1, 1);
    expect(await entryProblem(entry([]), folder)).toBeNull();
  });

  it("takes the next mirror when one has gone or has another file", async () => {
    respond["/other"] = whole(gzipSync(content.subarray(1)));
    respond["/good"] = whole(zipped);
    await downloadEntry(entry(["/gone", "/other", "/good"]), { folder });
    expect(await entryProblem(entry([]), folder)).toBeNull();
  });

  it("names every mirror and what was wrong there", async () => {
    const altered = Uint8Array.from(zipped);
    altered[500]! ^= 1;
    respond["/altered"] = whole(altered);
    respond["/long"] = whole(Uint8Array.from([...zipped, 1]));
    const failed = downloadEntry(entry(["/gone", "/altered", "/long"]), { folder });
    await expect(failed).rejects.toThrow(/\/gone: answered 404[^]*\/altered: wrong checksum: sha256:[^]*\/long: sends more than the/);
    // What is not the published file is not kept.
    expect(existsSync(at("numbers.gz.download.part"))).toBe(false);
    expect(existsSync(at("numbers"))).toBe(false);
  });

  it("that the disk cannot hold is refused before anything is asked for, and so is such an import", async () => {
    const vast = 2 ** 60;
    await expect(downloadEntry(entry(["/a"], { bytes: vast }), { folder })).rejects.toThrow(/fashion-mnist: \d+ MiB are needed, the disk has \d+ MiB free/);
    expect(requests).toEqual([]);
    const copy = join(folder, "numbers.gz");
    await writeFile(copy, zipped);
    await expect(importEntry(entry([], { contents: [{ ...kept("numbers", content), bytes: vast }] }), copy, folder)).rejects.toThrow(/MiB are needed, the disk has \d+ MiB free/);
    expect(existsSync(at("numbers"))).toBe(false);
  });

  it("can be stopped and says so", async () => {
    const stop = new AbortController();
    respond["/slow"] = (_, response) => {
      response.writeHead(200);
      response.write(zipped.subarray(0, 100), () => stop.abort());
    };
    await expect(downloadEntry(entry(["/slow"]), { folder, signal: stop.signal })).rejects.toThrow("was stopped");
  });

  it("gives up a mirror that falls silent", async () => {
    respond["/silent"] = (_, response) => void response.writeHead(200).write(zipped.subarray(0, 100));
    await expect(downloadEntry(entry(["/silent"]), { folder, silentFor: 50 })).rejects.toThrow("nothing came for 0.05 s");
  });

  it("of an archive keeps what it lists, checked one by one", async () => {
    const files = { "data/one.bin": content.subarray(0, 1000), "data/two.bin": content.subarray(1000, 3000), "data/readme": Uint8Array.of(1) };
    const tar = await tarOf(files);
    respond["/tar"] = whole(tar);
    const contents = [kept("one.bin", files["data/one.bin"]), kept("two.bin", files["data/two.bin"])];
    const archive: Archive = { ...kept("data.tar.gz", tar), packed: "tar.gz", mirrors: [`${base}/tar`], contents };
    await downloadEntry(entry([], archive), { folder });
    expect(Uint8Array.from(await readFile(at("two.bin")))).toEqual(files["data/two.bin"]);
    expect(existsSync(at("readme"))).toBe(false);
    const missing = { ...archive, contents: [...contents, kept("three.bin", content)] };
    await removeEntry(entry([]), folder);
    await expect(downloadEntry(entry([], missing), { folder })).rejects.toThrow("does not contain three.bin");
    expect(existsSync(at("one.bin"))).toBe(false);
  });
});

async function tarOf(files: Readonly<Record<string, Uint8Array>>): Promise<Buffer> {
  const archive = pack();
  for (const [name, bytes] of Object.entries(files)) archive.entry({ name }, Buffer.from(bytes));
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return gzipSync(Buffer.concat(chunks));
}

describe("an import", () => {
  let copy = "";
  beforeEach(async () => {
    copy = join(folder, "copy");
    await mkdir(copy);
  });

  it("takes the files as they are, and an archive that was packed anew", async () => {
    await writeFile(join(copy, "numbers"), content);
    await importEntry(entry([]), copy, folder);
    expect(await entryProblem(entry([]), folder)).toBeNull();
    await removeEntry(entry([]), folder);
    await rm(join(copy, "numbers"));
    await writeFile(join(copy, "numbers.gz"), gzipSync(content, { level: 1 }));
    await importEntry(entry([]), copy, folder);
    expect(await entryProblem(entry([]), folder)).toBeNull();
  });

  it.each([
    ["another file", { numbers: content.subarray(1) }, "numbers has 199999 bytes instead of 200000"],
    ["a cut archive", { "numbers.gz": zipped.subarray(0, 1000) }, "cannot be unpacked"],
    ["an archive of something else", { "numbers.gz": gzipSync(content.toReversed()) }, "is not the published file"],
    ["nothing of it", {}, "has neither numbers.gz nor numbers"],
  ] as const)("refuses %s by name and keeps nothing", async (_, files, message) => {
    for (const [name, bytes] of Object.entries(files)) await writeFile(join(copy, name), bytes);
    await expect(importEntry(entry([]), copy, folder)).rejects.toThrow(message);
    expect(existsSync(at("numbers"))).toBe(false);
    expect(existsSync(at("numbers.new"))).toBe(false);
  });

  it("of several files keeps none where one is refused", async () => {
    const [second] = entry([]).files.archives;
    const other = content.toReversed();
    const both: FetchedEntry = { ...entry([]), files: { from: "archives", archives: [second!, { ...second!, name: "others.gz", contents: [kept("others", other)] }] } };
    await writeFile(join(copy, "numbers.gz"), zipped);
    await writeFile(join(copy, "others.gz"), gzipSync(other).subarray(0, 1000));
    await expect(importEntry(both, copy, folder)).rejects.toThrow("others.gz cannot be unpacked");
    for (const name of ["numbers", "numbers.new", "others", "others.new"]) expect(existsSync(at(name)), name).toBe(false);
    await writeFile(join(copy, "others.gz"), gzipSync(other));
    await importEntry(both, copy, folder);
    expect(await entryProblem(both, folder)).toBeNull();
  });

  it("names a path that is not there", async () => {
    await expect(importEntry(entry([]), join(copy, "nowhere"), folder)).rejects.toThrow("nowhere cannot be read");
  });
});
