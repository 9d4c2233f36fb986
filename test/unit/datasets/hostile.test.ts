/** Files from strangers: what they hold is bounded before memory is taken for it, and nothing outside the data folder is touched. */
import { execFileSync } from "node:child_process";
import { everything } from "../../support/edition.ts";
import { createWriteStream, existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { crc32, createGzip, gzipSync } from "node:zlib";
import { pack as tar } from "tar-stream";
import { zipSync } from "fflate";
import sharp from "sharp";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { previewCsv, readCsv } from "../../../src/core/datasets/formats/csv.ts";
import { imageClasses, imageSize, readImage } from "../../../src/core/datasets/formats/images.ts";
import { encodeNpy, parseNpy } from "../../../src/core/datasets/formats/npy.ts";
import { requireStorable } from "../../../src/core/datasets/formats/packed.ts";
import { readArrays } from "../../../src/core/datasets/arrays.ts";
import { importArrays, importCsv, importText } from "../../../src/core/datasets/import.ts";
import { previewImport } from "../../../src/core/datasets/preview.ts";
import { unpack } from "../../../src/core/datasets/unpack.ts";
import { listOwn, readOwn, removeOwn } from "../../../src/core/datasets/own.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "hypertower-hostile-"));
});
afterEach(() => rm(folder, { recursive: true }));

const file = async (name: string, bytes: string | Uint8Array) => {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
};

describe("a description of another dataset", () => {
  it("is refused, and what it names is neither read nor deleted", async () => {
    const { id } = await importText(await file("a.txt", "to learn from ".repeat(10)), { title: "mine", folder });
    const victim = join(folder, "victim");
    await mkdir(victim);
    const description = join(folder, id, "dataset.json");
    const describing = (name: string) => JSON.stringify({ version: 1, id: name, title: "x", task: "text", source: "", createdAt: 0, count: 1, exampleShape: [], classNames: [], featureNames: [], features: "uint8", vocabulary: [] });
    await writeFile(description, describing("own/../victim"));
    const [listed] = await listOwn(folder);
    expect(listed).toMatchObject({ id, problem: expect.stringContaining('describes "own/../victim"; in this folder it must be own/mine') as string });
    for (const hostile of ["own/../victim", "own/..", "own/", "../victim", "own/a/../../victim", "victim"]) {
      await expect(removeOwn(hostile, folder)).rejects.toThrow("is not the id of an own dataset");
      await expect(readOwn(hostile, folder)).rejects.toThrow("is not the id of an own dataset");
    }
    await writeFile(description, describing(`own/${"x".repeat(20_000)}`));
    const [long] = await listOwn(folder);
    expect((long as { problem: string }).problem.length).toBeLessThan(500);
    expect(existsSync(victim)).toBe(true);
    await removeOwn(id, folder);
    expect(existsSync(join(folder, id))).toBe(false);
  });
});

describe("a table", () => {
  it("as RFC 4180 has it: quoted delimiters, quotes and line ends, CRLF", async () => {
    const path = await file("rfc.csv", 'name,"size, in m",kind\r\n"a ""b""",1.5,"x\ny"\r\nc,2,z\r\n');
    const { delimiter, header, rows, columns, sample } = await previewCsv(path);
    expect({ delimiter, header, rows, names: columns.map(({ name }) => name) }).toEqual({ delimiter: ",", header: true, rows: 2, names: ["name", "size, in m", "kind"] });
    expect(sample).toEqual([['a "b"', "1.5", "x\ny"], ["c", "2", "z"]]);
  });

  it("as Excel writes it: a byte order mark, semicolons, quotes where needed", async () => {
    const path = await file("excel.csv", '\ufeffa;"b;c";d\r\n1;2;"r;s"\r\n3;4;t\r\n');
    const { delimiter, columns } = await previewCsv(path);
    expect(delimiter).toBe(";");
    expect(columns.map(({ name }) => name)).toEqual(["a", "b;c", "d"]);
  });

  it("as pandas writes it: row numbers under no name", async () => {
    const path = await file("pandas.csv", ',length,kind\n0,1.5,"a, b"\n1,2.5,c\n');
    const { header, columns } = await previewCsv(path);
    expect(header).toBe(true);
    expect(columns.map(({ name, suggested }) => `${name}: ${suggested}`)).toEqual(["column 1: ignore", "length: number", "kind: target"]);
    const table = await readCsv(path, { delimiter: ",", header: true, roles: ["ignore", "number", "target"], task: "classification", missing: "refuse" });
    expect(table).toMatchObject({ count: 2, featureNames: ["length"], classNames: ["a, b", "c"] });
  });

  it("without line ends is refused early, not read to its end", async () => {
    const path = await file("line.csv", "x".repeat(2_000_000));
    await expect(previewImport(path)).rejects.toThrow(/line\.csv, line 1: the row has more than 1\.05 MB, which is no table, or a quote is not closed/);
  });
});

