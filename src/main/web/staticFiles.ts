/** Reads the window's built files, from one folder only. */
import { readFile, realpath } from "node:fs/promises";
import { extname, isAbsolute, relative, resolve, sep } from "node:path";

export interface StaticFile {
  readonly body: Buffer<ArrayBuffer>;
  readonly contentType: string;
  /** Whether the name contains a hash of the content, so that a cached copy never goes stale. */
  readonly hashed: boolean;
}

const contentTypes: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".ico": "image/x-icon",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".map": "application/json; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".webp": "image/webp",
  ".woff": "font/woff",
  ".woff2": "font/woff2",
};

/**
 * Reads the file at the path of a URL (percent-encoded, without query).
 * Null when there is none, and for every path that leads, or tries to lead, out
 * of `rootDir` (`..`, encoded separators, NUL, drive letters, symbolic links).
 */
export async function readStaticFile(rootDir: string, urlPath: string): Promise<StaticFile | null> {
  const segments = decodeSegments(urlPath);
  if (!segments) return null;
  const name = segments.join("/") || "index.html";
  const contentType = contentTypes[extname(name).toLowerCase()];
  if (contentType === undefined) return null;
  try {
    const root = await realpath(rootDir);
    // Resolve links before the comparison: a link inside the folder may point out of it.
    const file = await realpath(resolve(root, ...segments, ...(segments.length === 0 ? ["index.html"] : [])));
    if (!contains(root, file)) return null;
    return { body: await readFile(file), contentType, hashed: segments[0] === "assets" && segments.length > 1 };
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

/** Decoded segments of a URL's path; null where a segment is not a plain name. */
function decodeSegments(urlPath: string): string[] | null {
  if (!urlPath.startsWith("/")) return null;
  const segments: string[] = [];
  for (const encoded of urlPath.slice(1).split("/")) {
    let segment: string;
    try {
      segment = decodeURIComponent(encoded);
    } catch {
      return null;
    }
    if (segment === "." || segment === ".." || /[/\\:\0]/.test(segment)) return null;
    segments.push(segment);
  }
  if (segments.at(-1) === "") segments.pop();
  return segments.includes("") ? null : segments;
}

function contains(root: string, file: string): boolean {
  const path = relative(root, file);
  return path !== "" && path !== ".." && !path.startsWith(`..${sep}`) && !isAbsolute(path);
}

function isMissing(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "ENOENT" || code === "ENOTDIR" || code === "EISDIR" || code === "ENAMETOOLONG" || code === "ELOOP";
}
