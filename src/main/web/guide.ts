/** The guide: the documentation's site, built into a folder beside the window's files and served under /guide/. */
import { join } from "node:path";
import { readStaticFile, type StaticFile } from "./staticFiles.ts";

const prefix = "/guide";

export const isGuidePath = (urlPath: string): boolean => urlPath === prefix || urlPath.startsWith(`${prefix}/`);

const missing: StaticFile = {
  body: Buffer.from(
    `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>The guide is not built</title></head>` +
      `<body><h1>The guide is not built</h1><p>This copy of Hypertower was built without it. In its folder, run <code>npm run docs</code>.</p></body></html>\n`,
  ),
  contentType: "text/html; charset=utf-8",
  hashed: false,
};

/** Reads a file of the window or of the guide; null when there is none. Folders of the guide have an index page. */
export async function readWindowFile(rendererDir: string, urlPath: string): Promise<StaticFile | null> {
  if (!isGuidePath(urlPath)) return readStaticFile(rendererDir, urlPath);
  const guideDir = join(rendererDir, "../guide");
  const path = urlPath.slice(prefix.length) || "/";
  if (!path.endsWith("/")) return readStaticFile(guideDir, path);
  return (await readStaticFile(guideDir, `${path}index.html`)) ?? (path === "/" ? missing : null);
}
