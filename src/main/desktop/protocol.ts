/** Serves app://hypertower/: the window's built files, with the same headers as over HTTP. */
import { Readable } from "node:stream";
import { net, protocol } from "electron";
import type { Pieces } from "../services/services.ts";
import { isDownload, openDownload, type DownloadServices } from "../web/downloads.ts";
import { securityHeaders } from "../web/headers.ts";
import { isGuidePath, readWindowFile } from "../web/guide.ts";
import { isOwnUrl, scheme } from "./location.ts";
import { hostLog } from "../logs/hostLog.ts";

/** Call before the app is ready. */
export function registerScheme(): void {
  protocol.registerSchemesAsPrivileged([
    { scheme, privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true } },
  ]);
}

/**
 * Serves the files of `rendererDir`, the guide, and downloads. In development, serves the files of Vite's server at
 * `developmentUrl`, without the content security policy, which hot replacement would violate.
 */
export function serveWindow(rendererDir: string, services: DownloadServices, developmentUrl?: string): void {
  protocol.handle(scheme, async (request) => {
    if (isOwnUrl(request.url) && isDownload(new URL(request.url).pathname)) return sendDownload(request, services);
    const { pathname, search } = new URL(request.url);
    if (developmentUrl !== undefined && !isGuidePath(pathname)) {
      return net.fetch(new URL(pathname + search, developmentUrl).href, { headers: request.headers });
    }
    if (!isOwnUrl(request.url)) return plain(404, "There is nothing at this address.");
    if (request.method !== "GET" && request.method !== "HEAD") return plain(405, "Only GET and HEAD are answered here.");
    try {
      const file = await readWindowFile(rendererDir, pathname);
      if (!file) return plain(404, "There is no such file.");
      return new Response(request.method === "HEAD" ? null : file.body, {
        headers: { ...securityHeaders, "content-type": file.contentType, "cache-control": "no-cache" },
      });
    } catch (error) {
      hostLog.error(`${request.url} could not be read:`, error);
      return plain(500, "This file could not be read.");
    }
  });
}

async function sendDownload(request: Request, services: DownloadServices): Promise<Response> {
  if (request.method !== "GET" && request.method !== "HEAD") return plain(405, "Only GET and HEAD are answered here.");
  try {
    const download = await openDownload(services, new URL(request.url).pathname);
    if (download.status !== 200) return plain(404, download.message);
    const body = request.method === "HEAD" ? null : (Readable.toWeb(Readable.from(bytes(download.pieces))) as unknown as ReadableStream<Uint8Array>);
    return new Response(body, { headers: { ...securityHeaders, ...download.headers } });
  } catch (error) {
    hostLog.error(`${request.url.slice(0, 200)} could not be made:`, error);
    return plain(500, "This file could not be created.");
  }
}

/** A Response body needs bytes, not strings. */
async function* bytes(pieces: Pieces): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) yield typeof piece === "string" ? Buffer.from(piece) : piece;
}

function plain(status: number, text: string): Response {
  return new Response(`${text}\n`, { status, headers: { ...securityHeaders, "content-type": "text/plain; charset=utf-8" } });
}