describe("more than any dataset has", () => {
  it("of columns, and of values in memory, is refused before memory is taken", async () => {
    await expect(previewCsv(await file("wide.csv", `${"1,".repeat(10_000)}1\n`))).rejects.toThrow(/wide\.csv: 10001 columns; at most 10000 are allowed/);
    expect(() => requireStorable("x.csv", 1e12)).toThrow(/^x\.csv: the examples need 1 TB; at most 4\.29 GB are allowed$/);
    expect(() => requireStorable("x.csv", NaN)).toThrow("the examples need");
  });

  it("of a cell is cut off in a preview", async () => {
    const { sample } = await previewCsv(await file("long.csv", `a,b\n${"x".repeat(10_000)},1\n`));
    expect(sample[0]![0]).toHaveLength(500);
  });

  it("of a file that is read at once is refused by its size", async () => {
    const path = await file("large.npy", "");
    await truncate(path, 3e9);
    await expect(readArrays(path)).rejects.toThrow(/large\.npy has 3 GB; at most 2\.15 GB are allowed: save it in parts/);
    const book = await file("large.txt", "");
    await truncate(book, 3e9);
    await expect(previewImport(book)).rejects.toThrow("save it in parts");
  });

  it.runIf(everything)("that an archive unpacks to, beside the files that are wanted, is refused", async () => {
    const archive = tar();
    archive.entry({ name: "unrelated" }, Buffer.alloc(300e6));
    archive.finalize();
    const path = join(folder, "bomb.tgz");
    await pipeline(archive, createGzip({ level: 1 }), createWriteStream(path));
    const contents = [{ name: "wanted", bytes: 1, digest: "sha256:0" as const }];
    await expect(unpack([{ path, archive: { ...contents[0]!, packed: "tar.gz", mirrors: [], contents } }], join(folder, "x"))).rejects.toThrow(/bomb\.tgz unpacks to more than 268 MB/);
  });
});

describe("an image", () => {
  it("is decoded by what it is, not by its name, and never as SVG or PDF", async () => {
    const svg = await file("picture.png", '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"><rect width="4" height="4"/></svg>');
    await expect(imageSize(svg)).rejects.toThrow(/picture\.png cannot be decoded: .*unsupported image format/);
    await expect(readImage(svg, { width: 2, height: 2, channels: 3 })).rejects.toThrow("cannot be decoded");
  });

  it("of more pixels than any is refused by its header", async () => {
    const png = await sharp({ create: { width: 2, height: 2, channels: 3, background: "red" } }).png().toBuffer();
    png.writeUInt32BE(11_000, 16);
    png.writeUInt32BE(10_000, 20);
    png.writeUInt32BE(crc32(png.subarray(12, 29)), 29);
    const path = await file("wide.png", png);
    await expect(readImage(path, { width: 2, height: 2, channels: 3 })).rejects.toThrow(/wide\.png cannot be decoded: Input image exceeds pixel limit/);
  });

  it("that says it is millions of pixels long is refused before a decoder takes memory for it", async () => {
    // Found by fuzzing: 372 bytes that took libheif 2.7 GB.
    const file = Buffer.from(
      "AAAAHGZ0eXBhdmlmAAAAAG1pZjFhdmlmbWlhZgAAANZtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAACJpbG9jAAAAAERAAAEA" +
      "AQAAAAAA+gABAAAAAAAAAHoAAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABhdjAxAAAAAA5waXRtAAAAAAABAAAAVmlwcnAAAAA4aXBjbwAAAAxhdjFD" +
      "gSACAAAAABRpc3BlAAAAAAByABAAAAAMAAAAEHBpeGkAAAAAAwgICAAAABZpcG1hAAAAAAAAAAEAAQOBAgMAAACCbWRhdBIACgg4DP7aQENBpDJsGUJjBAAB" +
      "odcAY32KU6uQK83sPUdF88Fx8f5/Bd9JBsHO1aHZBe6IjVlR0bVFmBv9aVoKtXqSDV3lhK0/kw6gl3sVQgw0aVyNCl6LNpR0lLA2cBuepSpL84ACADDxDQMe" +
      "LOG4OAV4FsK57+No",
      "base64",
    );
    const path = join(folder, "long.avif");
    await writeFile(path, file);
    await expect(imageSize(path)).rejects.toThrow("long.avif cannot be decoded: it says that it is 7471120 x 12 pixels; at most 65535 a side are allowed");
    await expect(readImage(path, { width: 2, height: 2, channels: 3 })).rejects.toThrow("at most 65535 a side are allowed");
  });
});

