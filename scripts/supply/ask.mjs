/** Asks the registry, by npm, what is known of the packages that ship. Needs the lock file and no installed package. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { judgeAdvisories, judgeElectron } from "./judge.mjs";

export const windows = process.platform === "win32";
export const npm = windows ? "npm.cmd" : "npm";

/** Development packages that ship all the same: the app runs in Electron. */
const shippedTools = ["electron"];

/** @returns {unknown} what npm prints as JSON; an object with a message where it prints none */
function ask(root, args) {
  const { stdout, error } = spawnSync(npm, [...args, "--json"], { cwd: root, shell: windows, encoding: "utf8", maxBuffer: 64 * 2 ** 20 });
  try {
    return JSON.parse(stdout);
  } catch {
    return { message: error?.message ?? "npm printed no JSON" };
  }
}

/** Answer of `npm audit` about all that ships. */
export function auditShipped(root) {
  const packages = ask(root, ["audit", "--omit=dev", "--package-lock-only"]);
  if (!packages.vulnerabilities) return packages;
  const all = ask(root, ["audit", "--package-lock-only"]);
  if (!all.vulnerabilities) return all;
  const tools = Object.entries(all.vulnerabilities).filter(([name]) => shippedTools.includes(name));
  return { ...packages, vulnerabilities: { ...packages.vulnerabilities, ...Object.fromEntries(tools) } };
}

/**
 * What the registry knows against a release.
 * @param {string} root
 * @param {unknown} [answer] a recorded answer of `npm audit --json`, instead of asking
 * @returns {{ what: string, verdict: import("./judge.mjs").Verdict }[]}
 */
export function askRegistry(root, answer) {
  const read = (...path) => JSON.parse(readFileSync(join(root, ...path), "utf8"));
  const accepted = read("scripts", "supply", "advisories.json");
  const { devDependencies } = read("package.json");
  return [
    { what: "known vulnerabilities of what ships", verdict: judgeAdvisories(answer ?? auditShipped(root), accepted, new Date()) },
    ...(answer === undefined ? [{ what: "Electron gets security fixes", verdict: judgeElectron(devDependencies.electron, ask(root, ["view", "electron", "dist-tags"])) }] : []),
  ];
}
