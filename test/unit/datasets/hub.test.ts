/** Datasets of the Hugging Face hub, from a loopback server in its place. */
import { createHash } from "node:crypto";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { downloadHubDataset, hubAddress } from "../../../src/core/datasets/hub.ts";
import { previewImport } from "../../../src/core/datasets/preview.ts";

type Respond = (request: IncomingMessage, response: ServerResponse) => void;
let server: Server;
let folder = "";
let respond: Record<string, Respond> = {};
let ranges: (string | undefined)[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "hypertower-hub-"));
  [respond, ranges] = [{}, []];
  server = createServer((request, response) => {
    const answer = respond[request.url ?? ""];
    if (answer) answer(request, response);
    else response.writeHead(404).end();
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  vi.stubEnv("HF_ENDPOINT", `http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
  await rm(folder, { recursive: true });
});

const flowers = await readFile(join(import.meta.dirname, "files", "flowers-snappy.parquet"));
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const listed = (path: string, bytes = flowers, oid = sha256(bytes)) => ({ type: "file", path, size: bytes.length, oid: "0".repeat(40), lfs: { oid, size: bytes.length, pointerSize: 130 } });
const listUrl = (revision = "main") => `/api/datasets/me/flowers/tree/${revision}?recursive=true`;
const fileUrl = (path: string, revision = "main") => `/datasets/me/flowers/resolve/${revision}/${path}`;
const json = (value: unknown): Respond => (_, response) => void response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
const whole: Respond = (request, response) => {
  ranges.push(request.headers.range);
  const start = /^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1];
  response.writeHead(start ? 206 : 200).end(flowers.subarray(Number(start ?? 0)));
};
const address = { dataset: "me/flowers" };
const train = "data/train-00000-of-00001.parquet";
const test = "data/test-00000-of-00001.parquet";

describe("an address of the hub", () => {
  it.each([
    ["hf://me/flowers", { dataset: "me/flowers" }],
    ["hf://datasets/me/flowers@v1.0/small", { dataset: "me/flowers", revision: "v1.0", config: "small" }],
    ["https://huggingface.co/datasets/me/flowers/", { dataset: "me/flowers" }],
    ["https://huggingface.co/datasets/me/flowers/tree/refs%2Fconvert%2Fparquet/small", { dataset: "me/flowers", revision: "refs/convert/parquet", config: "small" }],
    ["https://huggingface.co/datasets/me/flowers/viewer/small/train?row=3", { dataset: "me/flowers", config: "small" }],
    ["flowers.parquet", null],
  ])("%s", (text, expected) => expect(hubAddress(text)).toEqual(expected));

  it.each(["hf://flowers", "hf://me/../x", "hf://me/flowers/a/b", "https://huggingface.co/me/model"])("%s is refused with the form", (text) => expect(() => hubAddress(text)).toThrow(/the form is hf:\/\/OWNER\/NAME/));
});

describe("a dataset of the hub", () => {
  it("is downloaded, checked and read as a folder; a second time nothing is downloaded", async () => {
    respond = { [listUrl()]: json([{ type: "directory", path: "data", size: 0, oid: "x" }, listed(train), listed(test)]), [fileUrl(train)]: whole, [fileUrl(test)]: whole };
    const found = await downloadHubDataset(address, { folder });
    const preview = await previewImport(found);
    expect(preview).toMatchObject({ form: "csv", parts: [{ split: "test" }] });
    expect(ranges).toHaveLength(2);
    expect(await downloadHubDataset(address, { folder })).toBe(found);
    expect(ranges).toHaveLength(2);
  });

  it("without own Parquet files is taken from the hub's conversion, one config of several", async () => {
    const revision = "refs%2Fconvert%2Fparquet";
    respond = { [listUrl()]: json([]), [listUrl(revision)]: json([listed("small/train/0000.parquet"), listed("large/train/0000.parquet")]), [fileUrl("small/train/0000.parquet", revision)]: whole };
    await expect(downloadHubDataset(address, { folder })).rejects.toThrow("me/flowers holds several datasets: large, small; give one of them: hf://me/flowers/large");
    await expect(downloadHubDataset({ ...address, config: "huge" }, { folder })).rejects.toThrow("no Parquet files in huge; it has: large, small");
    expect(await previewImport(await downloadHubDataset({ ...address, config: "small" }, { folder }))).toMatchObject({ form: "csv", parts: [] });
  });

  it("is listed over several pages", async () => {
    respond = {
      [listUrl()]: (_, response) => void response.writeHead(200, { link: `<${process.env["HF_ENDPOINT"]}page2>; rel="next"` }).end(JSON.stringify([listed(train)])),
      "/page2": json([listed(test)]), [fileUrl(train)]: whole, [fileUrl(test)]: whole,
    };
    expect(await readdir(await downloadHubDataset(address, { folder }))).toHaveLength(2);
  });

  it("with a wrong checksum is refused and deleted", async () => {
    respond = { [listUrl()]: json([listed(train, flowers, "a".repeat(64))]), [fileUrl(train)]: whole };
    await expect(downloadHubDataset(address, { folder })).rejects.toThrow(/wrong checksum/);
    expect((await readdir(folder, { recursive: true })).filter((name) => name.includes(".parquet"))).toEqual([]);
  });

  it("resumes where it broke off", async () => {
    let breakOff = () => {};
    const broken: Respond = (_, response) => {
      breakOff = () => void response.destroy();
      response.writeHead(200, { "content-length": flowers.length }).write(flowers.subarray(0, 100));
    };
    respond = { [listUrl()]: json([listed(train)]), [fileUrl(train)]: broken };
    await expect(downloadHubDataset(address, { folder, onProgress: ({ bytes }) => bytes === 100 && breakOff() })).rejects.toThrow(/could not be downloaded/);
    respond[fileUrl(train)] = whole;
    const [name] = await readdir(await downloadHubDataset(address, { folder }));
    expect(name).toBe("data~train-00000-of-00001.parquet");
    expect(ranges).toEqual(["bytes=100-"]);
  });

  it.each<[string, () => void, RegExp]>([
    ["that is not there", () => undefined, /has no dataset me\/flowers; check its name/],
    ["that is gated", () => (respond[listUrl()] = (_, response) => void response.writeHead(401).end()), /private or gated/],
    ["without Parquet files", () => (respond[listUrl()] = json([])), /has no Parquet files, and the hub has not converted it/],
    ["that is too large", () => (respond[listUrl()] = json([{ ...listed(train), lfs: { oid: "a".repeat(64), size: 2 ** 40 } }])), /1048576 MiB of Parquet files; at most 16384 MiB/],
    ["whose list is no list", () => (respond[listUrl()] = json({ error: "no" })), /sent no list of files/],
    ["of a hub that cannot be reached", () => vi.stubEnv("HF_ENDPOINT", "http://127.0.0.1:1"), /cannot be reached .*; connect to the network/],
    ["of a hub without an address", () => vi.stubEnv("HF_ENDPOINT", "hub"), /HF_ENDPOINT is hub; allowed is/],
  ])("%s is refused in words", async (_, arrange, message) => {
    arrange();
    await expect(downloadHubDataset(address, { folder })).rejects.toThrow(message);
    expect(await readdir(folder)).toEqual([]);
  });
});
