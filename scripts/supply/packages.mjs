/** The packages that ship with Hypertower, from the lock file and what is installed. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { explained, permissive } from "./policy.mjs";

/** @typedef {{ name: string, version: string, license: string, text: string }} Notice */

export function readLock(root) {
  return JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
}

/** Entries of the lock file but the project itself: path, name and what npm says of it. */
function entries(lock) {
  return Object.entries(lock.packages)
    .filter(([path]) => path !== "")
    .map(([path, entry]) => ({ path, name: entry.name ?? path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length), entry }));
}

/** Licenses that a package may be used under, each as the list of those that hold together: `(MIT OR CC0-1.0)` is two lists. */
function choices(license) {
  return license.replace(/[()]/g, "").split(" OR ").map((all) => all.split(" AND "));
}

function isAllowed(name, license) {
  return choices(license).some((all) => all.every((one) => permissive.includes(one) || explained[one]?.packages.test(name)));
}

/** What is wrong with the licenses of what ships. */
export function licenseProblems(lock) {
  return entries(lock)
    .filter(({ entry }) => !entry.dev)
    .flatMap(({ name, entry: { version, license } }) => {
      if (license === undefined) return [`${name} ${version} names no license`];
      return isAllowed(name, license) ? [] : [`${name} ${version} is licensed under ${license}, which scripts/supply/policy.mjs does not allow`];
    });
}

/** What is wrong with where packages come from: each needs a SHA-512 checksum, and no other source than the registry. */
export function lockProblems(lock) {
  return entries(lock).flatMap(({ path, entry: { integrity, resolved, link } }) => [
    ...(link ? [`${path} is a link to a folder`] : []),
    ...(integrity?.startsWith("sha512-") ? [] : [`${path} has no SHA-512 checksum`]),
    ...(resolved === undefined || new URL(resolved).protocol === "https:" ? [] : [`${path} comes from ${resolved}`]),
  ]);
}

/** What is wrong with install scripts: package.json names every package that has one, says whether it runs, and names no other. */
export function scriptProblems(lock, allowed) {
  const scripted = new Set(entries(lock).filter(({ entry }) => entry.hasInstallScript).map(({ name }) => name));
  const native = Object.keys(allowed).filter((name) => !scripted.has(name) && !entries(lock).some((one) => one.name === name));
  return [
    ...[...scripted].filter((name) => !(name in allowed)).map((name) => `${name} has an install script that allowScripts in package.json does not name`),
    ...native.map((name) => `allowScripts in package.json names ${name}, which is not installed`),
  ];
}

const isLicenseFile = (name) => /^(licen[cs]e|copying|notice|third.?party)/i.test(name) && !/\.(js|ts|json|html)$/i.test(name);

/** License texts of everything that ships and is installed here, by name. @returns {Notice[]} */
export function notices(root) {
  const found = entries(readLock(root))
    .filter(({ path, entry }) => !entry.dev && existsSync(join(root, path)))
    .map(({ path, name, entry: { version, license } }) => {
      const folder = join(root, path);
      const texts = readdirSync(folder, { withFileTypes: true })
        .filter((file) => file.isFile() && isLicenseFile(file.name))
        .map((file) => readFileSync(join(folder, file.name), "utf8").trim())
        .sort();
      return { name, version, license, text: texts.join("\n\n") };
    });
  const font = { name: "Inter (font)", version: "4", license: "OFL-1.1", text: readFileSync(join(root, "resources", "fonts", "OFL.txt"), "utf8").trim() };
  const unique = new Map([...found, font].map((notice) => [`${notice.name} ${notice.version}`, notice]));
  return [...unique.values()].sort((a, b) => a.name.localeCompare(b.name) || a.version.localeCompare(b.version));
}

/** A Vite plugin: `virtual:notices` is the list of notices. */
export function noticesPlugin(root) {
  const id = "virtual:notices";
  return {
    name: "notices",
    resolveId: (source) => (source === id ? `\0${id}` : undefined),
    load: (source) => (source === `\0${id}` ? `export default ${JSON.stringify(notices(root))};` : undefined),
  };
}
