/**
 * Bridge over a WebSocket. Requests are `{ id, name, input }`, answers `{ id, reply }`,
 * events `{ event, payload }`, all JSON. A dropped socket is opened again with backoff;
 * requests under way are rejected, listeners stay subscribed.
 */
import type { Bridge, EventName, EventPayload, Reply, RequestInput, RequestName } from "@shared/contract.ts";

/** The connection was lost before an answer arrived. */
export class ConnectionLost extends Error {
  constructor() {
    super("The connection to the workbench was lost before it answered. The result of the request will show after reconnecting.");
    this.name = "ConnectionLost";
  }
}

/** The part of a browser's WebSocket used here. */
export interface Socket {
  readonly readyState: number;
  onopen: ((event: Event) => void) | null;
  onclose: ((event: CloseEvent) => void) | null;
  onmessage: ((event: MessageEvent) => void) | null;
  send(data: string): void;
}

/** `WebSocket.OPEN`: a closing socket drops messages before it reports that it is closed. */
const isOpen = 1;

export interface WebSocketOptions {
  open(): Socket;
  /** `again`: a connection that was open before is back. */
  onState(state: "open" | "lost", again: boolean): void;
  firstDelay?: number;
  longestDelay?: number;
}

interface Pending {
  resolve(reply: unknown): void;
  reject(error: Error): void;
  message: string;
}

type Incoming = { id: number; reply: unknown } | { event: EventName; payload: unknown };

export class WebSocketBridge implements Bridge {
  private readonly options: WebSocketOptions;
  private readonly pending = new Map<number, Pending>();
  private readonly listeners = new Map<EventName, Set<(payload: never) => void>>();
  private socket: Socket | null = null;
  private nextId = 1;
  private wasOpen = false;
  private failures = 0;

  constructor(options: WebSocketOptions) {
    this.options = options;
    this.connect();
  }

  request<N extends RequestName>(name: N, input: RequestInput<N>): Promise<Reply<N>> {
    // Requests wait for the first connection. After a loss they fail at once: resending could repeat them.
    if (this.wasOpen && this.socket?.readyState !== isOpen) return Promise.reject(new ConnectionLost());
    const id = this.nextId++;
    return new Promise<Reply<N>>((resolve, reject) => {
      const message = JSON.stringify({ id, name, input });
      this.pending.set(id, { resolve: (reply) => resolve(reply as Reply<N>), reject, message });
      this.socket?.send(message);
    });
  }

  on<N extends EventName>(name: N, listener: (payload: EventPayload<N>) => void): () => void {
    const set = this.listeners.get(name) ?? new Set();
    this.listeners.set(name, set);
    set.add(listener);
    return () => set.delete(listener);
  }

  private connect(): void {
    const socket = this.options.open();
    socket.onopen = () => {
      this.socket = socket;
      this.failures = 0;
      for (const { message } of this.pending.values()) socket.send(message);
      this.options.onState("open", this.wasOpen);
      this.wasOpen = true;
    };
    socket.onmessage = (event) => this.receive(JSON.parse(String(event.data)) as Incoming);
    socket.onclose = () => this.lost();
  }

  private lost(): void {
    const wasConnected = this.socket !== null;
    this.socket = null;
    if (wasConnected) {
      for (const { reject } of this.pending.values()) reject(new ConnectionLost());
      this.pending.clear();
    }
    this.options.onState("lost", false);
    const { firstDelay = 250, longestDelay = 5000 } = this.options;
    const delay = Math.min(longestDelay, firstDelay * 2 ** this.failures++);
    setTimeout(() => this.connect(), delay);
  }

  private receive(message: Incoming): void {
    if ("event" in message) {
      const listeners = this.listeners.get(message.event) ?? [];
      for (const listener of [...listeners]) (listener as (payload: unknown) => void)(message.payload);
      return;
    }
    const pending = this.pending.get(message.id);
    this.pending.delete(message.id);
    pending?.resolve(message.reply);
  }
}
