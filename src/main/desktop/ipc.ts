/** The contract over Electron's IPC: one channel per request and per event; every sender is checked. */
import { ipcMain, type WebContents } from "electron";
import { eventChannel, requestChannel } from "../../shared/channels.ts";
import { eventNames, requestNames, type EventName } from "../../shared/contract.ts";
import { dispatch } from "../services/dispatch.ts";
import type { Services } from "../services/services.ts";
import { isTrustedSender } from "./location.ts";

/** Answers the window's requests and forwards events to it. `window` is null while there is none. */
export function connectWindow(services: Services, window: () => WebContents | null): void {
  for (const name of requestNames) {
    ipcMain.handle(requestChannel(name), (event, input: unknown) => {
      if (!isTrustedSender(event.senderFrame)) {
        const sender = event.senderFrame?.url ?? "a frame that is gone";
        console.error(`refused ${name} from ${sender}`);
        throw new Error("this page may not send requests");
      }
      return dispatch(services, name, input);
    });
  }
  for (const name of eventNames) forward(services, name, window);
}

function forward(services: Services, name: EventName, window: () => WebContents | null): void {
  services.on(name, (payload) => window()?.send(eventChannel(name), payload));
}
