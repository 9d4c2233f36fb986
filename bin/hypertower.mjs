#!/usr/bin/env node
/** Starts the built command line on a Node that can run it. Plain JavaScript for old Nodes too. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const entry = join(root, "out", "main", "headless.js");

const [major, minor] = process.versions.node.split(".").map(Number);
const newEnough = major > 22 || (major === 22 && minor >= 14);
const ownNode = join(root, "node_modules", "node", "bin", process.platform === "win32" ? "node.exe" : "node");

if (!existsSync(entry)) {
  console.error("hypertower: it is not built yet. Run this once in its folder: npm ci && npm run build");
  process.exitCode = 1;
} else if (newEnough) {
  await import(pathToFileURL(entry).href);
} else if (existsSync(ownNode)) {
  const child = spawn(ownNode, [entry, ...process.argv.slice(2)], { stdio: "inherit" });
  // A terminal's Ctrl+C reaches the child by itself; it decides when to end.
  process.on("SIGINT", () => undefined);
  for (const signal of ["SIGTERM", "SIGHUP", ...(process.platform === "win32" ? [] : ["SIGUSR2"])]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    console.error(`hypertower: ${ownNode} could not be started: ${error.message}`);
    process.exitCode = 1;
  });
  child.on("close", (code, signal) => {
    process.exitCode = code ?? 128 + constants.signals[signal];
  });
} else {
  console.error(`hypertower: Node ${process.versions.node} is too old; 22.14 or later is needed. "npm ci" installs one into this folder.`);
  process.exitCode = 1;
}
