/** Answers HTTP requests: redeems links, checks sessions, serves the window's files. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Pieces } from "../../services/services.ts";
import { isDownload, openDownload, type DownloadServices } from "../../web/downloads.ts";
import { securityHeaders } from "../../web/headers.ts";
import { readWindowFile } from "../../web/guide.ts";
import { isLoopbackHost, isSameOrigin, type Access } from "./access.ts";
import { linkRefused, notFound, reopen, sessionRequired, welcome, welcomeScript } from "./pages.ts";
import { hostLog } from "../../logs/hostLog.ts";

const text = "text/plain; charset=utf-8";
const html = "text/html; charset=utf-8";

interface Answer {
  readonly status: number;
  readonly body: string | Buffer | Pieces;
  readonly headers: Readonly<Record<string, string>>;
}

function answer(status: number, contentType: string, body: string | Buffer, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, body, headers: { "content-type": contentType, "cache-control": "no-store", ...headers } };
}

/** Serves the files of `rendererDir`, the guide, and downloads, to browsers with a session. */
export function httpHandler(access: Access, rendererDir: string, services: DownloadServices) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    respond(request, access, rendererDir, services)
      .catch((error: unknown) => {
        hostLog.error(`${request.method ?? ""} ${request.url ?? ""} failed:`, error);
        return answer(500, text, "The server could not read this file; its terminal says why.\n");
      })
      .then(({ status, body, headers }) => {
        const all = { ...securityHeaders, ...headers };
        if (typeof body === "string" || Buffer.isBuffer(body)) {
          response.writeHead(status, { ...all, "content-length": Buffer.byteLength(body) });
          response.end(request.method === "HEAD" ? undefined : body);
          return;
        }
        response.writeHead(status, all);
        if (request.method === "HEAD") response.end();
        // Respects backpressure; ends when the browser disconnects.
        else return pipeline(Readable.from(body), response);
      })
      .catch((error: unknown) => {
        // A browser that cancels a download is not an error.
        if (!request.destroyed && !response.destroyed) hostLog.error(`${request.method ?? ""} ${request.url ?? ""} was not answered:`, error);
        response.destroy();
      });
  };
}

async function respond(request: IncomingMessage, access: Access, rendererDir: string, services: DownloadServices): Promise<Answer> {
  const { method, headers } = request;
  if (!isLoopbackHost(headers.host)) return answer(403, text, "This server answers to 127.0.0.1 and localhost only.\n");
  if (method !== "GET" && method !== "HEAD") {
    if (!isSameOrigin(headers)) return answer(403, text, "Requests from other pages are refused.\n");
    return answer(405, text, "Only GET and HEAD are answered here.\n", { allow: "GET, HEAD" });
  }
  // Split by hand: URL would resolve dot segments, which must be refused.
  const target = request.url ?? "/";
  const queryAt = target.indexOf("?");
  const path = queryAt === -1 ? target : target.slice(0, queryAt);
  const token = path === "/" && queryAt !== -1 ? new URLSearchParams(target.slice(queryAt + 1)).get("token") : null;
  const known = access.hasSession(headers);

  if (token !== null && method === "GET") {
    const granted = access.redeem(token);
    if (granted) return answer(200, html, welcome(granted.key), { "set-cookie": granted.cookie });
    return known ? answer(303, text, "", { location: "/" }) : answer(403, html, linkRefused);
  }
  if (path === welcomeScript.path) return answer(200, "text/javascript; charset=utf-8", welcomeScript.body);
  if (!known) {
    // Browsers do not send a strict cookie with a navigation from another site, e.g. a
    // terminal in a web page. Reloading from our own page sends it, if there is one.
    const fromElsewhere = headers["sec-fetch-site"] === "cross-site" && headers["sec-fetch-mode"] === "navigate";
    if (fromElsewhere && path === "/") return answer(200, html, reopen);
    return answer(403, html, sessionRequired);
  }
  if (isDownload(path)) {
    const download = await openDownload(services, path);
    return download.status === 200 ? { status: 200, headers: download.headers, body: download.pieces } : answer(404, text, `${download.message}\n`);
  }
  const file = await readWindowFile(rendererDir, path);
  if (!file) return answer(404, html, notFound);
  return answer(200, file.contentType, file.body, file.hashed ? { "cache-control": "private, max-age=31536000, immutable" } : {});
}
