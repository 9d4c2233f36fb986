/** The desktop app. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { app, type BrowserWindow } from "electron";
import { messageOf } from "../../shared/errors.ts";
import { linkScheme } from "../../shared/opening.ts";
import { importerOptions } from "../hosting/importMemory.ts";
import { createServices } from "../services/createServices.ts";
import { hostLog } from "../logs/hostLog.ts";
import { guardProcess } from "../services/lastResort.ts";
import { openHostLog } from "../services/logs.ts";
import { defaultStoreDir, movedAtStart } from "../services/paths.ts";
import { UserError } from "../services/services.ts";
import { showFailure } from "./failure.ts";
import { closeGuide } from "./guide.ts";
import { connectWindow } from "./ipc.ts";
import { setMenu } from "./menu.ts";
import { OpeningQueue, itemsIn } from "./opening.ts";
import { registerScheme, serveWindow } from "./protocol.ts";
import { guardQuit } from "./quit.ts";
import { offerRescue } from "./rescue.ts";
import { denyEverythingElse, denyPermissions } from "./security.ts";
import { checkLauncher } from "./checkLauncher.ts";
import { utilityLauncher } from "./utilityLauncher.ts";
import { runScript } from "./runScript.ts";
import { taskLauncher } from "./taskLauncher.ts";
import { openWindow } from "./window.ts";

// Paths are relative to the built entry in out/main.
const here = import.meta.dirname;
const files = {
  preload: join(here, "../preload/index.cjs"),
  renderer: join(here, "../renderer"),
  trainer: join(here, "trainer.js"),
  importer: join(here, "importer.js"),
  integrityCheck: join(here, "integrityCheck.js"),
  storeTask: join(here, "storeTask.js"),
  manifest: join(here, "../../package.json"),
};
const developmentUrl = import.meta.env.DEV ? process.env["ELECTRON_RENDERER_URL"] : undefined;
let storeDir = "";
let window: BrowserWindow | null = null;
let started = false;
const openings = new OpeningQueue();

guardProcess((lines) => {
  showFailure("Hypertower ends", lines.join("\n"));
  app.exit(1);
});
app.setName("Hypertower");
// With --no-sandbox, enabling the sandbox would crash every child process.
if (!app.commandLine.hasSwitch("no-sandbox")) app.enableSandbox();
registerScheme();
denyEverythingElse();

try {
  storeDir = movedAtStart(defaultStoreDir());
  prepareFolder();
  // The lock is in the store's folder: one app per store. A second start brings the first to the front and hands over its files and links.
  if (app.requestSingleInstanceLock({ items: itemsIn(process.argv.slice(1)), folder: process.cwd() })) {
    app.on("second-instance", (_event, _args, _folder, given) => {
      showWindow();
      openGiven(given);
    });
    // On macOS, files and links come as events, which may precede the start.
    app.on("open-file", (event, path) => {
      event.preventDefault();
      openGiven({ items: [path], folder: "/" });
    });
    app.on("open-url", (event, link) => {
      event.preventDefault();
      openGiven({ items: [link], folder: "/" });
    });
    openGiven({ items: process.argv.slice(1), folder: process.cwd() });
    // Installers register the links elsewhere.
    if (process.platform === "win32" && app.isPackaged) app.setAsDefaultProtocolClient(linkScheme);
    app.whenReady().then(startOrRescue).catch(failToStart);
  } else {
    console.error(`Hypertower is already open on ${storeDir}; showing its window.`);
    app.exit(0);
  }
} catch (error) {
  failToStart(error);
}

/** @param given files and links, of this start or another: not trusted */
function openGiven(given: unknown): void {
  const { items, folder } = (given ?? {}) as { items?: unknown; folder?: unknown };
  if (Array.isArray(items) && typeof folder === "string") void openings.add(itemsIn(items), folder);
}

/** All files of the app are in the store's folder, Chromium's in its subfolder `window`. */
function prepareFolder(): void {
  let userData = join(storeDir, "window");
  try {
    mkdirSync(userData, { recursive: true, mode: 0o700 });
  } catch (error) {
    if (!existsSync(join(storeDir, "hypertower.sqlite"))) {
      const reason = messageOf(error);
      throw new UserError(`the folder for the store cannot be created: ${userData} (${reason})`, undefined, { cause: error });
    }
    // A store that can only be read can be viewed.
    userData = mkdtempSync(join(tmpdir(), "hypertower-window-"));
  }
  app.setPath("userData", userData);
}

/** Starts. A store that cannot be opened is first repaired or restored, as the person chooses. */
async function startOrRescue(): Promise<void> {
  denyPermissions(developmentUrl === undefined);
  for (let isMended = true; isMended; ) {
    try {
      await start();
      return;
    } catch (error) {
      isMended = await offerRescue(storeDir, error);
      if (!isMended) throw error;
    }
  }
}

async function start(): Promise<void> {
  const { version } = JSON.parse(readFileSync(files.manifest, "utf8")) as { version: string };
  openHostLog({ storeDir, where: "desktop", version });
  const services = await createServices({
    storeDir,
    host: "desktop",
    version,
    launchTrainer: utilityLauncher(files.trainer, "Hypertower trainer"),
    launchImporter: utilityLauncher(files.importer, "Hypertower import", importerOptions()),
    launchCheck: checkLauncher(files.integrityCheck),
    launchTask: taskLauncher(files.storeTask),
    runScript,
  });
  void services.fleets.attach();
  guardQuit({ services, window: () => window });
  serveWindow(files.renderer, services, developmentUrl);
  connectWindow(services, () => window?.webContents ?? null, openings);
  setMenu(storeDir);
  hostLog.info("started");
  started = true;
  showWindow();
  app.on("activate", showWindow);
}

function showWindow(): void {
  if (!started) return;
  if (window) {
    if (window.isMinimized()) window.restore();
    window.focus();
    return;
  }
  window = openWindow({ preload: files.preload, stateFile: join(app.getPath("userData"), "place.json") });
  window.on("closed", () => {
    window = null;
    closeGuide();
  });
}

function failToStart(error: unknown): void {
  showFailure("Hypertower cannot start", error);
  app.exit(1);
}
