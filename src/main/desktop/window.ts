/** The window: its preferences, its bounds, and an offer to reload after its page crashed. */
import { BrowserWindow, dialog, screen } from "electron";
import { windowUrl } from "./location.ts";
import { readWindowState, minSize, startBounds, writeWindowState } from "./windowState.ts";
import { hostLog } from "../logs/hostLog.ts";

export interface WindowOptions {
  readonly preload: string;
  /** File with the window's bounds. */
  readonly stateFile: string;
}

export function openWindow({ preload, stateFile }: WindowOptions): BrowserWindow {
  const saved = readWindowState(stateFile);
  const areas = screen.getAllDisplays().map((display) => display.workArea);
  const window = new BrowserWindow({
    ...startBounds(saved?.bounds ?? null, areas),
    minWidth: minSize.width,
    minHeight: minSize.height,
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
    // -3: another load replaced this one.
    if (isMainFrame && code !== -3) hostLog.warn(`${url} did not load: ${description} (${code})`);
  });
  void window.loadURL(windowUrl).catch((error: unknown) => {
    // The app has ended meanwhile.
    if (window.isDestroyed()) return;
    hostLog.error("the window's page did not load:", error);
    window.show();
  });
  return window;
}

/** Saves the window's bounds soon after a change, because the app may end without closing the window. */
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
    hostLog.error(`the window's bounds could not be saved in ${stateFile}:`, error);
  }
}

async function offerReload(window: BrowserWindow, reason: string): Promise<void> {
  hostLog.warn(`the window's page crashed: ${reason}`);
  const { response } = await dialog.showMessageBox(window, {
    type: "error",
    message: "The window's page crashed.",
    detail: `Runs are not affected: training and logging continue in other processes. (${reason})`,
    buttons: ["Reload", "Cancel"],
    defaultId: 0,
    cancelId: 1,
  });
  if (response === 0 && !window.isDestroyed()) window.webContents.reload();
}
