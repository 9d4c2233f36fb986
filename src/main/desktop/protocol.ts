/** app://hypertower/: the window's built files, with the same headers as over HTTP. */
import { net, protocol } from "electron";
import { securityHeaders } from "../web/headers.ts";
import { readStaticFile } from "../web/staticFiles.ts";
import { isOwnUrl, scheme } from "./location.ts";

/** To be called before the app is ready. */
export function registerScheme(): void {
  protocol.registerSchemesAsPrivileged([
    { scheme, privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true } },
  ]);
}

/**
 * Serves the files of `rendererDir`; in development those of Vite's server at
 * `developmentUrl`, without the policy, which hot replacement could not keep.
 */
export function serveWindow(rendererDir: string, developmentUrl?: string): void {
  protocol.handle(scheme, async (request) => {
    if (developmentUrl !== undefined) {
      const { pathname, search } = new URL(request.url);
      return net.fetch(new URL(pathname + search, developmentUrl).href, { headers: request.headers });
    }
    if (!isOwnUrl(request.url)) return plain(404, "There is nothing at this address.");
    if (request.method !== "GET" && request.method !== "HEAD") return plain(405, "Only GET and HEAD are answered here.");
    try {
      const file = await readStaticFile(rendererDir, new URL(request.url).pathname);
      if (!file) return plain(404, "There is no such file.");
      return new Response(request.method === "HEAD" ? null : file.body, {
        headers: { ...securityHeaders, "content-type": file.contentType, "cache-control": "no-cache" },
      });
    } catch (error) {
      console.error(`${request.url} could not be read:`, error);
      return plain(500, "This file could not be read.");
    }
  });
}

function plain(status: number, text: string): Response {
  return new Response(`${text}\n`, { status, headers: { ...securityHeaders, "content-type": "text/plain; charset=utf-8" } });
}
