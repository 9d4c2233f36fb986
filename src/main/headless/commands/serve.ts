/** `hypertower serve`: the workbench for a browser, on 127.0.0.1. */
import { randomBytes } from "node:crypto";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { messageOf } from "../../../shared/errors.ts";
import { isActive } from "../../../shared/run.ts";
import { plural } from "../../../shared/text.ts";
import { hostLog } from "../../logs/hostLog.ts";
import { FileAccess } from "../../services/fileAccess.ts";
import { movedAtStart } from "../../services/paths.ts";
import { UserError, type Services } from "../../services/services.ts";
import { startServer, type LocalServer } from "../server/index.ts";
import { onInterrupt } from "../interrupt.ts";
import { exitCodes, openServices, storeDirOf, type ProgramFiles } from "../session.ts";

export interface ServeOptions {
  readonly port?: number;
  readonly open?: boolean;
  readonly store?: string;
  /** Folders whose files windows may import; any by default. */
  readonly dataRoot?: readonly string[];
}

/** Default port, if it is free: a browser stores a window's settings by address. */
const defaultPort = 4817;

export async function serve(programFiles: ProgramFiles, options: ServeOptions): Promise<number> {
  if (!existsSync(join(programFiles.rendererDir, "index.html"))) {
    throw new UserError(`the window is not built (${programFiles.rendererDir} has no index.html); run: npm run build`);
  }
  const files = filesIn(options.dataRoot);
  const storeDir = movedAtStart(storeDirOf(options.store));
  const services = await openServices(programFiles, storeDir);
  let server: LocalServer;
  try {
    server = await listen(services, programFiles.rendererDir, options.port, files);
  } catch (error) {
    await services.close();
    throw error;
  }

  hostLog.info("started");
  await services.fleets.attach();
  const interrupted = untilInterrupted();
  console.log(`Hypertower ${programFiles.version}, store ${storeDir}`);
  console.log(`Open ${server.url}`);
  console.log("The link works once, in one browser. Press Ctrl+C to stop.");
  if (process.stdin.isTTY) offerNewLinks(server);
  if (options.open) await openBrowser(server.url);

  await interrupted;
  const active = (await services.handlers["runs.list"]({ deleted: false })).filter(({ status }) => isActive(status)).length;
  console.log(active > 0 ? `stopping ${plural(active, "run")}; progress is saved` : "stopping");
  await server.close();
  await services.close();
  hostLog.info("ended");
  return exitCodes.ok;
}

/** @throws UserError naming a folder that does not exist */
function filesIn(folders: readonly string[] | undefined): FileAccess | undefined {
  if (!folders || folders.length === 0) return undefined;
  const files = new FileAccess(`allowed are files in: ${folders.join(", ")}`);
  for (const folder of folders) {
    try {
      files.grant(folder);
    } catch (error) {
      throw new UserError(`--data-root ${folder} cannot be read: ${messageOf(error)}`, undefined, { cause: error });
    }
  }
  return files;
}

async function listen(services: Services, rendererDir: string, port: number | undefined, files: FileAccess | undefined): Promise<LocalServer> {
  try {
    return await startServer({ services, port: port ?? defaultPort, rendererDir, files });
  } catch (error) {
    const inUse = error instanceof UserError && error.cause instanceof Error && "code" in error.cause && error.cause.code === "EADDRINUSE";
    if (port === undefined && inUse) return startServer({ services, port: 0, rendererDir, files });
    throw error;
  }
}

/** Resolves at the first interruption; a second one ends this process at once. */
function untilInterrupted(): Promise<void> {
  return new Promise((resolve) => onInterrupt(resolve));
}

function offerNewLinks(server: LocalServer): void {
  console.log("Press Enter for a link for another browser.");
  const lines = createInterface({ input: process.stdin });
  lines.on("line", () => console.log(`Open ${server.newLink()}`));
  // An open standard input would keep the process alive.
  process.stdin.unref();
}

/**
 * Writes a private file that redirects to the link, because every account can read a program's arguments. The file
 * is in the home folder, the only one that sandboxed browsers can read, and is soon deleted.
 */
function redirectTo(url: string): string {
  const path = join(homedir(), `hypertower-open-${randomBytes(4).toString("hex")}.html`);
  writeFileSync(path, `<!doctype html><meta name="referrer" content="no-referrer"><meta http-equiv="refresh" content="0; url=${url}"><title>Hypertower</title><a href="${url}">Open Hypertower</a>\n`, { mode: 0o600, flag: "wx" });
  const remove = () => rmSync(path, { force: true });
  setTimeout(remove, 60_000).unref();
  process.once("exit", remove);
  return path;
}

async function openBrowser(url: string): Promise<void> {
  const hasDisplay = process.platform !== "linux" || Boolean(process.env["DISPLAY"] ?? process.env["WAYLAND_DISPLAY"]);
  if (!hasDisplay) return;
  const { default: open } = await import("open");
  try {
    await open(redirectTo(url));
  } catch (error) {
    console.error(`could not open a browser (${messageOf(error)}); open the link above yourself`);
  }
}
