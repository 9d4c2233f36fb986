/** The repository's documents, read as Markdown. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, posix, sep } from "node:path";
import { slugOf } from "../../scripts/docs/slug.ts";

export const root = join(import.meta.dirname, "../..");

/** Made by scripts and not in the repository. */
const generated = ["docs/api/"];

/** Paths of all documents from the root, with forward slashes. */
export function documentPaths(): string[] {
  const inRoot = readdirSync(root).filter((name) => name.endsWith(".md"));
  const inside = ["docs", ".github", "resources"].filter((folder) => existsSync(join(root, folder))).flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .map((name) => `${folder}/${name.split(sep).join("/")}`)
      .filter((name) => name.endsWith(".md")),
  );
  return [...inRoot, ...inside].filter((path) => !generated.some((folder) => path.startsWith(folder)) && !path.includes("/.vitepress/"));
}

export const readDocument = (path: string): string => readFileSync(join(root, path), "utf8");

export interface CodeBlock {
  readonly language: string;
  readonly code: string;
}

export function codeBlocks(text: string): CodeBlock[] {
  return [...text.matchAll(/^```(\w*)[^\n]*\n(.*?)^```$/gms)].map(([, language = "", code = ""]) => ({ language, code }));
}

/** The document without fenced blocks, whose text is no Markdown. */
const withoutBlocks = (text: string) => text.replace(/^```.*?^```$/gms, "");

/** Words of a heading as they are shown: without links, code marks and emphasis. */
const shown = (heading: string) => heading.replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1").replace(/[`*]/g, "");

/** Anchors of a document's headings; equal ones are numbered. */
export function anchorsOf(text: string): Set<string> {
  const counts = new Map<string, number>();
  return new Set(
    [...withoutBlocks(text).matchAll(/^#{1,6} +(.+)$/gm)].map(([, heading = ""]) => {
      const slug = slugOf(shown(heading));
      const count = counts.get(slug) ?? 0;
      counts.set(slug, count + 1);
      return count === 0 ? slug : `${slug}-${count}`;
    }),
  );
}

/** Targets of links and pictures, those in HTML and in front matter too. */
export function linksOf(text: string): string[] {
  const prose = withoutBlocks(text).replace(/`[^`\n]*`/g, "");
  const markdown = [...prose.matchAll(/\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g)].map(([, link = ""]) => link);
  const html = [...prose.matchAll(/\b(?:src|href|srcset)="([^"]+)"/g)].map(([, link = ""]) => link);
  const frontMatter = /^---\n(.*?)^---$/ms.exec(text)?.[1] ?? "";
  const pages = [...frontMatter.matchAll(/^\s*link: (\S+)$/gm)].map(([, link = ""]) => link);
  return [...markdown, ...html, ...pages];
}

/** Path of a link's target from the root, and its anchor; null for addresses elsewhere. */
export function targetOf(path: string, link: string): { readonly file: string; readonly anchor: string | null } | null {
  if (/^[a-z][a-z+.-]*:|^\/\//i.test(link)) return null;
  const [target = "", anchor = null] = decodeURI(link).split("#", 2);
  if (target === "") return { file: path, anchor };
  // Front matter names pages of the site.
  if (target.startsWith("/")) return { file: `docs${target}.md`, anchor };
  return { file: posix.normalize(posix.join(posix.dirname(path), target)), anchor };
}

/** Commands in code: lines of fenced and indented blocks, and code in sentences. */
export function commandsOf(text: string): string[] {
  const fenced = codeBlocks(text)
    .filter(({ language }) => ["", "sh", "bash", "yaml"].includes(language))
    .flatMap(({ code }) => code.replace(/\\\n\s*/g, " ").split("\n"));
  const prose = withoutBlocks(text);
  const indented = [...prose.matchAll(/^ {4}(\S.*)$/gm)].map(([, line = ""]) => line);
  const inline = [...prose.matchAll(/`([^`\n]+)`/g)].map(([, code = ""]) => code);
  return [...fenced, ...indented.filter((line) => /^(npx |npm |hypertower )/.test(line)), ...inline];
}
