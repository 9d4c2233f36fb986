/**
 * `npm run release:files`: what a release publishes beside its packages. `--check` only says whether version and changelog fit.
 * Otherwise collects the packages of `--from` into `--to` with `release.json`, which the app reads, `SHA256SUMS`, and its signature
 * where UPDATE_SIGNING_KEY holds an ed25519 key (PKCS#8, base64). Notes for people are left in release-notes.md.
 */
import { createHash, createPrivateKey, sign } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { root, runMain, SetupError } from "../setup.mjs";
import { sectionOf } from "./changelog.mjs";

/** Endings of packages, and what a person calls them. */
const forms = { ".deb": "deb", ".AppImage": "AppImage", ".rpm": "rpm", ".tar.gz": "tar.gz", ".exe": "installer", ".dmg": "dmg", ".zip": "zip" };
const platforms = [[/\.(deb|AppImage|rpm)$|linux/i, "linux"], [/\.exe$|-win-/i, "win32"], [/\.dmg$|-mac-/i, "darwin"]];
const processors = [[/arm64|aarch64/i, "arm64"], [/x64|amd64|x86_64/i, "x64"]];
const match = (table, name) => table.find(([pattern]) => pattern.test(name))?.[1];

/** What the app needs to know of a package; null for other files. */
export function packageOf(name) {
  const ending = Object.keys(forms).find((one) => name.endsWith(one));
  const platform = match(platforms, name);
  const processor = match(processors, name);
  return ending && platform && processor ? { platform, arch: processor, form: forms[ending] } : null;
}

export const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

/** Signs the checksums. @param key PKCS#8, base64 @returns base64 */
export function signature(bytes, key) {
  const secret = createPrivateKey({ key: Buffer.from(key, "base64"), format: "der", type: "pkcs8" });
  return sign(null, bytes, secret).toString("base64");
}

function* filesUnder(folder) {
  for (const name of readdirSync(folder).sort()) {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) yield* filesUnder(path);
    else yield path;
  }
}

/**
 * @param {{ version: string, date: string, notes: string, page: string, from: string, to: string, key?: string }} release
 * @returns {readonly string[]} names of the files
 */
export function makeRelease({ version, date, notes, page, from, to, key }) {
  mkdirSync(to, { recursive: true });
  const names = new Set();
  for (const path of filesUnder(from)) {
    const name = basename(path);
    // Each package brings the same notices.
    if (names.has(name) && name !== "THIRD-PARTY-NOTICES.txt") throw new SetupError(`${from} has two files named ${name}.`);
    names.add(name);
    copyFileSync(path, join(to, name));
  }
  const files = [...names].flatMap((name) => {
    const facts = packageOf(name);
    const bytes = readFileSync(join(to, name));
    return facts ? [{ name, bytes: bytes.length, sha256: sha256(bytes), ...facts }] : [];
  });
  if (files.length === 0) throw new SetupError(`${from} has no packages.`);
  writeFileSync(join(to, "release.json"), `${JSON.stringify({ format: 1, version, date, notes, page, files }, null, 2)}\n`);
  const sums = [...names, "release.json"].sort().map((name) => `${sha256(readFileSync(join(to, name)))}  ${name}\n`).join("");
  writeFileSync(join(to, "SHA256SUMS"), sums);
  if (key) writeFileSync(join(to, "SHA256SUMS.sig"), `${signature(Buffer.from(sums), key)}\n`);
  return [...names, "release.json", "SHA256SUMS", ...(key ? ["SHA256SUMS.sig"] : [])];
}

/** @throws SetupError where tag, version and changelog do not fit */
function releaseOf(tag) {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  if (tag !== undefined && tag !== `v${version}`) throw new SetupError(`The tag is ${tag}, but package.json has version ${version}.`);
  const section = sectionOf(readFileSync(join(root, "CHANGELOG.md"), "utf8"), version);
  if (!section) throw new SetupError(`CHANGELOG.md has no section "## [${version}] - YYYY-MM-DD".`);
  return { version, ...section };
}

async function main() {
  const { values } = parseArgs({ options: { check: { type: "boolean", default: false }, tag: { type: "string" }, from: { type: "string" }, to: { type: "string" }, page: { type: "string" } } });
  const release = releaseOf(values.tag);
  if (values.check) {
    console.log(`Version ${release.version} of ${release.date} has notes.`);
    return 0;
  }
  const { from, to, page } = values;
  if (!from || !to || !page || !existsSync(from)) throw new SetupError("--from, --to and --page are needed, and the folder of --from must exist.");
  const key = process.env.UPDATE_SIGNING_KEY;
  for (const name of makeRelease({ ...release, from, to, page, key })) console.log(name);
  if (!key) console.log("UPDATE_SIGNING_KEY is not set: without a signature, the app takes no update from this release.");
  writeFileSync("release-notes.md", `${release.notes}\n`);
  return 0;
}

if (import.meta.main) await runMain(main);
