/** Updates against a server on this machine, made by the script that makes releases: good ones, and everything that must not be believed. */
import { generateKeyPairSync } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeRelease, packageOf, sha256, signature } from "../../../scripts/release/files.mjs";
import { Updates } from "../../../src/main/services/updates/index.ts";
import { compareVersions } from "../../../src/shared/updates.ts";
import { freshFolder } from "../../support/storeFixtures.ts";

const pair = generateKeyPairSync("ed25519");
const key = pair.publicKey.export({ format: "der", type: "spki" }).toString("base64");
const secret = pair.privateKey.export({ format: "der", type: "pkcs8" }).toString("base64");
const debName = "hypertower_1.2.0_amd64.deb";
const page = "https://example.com/releases/v1.2.0";

let folder: string;
let server: Server;
let feed: string;
/** What the server answers instead of a release's file. */
let instead: Map<string, Buffer | "nothing" | "endless">;
let asked: string[];

const at = (name: string) => join(folder, "release", name);

beforeEach(async () => {
  folder = freshFolder();
  [instead, asked] = [new Map(), []];
  release("1.2.0");
  server = createServer((incoming, answer) => {
    const name = decodeURIComponent(incoming.url ?? "").replace("/", "");
    asked.push(name);
    const other = instead.get(name);
    if (other === "endless") {
      const more = (): void => {
        while (answer.write(Buffer.alloc(65_536)));
      };
      answer.on("drain", more);
      more();
    } else if (other === "nothing" || (other === undefined && !existsSync(at(name)))) answer.writeHead(404).end();
    else answer.end(other ?? readFileSync(at(name)));
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  feed = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

function release(version: string, signedBy: string | undefined = secret): void {
  mkdirSync(join(folder, "made", "linux"), { recursive: true });
  writeFileSync(join(folder, "made", "linux", debName), "a package for Debian");
  writeFileSync(join(folder, "made", "Hypertower-1.2.0-win-x64.exe"), "an installer for Windows");
  makeRelease({ version, date: "2026-11-30", notes: "### Added\n- Packages", page, from: join(folder, "made"), to: join(folder, "release"), key: signedBy });
}

/** Changes the release's description after its checksums were made, and perhaps signs it again. */
function rewrite(change: (info: Record<string, unknown>) => void, again: { sums: boolean; signed: boolean }): void {
  const info = JSON.parse(readFileSync(at("release.json"), "utf8")) as Record<string, unknown>;
  change(info);
  const text = JSON.stringify(info);
  const before = sha256(readFileSync(at("release.json")));
  writeFileSync(at("release.json"), text);
  if (!again.sums) return;
  const sums = readFileSync(at("SHA256SUMS"), "utf8").replace(before, sha256(Buffer.from(text)));
  writeFileSync(at("SHA256SUMS"), sums);
  if (again.signed) writeFileSync(at("SHA256SUMS.sig"), signature(Buffer.from(sums), secret));
}

const updates = (version = "1.1.0", source = { feed, key }) => new Updates({ version, folder: join(folder, "updates"), source, platform: "linux", arch: "x64" });
const downloads = () => (existsSync(join(folder, "updates")) ? readdirSync(join(folder, "updates")) : []);

it("shows a newer release with its notes and the packages for this system, and downloads one", async () => {
  expect(await updates().check()).toEqual({
    current: "1.1.0",
    source: new URL(feed).host,
    release: { version: "1.2.0", date: "2026-11-30", notes: "### Added\n- Packages", page, files: [{ name: debName, bytes: 20, form: "deb" }] },
  });
  const { path } = await updates().download(debName);
  expect(readFileSync(path, "utf8")).toBe("a package for Debian");
  expect(downloads()).toEqual([debName]);
});

it("asks nothing by itself, and says when a build has no source", async () => {
  updates();
  expect(asked).toEqual([]);
  const none = new Updates({ version: "1.1.0", folder, source: null });
  expect(await none.check()).toEqual({ current: "1.1.0", source: null, release: null });
  await expect(none.download(debName)).rejects.toThrow("no source of updates");
});

it.each(["1.2.0", "1.3.0", "1.2.1-rc.1", "2.0.0"])("offers no older or equal release to version %s, and downloads none", async (version) => {
  expect((await updates(version).check()).release).toBeNull();
  await expect(updates(version).download(debName)).rejects.toThrow(`The newest release is 1.2.0; this is ${version}`);
  expect(downloads()).toEqual([]);
});

describe("believes nothing", () => {
  const refused = async (message: string) => {
    await expect(updates().check()).rejects.toThrow(message);
    await expect(updates().download(debName)).rejects.toThrow(message);
    expect(downloads()).toEqual([]);
  };

  it("signed by another key", async () => {
    release("1.2.0", generateKeyPairSync("ed25519").privateKey.export({ format: "der", type: "pkcs8" }).toString("base64"));
    await refused("not signed by Hypertower's key");
  });

  it("with checksums changed after they were signed", async () => {
    rewrite((info) => (info["version"] = "9.9.9"), { sums: true, signed: false });
    await refused("not signed by Hypertower's key");
  });

  it("described otherwise than its checksums say", async () => {
    rewrite((info) => (info["version"] = "9.9.9"), { sums: false, signed: false });
    await refused("release.json does not have the signed checksum");
  });

  it("whose packages have other checksums in the two lists", async () => {
    rewrite((info) => (info["files"] = [{ name: debName, bytes: 20, sha256: "0".repeat(64), platform: "linux", arch: "x64", form: "deb" }]), { sums: true, signed: true });
    await refused("another checksum in release.json than in SHA256SUMS");
  });

  it.each([
    ["a file outside of the folder", (info: Record<string, unknown>) => (info["files"] = [{ name: "../a.deb", bytes: 1, sha256: "0".repeat(64), platform: "linux", arch: "x64", form: "deb" }])],
    ["a page that is not https", (info: Record<string, unknown>) => (info["page"] = "javascript:alert(1)")],
    ["a later format", (info: Record<string, unknown>) => (info["format"] = 2)],
    ["a version that is none", (info: Record<string, unknown>) => (info["version"] = "newest")],
  ])("that names %s", async (_, change) => {
    rewrite(change, { sums: true, signed: true });
    await refused("release.json cannot be read by this version");
  });

  it("without a signature, or with one that is none", async () => {
    instead.set("SHA256SUMS.sig", "nothing");
    await refused("was answered with 404");
    instead.set("SHA256SUMS.sig", Buffer.from("no signature"));
    await refused("not signed by Hypertower's key");
  });

  it.each(["SHA256SUMS", "SHA256SUMS.sig", "release.json"])("of which %s does not end", async (name) => {
    instead.set(name, "endless");
    await refused(`${name} has more than`);
  });

  it("from an address that others could read along", async () => {
    await expect(updates("1.1.0", { feed: "http://example.com/", key }).check()).rejects.toThrow("over HTTPS only");
  });

  it("checked by a key that is none", async () => {
    await expect(updates("1.1.0", { feed, key: "AAAA" }).check()).rejects.toThrow("not signed by Hypertower's key");
  });
});

it("keeps no package that is damaged, too long, too short or for another system", async () => {
  instead.set(debName, Buffer.from("b package for Debian"));
  await expect(updates().download(debName)).rejects.toThrow("does not have the signed checksum; it was removed");
  instead.set(debName, "endless");
  await expect(updates().download(debName)).rejects.toThrow("has more than 20 bytes");
  instead.set(debName, Buffer.from("a package"));
  await expect(updates().download(debName)).rejects.toThrow("has 9 bytes instead of 20; it was removed");
  instead.set(debName, "nothing");
  await expect(updates().download(debName)).rejects.toThrow("404");
  await expect(updates().download("Hypertower-1.2.0-win-x64.exe")).rejects.toThrow("has no package Hypertower-1.2.0-win-x64.exe for this system");
  expect(downloads()).toEqual([]);
});

it("says that the feed cannot be reached", async () => {
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
  await expect(updates().check()).rejects.toThrow(/127\.0\.0\.1:\d+ cannot be reached: .*ECONNREFUSED.*Nothing was changed/);
});

it("orders versions as semantic versioning does", () => {
  const ordered = ["0.9.9", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.10", "1.2.0", "10.0.0"];
  expect([...ordered].reverse().sort(compareVersions)).toEqual(ordered);
  for (const version of ordered) expect(compareVersions(version, version)).toBe(0);
});

it("knows packages by their names", () => {
  expect(packageOf("hypertower_0.1.0_arm64.deb")).toEqual({ platform: "linux", arch: "arm64", form: "deb" });
  expect(packageOf("Hypertower-0.1.0-linux-x86_64.AppImage")).toEqual({ platform: "linux", arch: "x64", form: "AppImage" });
  expect(packageOf("Hypertower-0.1.0-linux-x64.tar.gz")).toEqual({ platform: "linux", arch: "x64", form: "tar.gz" });
  expect(packageOf("Hypertower-0.1.0-win-arm64.exe")).toEqual({ platform: "win32", arch: "arm64", form: "installer" });
  expect(packageOf("Hypertower-0.1.0-mac-arm64.dmg")).toEqual({ platform: "darwin", arch: "arm64", form: "dmg" });
  expect(packageOf("THIRD-PARTY-NOTICES.txt")).toBeNull();
});
