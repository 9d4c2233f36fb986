/** VitePress writes small inline scripts (colors before the first paint). The app's policy refuses those: they become files. */
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const inlineScripts = new Map<string, string>();

/** Drops the inline styles of the theme's first paint; style.css says the same. */
export function dropInlineStyles(html: string): string {
  return html.replaceAll(' style="--vp-vh:0px;"', "").replaceAll(' style=""', "").replaceAll(' style="position:relative;"', "").replaceAll('style="position:relative;" ', "");
}

/** Replaces the inline scripts of a page by files beside it, loaded at the same place. */
export function externalizeScripts(html: string, base: string): string {
  return html.replace(/<script(?=[\s>])(?![^>]*\ssrc=)([^>]*)>(.*?)<\/script>/gs, (_tag, attributes: string, code: string) => {
    const name = `inline.${createHash("sha256").update(code).digest("hex").slice(0, 8)}.js`;
    inlineScripts.set(name, code);
    const isModule = /type="module"/.test(attributes);
    return `<script${isModule ? ' type="module"' : ""} src="${base}assets/${name}"></script>`;
  });
}

export function writeScripts(outDir: string): void {
  mkdirSync(join(outDir, "assets"), { recursive: true });
  for (const [name, code] of inlineScripts) writeFileSync(join(outDir, "assets", name), `${code}\n`);
}
