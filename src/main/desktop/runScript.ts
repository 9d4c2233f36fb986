/** Runs a script of an optional package in a process of Electron: its own program runs no scripts (fuses). */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { utilityProcess } from "electron";
import { failureOf, type RunScript } from "../services/services.ts";

/**
 * Runs the script that its first argument names, and ends once that has nothing left to wait for: by
 * itself such a process never ends, for its port to the app keeps it alive.
 */
const starter = `
process.argv.splice(1, 1);
let quiet = 0;
const timer = setInterval(() => {
  const others = process.getActiveResourcesInfo().filter((name) => name !== "PipeWrap" && name !== "MessagePort");
  quiet = others.length > 1 ? 0 : quiet + 1;
  if (quiet === 2) process.exit();
}, 250);
require(process.argv[1]);
`;

export const runScript: RunScript = async (file, args, options) => {
  const folder = await mkdtemp(join(tmpdir(), "hypertower-script-"));
  try {
    const entry = join(folder, "starter.cjs");
    await writeFile(entry, starter);
    return await outputOf(entry, [file, ...args], options);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

const outputOf: RunScript = (entry, args, { signal, cwd, env }) =>
  new Promise((done, failed) => {
    signal.throwIfAborted();
    const child = utilityProcess.fork(entry, [...args], { serviceName: "Hypertower installer", stdio: ["ignore", "pipe", "pipe"], ...(cwd !== undefined && { cwd }), env: { ...process.env, ...env } });
    let [written, all] = ["", ""];
    child.stdout?.on("data", (text: Buffer) => {
      written += text.toString();
      all += text.toString();
    });
    child.stderr?.on("data", (text: Buffer) => (all += text.toString()));
    const stop = () => child.kill();
    signal.addEventListener("abort", stop, { once: true });
    child.once("exit", (code) => {
      signal.removeEventListener("abort", stop);
      if (signal.aborted) failed(signal.reason as Error);
      else if (code === 0) done(written);
      else failed(failureOf(all, `it ended with code ${code}`));
    });
  });
