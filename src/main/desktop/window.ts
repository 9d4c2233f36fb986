/** The one window: its preferences, its place on the screen, and what happens when its page crashes. */
import { BrowserWindow, dialog, screen } from "electron";
import { windowUrl } from "./location.ts";
import { readWindowState, smallest, startBounds, writeWindowState } from "./windowState.ts";

export interface WindowOptions {
  readonly preload: string;
  /** File that keeps the window's place. */
  readonly stateFile: string;
}

export function openWindow({ preload, stateFile }: WindowOptions): BrowserWindow {
  const saved = readWindowState(stateFile);
  const areas = screen.getAllDisplays().map((display) => display.workArea);
  const window = new BrowserWindow({
    ...startBounds(saved?.bounds ?? null, areas),
    minWidth: smallest.width,
    minHeight: smallest.height,
    title: "Hypertower",
    show: false,
    webPreferences: {
      preload,
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      nodeIntegrationInSubFrames: false,
      nodeIntegrationInWorker: false,
      webviewTag: false,
      webSecurity: true,
      allowRunningInsecureContent: false,
      spellcheck: false,
    },
  });
  if (saved?.maximized) window.maximize();
  window.once("ready-to-show", () => window.show());
  keepState(window, stateFile);
  window.webContents.on("render-process-gone", (_event, { reason }) => {
    if (reason !== "clean-exit") void offerReload(window, reason);
  });
  window.webContents.on("did-fail-load", (_event, code, description, url, isMainFrame) => {
    // -3 is a load that another one replaced.
    if (isMainFrame && code !== -3) console.error(`${url} did not load: ${description} (${code})`);
  });
  void window.loadURL(windowUrl).catch((error: unknown) => {
    console.error("the window's page did not load:", error);
    window.show();
  });
  return window;
}

/** Writes down where the window stands, soon after it was moved: the app may end without closing it. */
function keepState(window: BrowserWindow, stateFile: string): void {
  let timer: NodeJS.Timeout | undefined;
  const soon = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => saveState(window, stateFile), 500);
  };
  window.on("resize", soon);
  window.on("move", soon);
  window.on("close", () => saveState(window, stateFile));
  window.on("closed", () => clearTimeout(timer));
}

function saveState(window: BrowserWindow, stateFile: string): void {
  if (window.isDestroyed()) return;
  try {
    writeWindowState(stateFile, { bounds: window.getNormalBounds(), maximized: window.isMaximized() });
  } catch (error) {
    console.error(`the window's place was not saved in ${stateFile}:`, error);
  }
}

async function offerReload(window: BrowserWindow, reason: string): Promise<void> {
  console.error(`the window's page crashed: ${reason}`);
  const { response } = await dialog.showMessageBox(window, {
    type: "error",
    message: "The window's page crashed.",
    detail: `Runs are not affected: training and logging go on in other processes. (${reason})`,
    buttons: ["Load it again", "Leave it"],
    defaultId: 0,
    cancelId: 1,
  });
  if (response === 0 && !window.isDestroyed()) window.webContents.reload();
}
