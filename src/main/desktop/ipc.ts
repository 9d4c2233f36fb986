/** The contract over Electron's IPC: one channel per request and per event; every sender is checked. */
import { ipcMain, type IpcMainInvokeEvent, type WebContents } from "electron";
import { droppedChannel, eventChannel, openedChannel, openingChannel, requestChannel } from "../../shared/channels.ts";
import { eventNames, requestNames, type EventName, type Reply, type RequestName } from "../../shared/contract.ts";
import type { Opening } from "../../shared/opening.ts";
import { dispatch } from "../services/dispatch.ts";
import { FileAccess } from "../services/fileAccess.ts";
import { hostLog } from "../logs/hostLog.ts";
import type { Services } from "../services/services.ts";
import { choosePath } from "./choosePath.ts";
import { inputProblem } from "./plainInput.ts";
import { isTrustedSender } from "./location.ts";
import { OpeningQueue } from "./opening.ts";

/** Longest path that a system has, generously. */
const maxPath = 32_768;

/** Files that were chosen in each window, or dropped on it. A page that was reloaded keeps them, a new window has none. */
const access = new WeakMap<WebContents, FileAccess>();

function accessOf(window: WebContents): FileAccess {
  const granted = access.get(window) ?? new FileAccess("choose it in the dialog, or drop it on the window");
  access.set(window, granted);
  return granted;
}

/** Answers the window's requests and forwards events to it. `window` is null while there is none. */
export function connectWindow(services: Services, window: () => WebContents | null, openings = new OpeningQueue()): void {
  for (const name of requestNames) {
    ipcMain.handle(requestChannel(name), async (event, input: unknown): Promise<Reply<RequestName>> => {
      requireTrusted(event, name);
      const problem = inputProblem(input);
      if (problem !== null) return { ok: false, error: { message: `${name} was refused: ${problem}.` } };
      const granted = accessOf(event.sender);
      if (name === "datasets.choose") return choosePath(input, granted);
      const refused = await granted.refusal(name, input);
      return refused === null ? dispatch(services, name, input) : { ok: false, error: { message: refused } };
    });
  }
  ipcMain.handle(droppedChannel, (event, path: unknown): string | null => {
    requireTrusted(event, "a dropped file");
    if (typeof path !== "string" || path.length > maxPath) return null;
    try {
      accessOf(event.sender).grant(path);
      return path;
    } catch {
      return null; // it is gone
    }
  });
  ipcMain.handle(openedChannel, (event): Opening[] => {
    requireTrusted(event, "a request for opened files");
    return openings.take().map((opening) => granted(opening, event.sender));
  });
  openings.onAdded = () => window()?.send(openingChannel);
  for (const name of eventNames) forward(services, name, window);
}

/** Opening a file in the app is as good as choosing it there: the window may read it. */
function granted(opening: Opening, window: WebContents): Opening {
  if (opening.kind !== "archive") return opening;
  try {
    accessOf(window).grant(opening.path);
    return opening;
  } catch {
    return { kind: "problem", name: opening.name, message: `${opening.path} is no longer there.` };
  }
}

function requireTrusted(event: IpcMainInvokeEvent, what: string): void {
  if (isTrustedSender(event.senderFrame)) return;
  const sender = event.senderFrame?.url ?? "a frame that is gone";
  hostLog.warn(`refused ${what} from ${sender}`);
  throw new Error("this page may not send requests");
}

function forward(services: Services, name: EventName, window: () => WebContents | null): void {
  services.on(name, (payload) => window()?.send(eventChannel(name), payload));
}
