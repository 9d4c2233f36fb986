/** Connection to the services: Electron's bridge, or a WebSocket to the page's origin. */
import { readonly, ref, type Ref } from "vue";
import { bridgeKey, type Bridge } from "@shared/contract.ts";
import { keyName, keyProtocol, socketProtocol } from "@shared/socket.ts";
import { WebSocketBridge } from "./webSocket.ts";

export type ConnectionState = "connecting" | "open" | "lost";

export interface Connection {
  readonly bridge: Bridge;
  readonly state: Readonly<Ref<ConnectionState>>;
  /** Called after a reconnect: earlier data may be stale. */
  onReconnect(listener: () => void): () => void;
}

/** Connects; in a browser the socket reconnects for as long as the page lives. */
export function connect(): Connection {
  const bridge = window[bridgeKey];
  if (bridge) return { bridge, state: readonly(ref<ConnectionState>("open")), onReconnect: () => () => undefined };

  const state = ref<ConnectionState>("connecting");
  const reconnected = new Set<() => void>();
  const address = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`;
  const socket = new WebSocketBridge({
    // Read the key each time: another window may have been opened by a new link.
    open: () => new WebSocket(address, [socketProtocol, keyProtocol(localStorage.getItem(keyName) ?? "none")]),
    onState: (next, again) => {
      state.value = next;
      if (next === "open" && again) for (const listener of reconnected) listener();
    },
  });
  return {
    bridge: socket,
    state: readonly(state),
    onReconnect(listener) {
      reconnected.add(listener);
      return () => reconnected.delete(listener);
    },
  };
}
