/** The guide in a window of its own. It has no preload: its pages can ask the app for nothing. */
import { BrowserWindow, dialog, shell } from "electron";
import { messageOf } from "../../shared/errors.ts";
import { hostLog } from "../logs/hostLog.ts";
import { isGuidePath } from "../web/guide.ts";
import { isOwnUrl, windowUrl } from "./location.ts";

let guide: BrowserWindow | null = null;

export const isGuideUrl = (url: string): boolean => isOwnUrl(url) && isGuidePath(new URL(url).pathname);

/** Opens a page of the guide, or brings the guide to the front. */
export function openGuide(url = `${windowUrl}guide/`): void {
  if (guide) {
    if (guide.isMinimized()) guide.restore();
    guide.focus();
    return;
  }
  const window = new BrowserWindow({
    width: 1180,
    height: 840,
    minWidth: 360,
    minHeight: 320,
    title: "Hypertower Guide",
    webPreferences: { contextIsolation: true, sandbox: true, nodeIntegration: false, webviewTag: false, webSecurity: true, spellcheck: false },
  });
  guide = window;
  window.on("closed", () => {
    guide = null;
  });
  window.webContents.setWindowOpenHandler(({ url: address }) => {
    if (isWebAddress(address)) void offerToOpen(window, address);
    else hostLog.warn(`refused a new window for ${address.slice(0, 200)}`);
    return { action: "deny" };
  });
  void window.loadURL(url).catch((error: unknown) => hostLog.error(`the guide did not load: ${messageOf(error)}`));
}

export function closeGuide(): void {
  guide?.destroy();
}

function isWebAddress(url: string): boolean {
  return URL.parse(url)?.protocol === "https:";
}

async function offerToOpen(window: BrowserWindow, address: string): Promise<void> {
  const { response } = await dialog.showMessageBox(window, {
    type: "question",
    message: "Open this page in your browser?",
    detail: address.slice(0, 500),
    buttons: ["Cancel", "Open in Browser"],
    defaultId: 0,
    cancelId: 0,
    noLink: true,
  });
  if (response !== 1) return;
  try {
    await shell.openExternal(address);
  } catch (error) {
    hostLog.warn(`the system's browser did not open: ${messageOf(error)}`);
  }
}
