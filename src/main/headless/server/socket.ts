/** The contract over WebSocket: `{id, name, input}` in, `{id, reply}` and `{event, payload}` out. */
import { STATUS_CODES, type IncomingMessage, type Server } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer, type RawData, type WebSocket } from "ws";
import { z } from "zod";
import { eventNames, type EventName } from "../../../shared/contract.ts";
import { socketProtocol } from "../../../shared/socket.ts";
import { dispatch } from "../../services/dispatch.ts";
import type { FileAccess } from "../../services/fileAccess.ts";
import type { Services } from "../../services/services.ts";
import { isLoopbackHost, isSameOrigin, type Access } from "./access.ts";
import { hostLog } from "../../logs/hostLog.ts";

/** Maximum size of a request: the largest contains one experiment. */
export const maxMessageBytes = 1024 * 1024;
/** Bytes waiting for a slow window before it is disconnected; it reconnects and requests its data again. */
const maxUnsentBytes = 16 * 1024 * 1024;
/** Maximum number of active requests of a window; further ones are not read, and wait in the window's memory. */
const maxInFlight = 64;
/** Milliseconds between pings, which keep tunnels open and detect windows that are gone. */
const pingInterval = 30_000;

const request = z.object({
  id: z.union([z.number(), z.string().max(64)]),
  name: z.unknown(),
  input: z.unknown(),
});

const closeCode = { goingAway: 1001, unsupportedData: 1003, invalidPayload: 1007, internalError: 1011 } as const;

export interface Socket {
  /** Starts the closing handshake with every window, and unsubscribes from events. */
  close(): void;
  /** Disconnects the windows that have not answered the handshake. */
  terminate(): void;
}

/** Attaches `/ws` to the server. */
export function attachSocket(server: Server, access: Access, services: Services, files?: FileAccess): Socket {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: maxMessageBytes, perMessageDeflate: false, handleProtocols: () => socketProtocol });
  const alive = new WeakSet<WebSocket>();

  server.on("upgrade", (upgrade: IncomingMessage, connection: Duplex, head: Buffer) => {
    connection.on("error", () => connection.destroy());
    const refused = refusal(upgrade, access);
    if (refused) {
      refuse(connection, refused.status, refused.reason);
      return;
    }
    sockets.handleUpgrade(upgrade, connection, head, (socket) => {
      alive.add(socket);
      socket.on("pong", () => alive.add(socket));
      socket.on("error", (error) => hostLog.warn(`the connection to a window failed: ${error.message}`));
      let inFlight = 0;
      socket.on("message", (data, isBinary) => {
        if (isBinary) {
          socket.close(closeCode.unsupportedData, "messages are JSON texts");
          return;
        }
        if (++inFlight === maxInFlight) socket.pause();
        void handleMessage(socket, services, files, data).finally(() => {
          if (inFlight-- === maxInFlight && socket.readyState === socket.OPEN) socket.resume();
        });
      });
    });
  });

  const unsubscribe = eventNames.map((name) => forward(services, name, sockets));
  const timer = setInterval(() => {
    for (const socket of sockets.clients) {
      if (alive.delete(socket)) socket.ping();
      else socket.terminate();
    }
  }, pingInterval);
  timer.unref();

  return {
    close() {
      clearInterval(timer);
      for (const stop of unsubscribe) stop();
      for (const socket of sockets.clients) socket.close(closeCode.goingAway, "the server is closing");
      sockets.close();
    },
    terminate() {
      for (const socket of sockets.clients) socket.terminate();
    },
  };
}

function refusal(upgrade: IncomingMessage, access: Access): { status: number; reason: string } | null {
  if (!isLoopbackHost(upgrade.headers.host)) return { status: 403, reason: "this server answers to 127.0.0.1 and localhost only" };
  if (!isSameOrigin(upgrade.headers)) return { status: 403, reason: "connections from other pages are refused" };
  if (!access.mayConnect(upgrade.headers)) return { status: 403, reason: "no session: open the link that the server prints" };
  if (upgrade.url !== "/ws") return { status: 404, reason: "the socket is at /ws" };
  return null;
}

function refuse(connection: Duplex, status: number, reason: string): void {
  connection.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`,
      "connection: close",
      "content-type: text/plain; charset=utf-8",
      `content-length: ${Buffer.byteLength(reason)}`,
      "",
      reason,
    ].join("\r\n"),
  );
}

async function handleMessage(socket: WebSocket, services: Services, files: FileAccess | undefined, data: RawData): Promise<void> {
  let message: z.infer<typeof request>;
  try {
    message = request.parse(JSON.parse(String(data)));
  } catch {
    socket.close(closeCode.invalidPayload, "messages are JSON objects {id, name, input}");
    return;
  }
  try {
    const refused = (await files?.refusal(message.name, message.input)) ?? null;
    const reply = refused === null ? await dispatch(services, message.name, message.input) : { ok: false, error: { message: refused } };
    send(socket, JSON.stringify({ id: message.id, reply }));
  } catch (error) {
    // dispatch() never rejects, so this is a defect; the window must not wait forever.
    hostLog.error("a reply could not be sent:", error);
    socket.close(closeCode.internalError, "a reply could not be sent");
  }
}

function forward(services: Services, event: EventName, sockets: WebSocketServer): () => void {
  return services.on(event, (payload) => {
    const message = JSON.stringify({ event, payload });
    for (const socket of sockets.clients) send(socket, message);
  });
}

function send(socket: WebSocket, message: string): void {
  if (socket.readyState !== socket.OPEN) return;
  if (socket.bufferedAmount > maxUnsentBytes) socket.terminate();
  else socket.send(message);
}
