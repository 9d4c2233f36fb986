/** Serves the workbench to a browser on this machine: files over HTTP, the contract over WebSocket. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { FileAccess } from "../../services/fileAccess.ts";
import { UserError, type Services } from "../../services/services.ts";
import { Access } from "./access.ts";
import { httpHandler } from "./http.ts";
import { attachSocket } from "./socket.ts";

/** The only address that the server listens on; other machines need a tunnel. */
const loopback = "127.0.0.1";

export interface ServerOptions {
  readonly services: Services;
  /** 0 takes any free port. */
  readonly port: number;
  /** Folder of the built window. */
  readonly rendererDir: string;
  /** Files that windows may have read; without it, all that this account may read. */
  readonly files?: FileAccess | undefined;
  /** Milliseconds within which a request must have arrived, its body included; 10 s by default. */
  readonly requestWithin?: number;
  /** Token of the first link; random by default. */
  readonly token?: string;
}

export interface LocalServer {
  /** The first link: opens the workbench once, in one browser. */
  readonly url: string;
  readonly port: number;
  /** A new link for another browser; an earlier, unused link becomes invalid. */
  newLink(): string;
  /** Closes every connection. The services stay open; the caller closes them. */
  close(): Promise<void>;
}

/**
 * Starts the server on 127.0.0.1.
 * @throws UserError when the port is not a port or cannot be listened on.
 */
export async function startServer({ services, port, rendererDir, token, files, requestWithin = 10_000 }: ServerOptions): Promise<LocalServer> {
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new UserError(`${port} is not a port; allowed: 1 to 65535, or 0 for any free one`);
  }
  const access = new Access(token);
  const server = createServer({ headersTimeout: requestWithin, requestTimeout: requestWithin, connectionsCheckingInterval: Math.min(1_000, requestWithin) }, httpHandler(access, rendererDir, services));
  await listen(server, port);
  const socket = attachSocket(server, access, services, files);
  const bound = (server.address() as AddressInfo).port;
  const link = (oneTime: string) => `http://${loopback}:${bound}/?token=${encodeURIComponent(oneTime)}`;

  let closing: Promise<void> | undefined;

  async function closeAll(): Promise<void> {
    const closed = once(server, "close");
    socket.close();
    server.close();
    server.closeIdleConnections();
    // Windows answer the closing handshake at once; cut off any other connection.
    const timer = setTimeout(() => {
      socket.terminate();
      server.closeAllConnections();
    }, 500);
    await closed;
    clearTimeout(timer);
  }

  return {
    url: link(token ?? access.renewToken()),
    port: bound,
    newLink: () => link(access.renewToken()),
    close: () => (closing ??= closeAll()),
  };
}

async function listen(server: Server, port: number): Promise<void> {
  server.listen({ host: loopback, port, exclusive: true });
  try {
    await once(server, "listening");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "EADDRINUSE") {
      throw new UserError(`port ${port} on ${loopback} is in use by another program; choose another port, or 0 for any free one`, undefined, { cause: error });
    }
    if (code === "EACCES") {
      throw new UserError(`port ${port} on ${loopback} may not be used by this account; choose 1024 to 65535, or 0 for any free one`, undefined, { cause: error });
    }
    throw error;
  }
}