describe("a packed array", () => {
  const zeros = (count: number) => encodeNpy({ shape: [count], values: new Float64Array(count) });

  it("that would fill the memory is refused by its sizes", async () => {
    const packed = zipSync({ "x.npy": zeros(1_000) });
    // The size in the archive's directory.
    new DataView(packed.buffer).setUint32(packed.findLastIndex((_, i) => packed[i] === 0x50 && packed[i + 1] === 0x4b && packed[i + 2] === 1 && packed[i + 3] === 2) + 24, 4_000_000_000, true);
    await expect(readArrays(await file("bomb.npz", packed))).rejects.toThrow(/bomb\.npz cannot be unpacked: \d+ B would unpack to 4(\.0+)? GB; at most 268 MB are allowed/);
    const tenMegabytes = gzipSync(new Uint8Array(10_000_000));
    await expect(readArrays(await file("bomb-idx3-ubyte.gz", Buffer.concat(new Array<Uint8Array>(30).fill(tenMegabytes))))).rejects.toThrow("cannot be unpacked");
  });

  it("with a name as long as a page, or one that every object knows, is refused", async () => {
    const long = zipSync({ ["x".repeat(20_000)]: zeros(1) });
    await expect(readArrays(await file("long.npz", long))).rejects.toThrow(/long\.npz cannot be unpacked: the name of a file in it has 20,000 characters; at most 1,000 are allowed/);
    const path = await file("x.npy", zeros(4));
    await expect(importArrays({ features: { path, array: "constructor" }, targets: { path }, task: "regression" }, { title: "x", folder })).rejects.toThrow("has no array named constructor; choose one of: array");
  });

  it("cut off within the length of its header is refused", () => {
    const bytes = zeros(4);
    bytes[6] = 2;
    for (const length of [10, 11, 12]) expect(() => parseNpy(bytes.subarray(0, length), "x.npy")).toThrow(/^x\.npy: truncated header/);
  });

  it("with too many entries, or a shape that is none, is refused", async () => {
    const many = zipSync(Object.fromEntries(Array.from({ length: 20_001 }, (_, i) => [`${i}.npy`, new Uint8Array(0)])), { level: 0 });
    await expect(readArrays(await file("many.npz", many))).rejects.toThrow("many.npz cannot be unpacked: it holds more than 20,000 files");
    const shaped = (shape: string) => {
      const bytes = zeros(4);
      const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape}), }`;
      bytes.fill(0x20, 10, 127);
      bytes.set(new TextEncoder().encode(header), 10);
      return bytes;
    };
    expect(parseNpy(shaped("2, 2"), "x").shape).toEqual([2, 2]);
    for (const shape of ["-2, -2", "1.6, 2.5", "x", "1e999"]) expect(() => parseNpy(shaped(shape), "x"), shape).toThrow(/^x: a shape of/);
  });
});

describe.skipIf(process.platform === "win32")("a named pipe", () => {
  it("is told from a file, and nobody waits for what may never come", async () => {
    const pipe = (name: string) => {
      const path = join(folder, name);
      execFileSync("mkfifo", [path]);
      return path;
    };
    for (const name of ["a.csv", "a.npz", "a.txt"]) await expect(previewImport(pipe(name))).rejects.toThrow(`${name} is a device, socket or pipe; a file is needed`);
    const path = join(folder, "a.npz");
    await expect(importArrays({ features: { path }, targets: { path }, task: "regression" }, { title: "x", folder })).rejects.toThrow("a file is needed");
    await expect(importText(path, { title: "x", folder })).rejects.toThrow("a file is needed");
    await expect(importCsv(path, { delimiter: ",", header: true, roles: [], task: "regression", missing: "drop" }, { title: "x", folder })).rejects.toThrow("a file is needed");

    for (const name of ["cats", "dogs"]) {
      await mkdir(join(folder, "images", name), { recursive: true });
      await sharp({ create: { width: 1, height: 1, channels: 3, background: "red" } }).png().toFile(join(folder, "images", name, "1.png"));
      pipe(join("images", name, "2.png"));
    }
    expect((await imageClasses(join(folder, "images"))).map(({ files }) => files.length)).toEqual([1, 1]);
  });
});
