/** Another site: a server that no window of the app may reach, under a name that only the app under test resolves. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const name = "elsewhere.test";

const bodies: Readonly<Record<string, readonly [type: string, body: string]>> = {
  "/": ["text/html", "<title>elsewhere</title><p>elsewhere</p>"],
  "/x.js": ["text/javascript", "window.cameFromElsewhere = true;"],
  "/x.css": ["text/css", "body { outline: 3px solid red; }"],
  "/x.svg": ["image/svg+xml", '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>'],
  "/private": ["text/plain", "secret"],
};

export interface Elsewhere {
  /** `http://elsewhere.test:PORT/`: insecure and foreign. */
  readonly url: string;
  /** The same server as `http://127.0.0.1:PORT/`, which Chromium trusts with every API. */
  readonly trusted: string;
  /** Paths that were asked for, in order, of any method. */
  readonly hits: readonly string[];
  forget(): void;
  close(): Promise<void>;
}

/** Command-line switches with which an app finds it, and has a camera and a microphone to ask for. */
export const switches = [`--host-resolver-rules=MAP ${name} 127.0.0.1`, "--use-fake-device-for-media-stream"];

export async function startElsewhere(): Promise<Elsewhere> {
  const hits: string[] = [];
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://x").pathname;
    // Every window of Chromium may ask for it.
    if (path !== "/favicon.ico") hits.push(path);
    const [type, body] = bodies[path] ?? ["text/plain", "nothing"];
    response.writeHead(200, { "content-type": type }).end(body);
  });
  server.on("upgrade", (request, socket) => {
    hits.push(`socket ${request.url}`);
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${name}:${port}/`,
    trusted: `http://127.0.0.1:${port}/`,
    hits,
    forget: () => void (hits.length = 0),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
