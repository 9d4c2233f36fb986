/**
 * `npm run workbench`: installs and builds if needed, then opens the desktop app, or serves
 * the workbench to a browser where the app cannot run.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { electronBinary } from "./electron.mjs";
import { ensureBuilt, ensureInstalled, localNode, root, runMain, SetupError } from "./setup.mjs";

const usage = `Usage: npm run workbench -- [--browser] [--port <number>] [--store <folder>]

  --browser   serve the workbench to a browser instead of opening the desktop app
  --port      port on 127.0.0.1 for the browser
  --store     folder of the store, where runs are kept`;

function readOptions() {
  try {
    return parseArgs({
      options: { browser: { type: "boolean" }, port: { type: "string" }, store: { type: "string" }, help: { type: "boolean" } },
    }).values;
  } catch (error) {
    throw new SetupError(`${error.message}\n\n${usage}`);
  }
}

/** Why this machine certainly cannot run the desktop app; null if it may. */
function reasonAgainstDesktop() {
  if (process.platform !== "linux") return null;
  if (!process.env.DISPLAY && !process.env.WAYLAND_DISPLAY) return "this machine has no display";
  if (process.getuid?.() === 0) return "Electron's sandbox does not run as root";
  return null;
}

/**
 * Runs a program in the foreground until it ends, and forwards signals.
 * @returns {Promise<{ code: number, milliseconds: number, startFailed: boolean }>}
 */
function runInForeground(command, args, env) {
  return new Promise((done) => {
    const begun = Date.now();
    const child = spawn(command, args, { cwd: root, env, stdio: "inherit" });
    let forwarded = null;
    // A terminal sends Ctrl+C to the child as well; the child decides when to end.
    const onInterrupt = () => (forwarded = "SIGINT");
    const onTerminate = (signal) => {
      forwarded = signal;
      child.kill(signal);
    };
    process.on("SIGINT", onInterrupt);
    process.on("SIGTERM", onTerminate);
    process.on("SIGHUP", onTerminate);
    const end = (code, startFailed) => {
      process.off("SIGINT", onInterrupt);
      process.off("SIGTERM", onTerminate);
      process.off("SIGHUP", onTerminate);
      done({ code, milliseconds: Date.now() - begun, startFailed });
    };
    child.on("error", () => end(127, true));
    child.on("close", (code, signal) => end(code ?? (forwarded ? 0 : 1), signal !== null && forwarded === null));
  });
}

async function openDesktop(binary, store) {
  const env = { ...process.env };
  if (store) env.HYPERTOWER_HOME = store;
  // Some editors' terminals set this variable, which turns Electron into plain Node.
  delete env.ELECTRON_RUN_AS_NODE;
  const { code, milliseconds, startFailed } = await runInForeground(binary, [root], env);
  // Electron was killed or lacked a library before it could open a window; the user did not quit it.
  const neverOpened = (startFailed || code === 127) && milliseconds < 15_000;
  return neverOpened ? null : code;
}

async function serveToBrowser({ port, store }) {
  const args = [join(root, "out", "main", "headless.js"), "serve", "--open"];
  if (port !== undefined) args.push("--port", port);
  if (store !== undefined) args.push("--store", store);
  return (await runInForeground(localNode(), args, process.env)).code;
}

async function main() {
  const options = readOptions();
  if (options.help) {
    console.log(usage);
    return 0;
  }
  await ensureInstalled();
  await ensureBuilt();
  if (options.browser) return serveToBrowser(options);

  let reason = reasonAgainstDesktop();
  if (!reason) {
    const { binary, problem } = await electronBinary();
    reason = problem;
    if (binary && existsSync(binary)) {
      const code = await openDesktop(binary, options.store);
      if (code !== null) return code;
      reason = "Electron could not start here";
    }
  }
  console.error(`The desktop app is not available (${reason}); serving the same workbench to a browser instead.`);
  return serveToBrowser(options);
}

await runMain(main);
