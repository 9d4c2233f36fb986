/** How the site writes Markdown as HTML: without inline styles, which the app's content security policy refuses. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { MarkdownOptions } from "vitepress";
import { siteLink } from "./links.ts";
import { slugOf } from "./slug.ts";

type MarkdownIt = Parameters<NonNullable<MarkdownOptions["config"]>>[0];
type CodeTransformer = NonNullable<MarkdownOptions["codeTransformers"]>[number];
type Token = ReturnType<MarkdownIt["parse"]>[number];

/** Kinds of words in code, by the variable of Shiki's theme of CSS variables. */
const codeTheme = {
  name: "classes",
  type: "light" as const,
  fg: "var(--code-foreground)",
  bg: "var(--code-background)",
  settings: Object.entries({
    comment: ["comment", "punctuation.definition.comment"],
    string: ["string", "punctuation.definition.string", "markup.inline.raw"],
    constant: ["constant", "support.constant", "variable.language", "entity.name.tag"],
    keyword: ["keyword", "storage", "support.type.primitive"],
    function: ["entity.name.function", "support.function", "entity.name.type", "support.class"],
    key: ["support.type.property-name.json", "punctuation.support.type.property-name", "entity.other.attribute-name"],
  }).map(([name, scope]) => ({ scope, settings: { foreground: `var(--code-${name})` } })),
};

/** Replaces the inline colors of the theme by classes: `var(--code-string)` is the class `code-string`. */
const classesForColors: CodeTransformer = {
  name: "classes-for-colors",
  span(node) {
    const style = node.properties["style"];
    if (typeof style !== "string") return;
    const found = /var\(--(code-[a-z]+)\)/.exec(style)?.[1];
    delete node.properties["style"];
    if (found !== undefined && found !== "code-foreground") node.properties["class"] = found;
  },
  pre(node) {
    delete node.properties["style"];
  },
};

/** Points links at the site's pages. A link to something the site does not have becomes its text. */
function followLinks(tokens: readonly Token[], page: string): void {
  for (const { children } of tokens) {
    let isUnlinked = false;
    for (const token of children ?? []) {
      if (token.type === "link_open") {
        const target = siteLink(page, token.attrGet("href") ?? "");
        isUnlinked = target === null;
        if (target !== null) token.attrSet("href", target);
      }
      if (isUnlinked && token.type.startsWith("link_")) {
        isUnlinked = token.type === "link_open";
        Object.assign(token, { type: "text", tag: "", content: "", nesting: 0 });
      }
    }
  }
}

/** `text-align` of a table's cell, as a class. */
function alignByClass(tokens: readonly Token[]): void {
  for (const token of tokens) {
    if (token.type !== "th_open" && token.type !== "td_open") continue;
    const align = /text-align:(\w+)/.exec(token.attrGet("style") ?? "")?.[1];
    if (align === undefined) continue;
    token.attrs = (token.attrs ?? []).filter(([name]) => name !== "style");
    token.attrJoin("class", `align-${align}`);
  }
}

/** A picture `x-light.png` that has an `x-dark.png` is shown in the page's own colors. */
function pairPictures(md: MarkdownIt): void {
  const image = md.renderer.rules.image!;
  md.renderer.rules.image = (tokens, index, options, env: { path?: string }, self) => {
    const token = tokens[index]!;
    const source = token.attrGet("src") ?? "";
    const dark = source.replace(/-light\.(\w+)$/, "-dark.$1");
    if (dark === source || !existsSync(join(dirname(env.path ?? ""), dark))) return image(tokens, index, options, env, self);
    token.attrJoin("class", "only-light");
    const light = image(tokens, index, options, env, self);
    token.attrSet("src", dark);
    token.attrSet("class", "only-dark");
    return light + image(tokens, index, options, env, self);
  };
}

export const markdown: MarkdownOptions = {
  theme: codeTheme,
  codeTransformers: [classesForColors],
  image: { lazyLoading: true },
  anchor: { slugify: slugOf },
  toc: { slugify: slugOf },
  headers: { slugify: slugOf },
  config(md) {
    md.core.ruler.push("site", ({ tokens, env }) => {
      followLinks(tokens, String((env as { relativePath?: string }).relativePath));
      alignByClass(tokens);
    });
    pairPictures(md);
  },
};
