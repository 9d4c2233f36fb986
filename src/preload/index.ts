/** Exposes the contract, and nothing else, to the window's page. */
import { contextBridge, ipcRenderer, webUtils, type IpcRendererEvent } from "electron";
import { droppedChannel, eventChannel, openedChannel, openingChannel, requestChannel } from "../shared/channels.ts";
import {
  bridgeKey,
  eventNames,
  requestNames,
  type Bridge,
  type EventName,
  type EventPayload,
  type Reply,
  type RequestInput,
  type RequestName,
} from "../shared/contract.ts";
import type { Opening } from "../shared/opening.ts";

const requests: ReadonlySet<unknown> = new Set(requestNames);
const events: ReadonlySet<unknown> = new Set(eventNames);

const bridge: Bridge = {
  async request<N extends RequestName>(name: N, input: RequestInput<N>): Promise<Reply<N>> {
    if (!requests.has(name)) throw new TypeError(`there is no request named ${String(name)}`);
    return (await ipcRenderer.invoke(requestChannel(name), input)) as Reply<N>;
  },
  on<N extends EventName>(name: N, listener: (payload: EventPayload<N>) => void): () => void {
    if (!events.has(name)) throw new TypeError(`there is no event named ${String(name)}`);
    // The IPC event stays here: it would hand the page the sender, and with it all of IPC.
    const receive = (_event: IpcRendererEvent, payload: EventPayload<N>): void => listener(payload);
    ipcRenderer.on(eventChannel(name), receive);
    return () => {
      ipcRenderer.removeListener(eventChannel(name), receive);
    };
  },
  async dropped(file: File): Promise<string | null> {
    // Electron knows the path of a file that a person dropped; a file that the page made has none.
    const path = webUtils.getPathForFile(file);
    return path === "" ? null : ((await ipcRenderer.invoke(droppedChannel, path)) as string | null);
  },
  async opened() {
    return (await ipcRenderer.invoke(openedChannel)) as Opening[];
  },
  onOpening(listener: () => void): () => void {
    const receive = (): void => listener();
    ipcRenderer.on(openingChannel, receive);
    return () => {
      ipcRenderer.removeListener(openingChannel, receive);
    };
  },
};

contextBridge.exposeInMainWorld(bridgeKey, bridge);
