/** Every document: links and anchors resolve, commands exist, definitions are valid, generated pages are up to date. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { siteLink } from "../../../scripts/docs/links.ts";
import { referencePages } from "../../../scripts/docs/reference.ts";
import { experimentWords, studyWords } from "../../../scripts/docs/words.ts";
import { validateExperiment } from "../../../src/shared/experiment.ts";
import { expandStudy } from "../../../src/shared/study/expand.ts";
import { validateStudy } from "../../../src/shared/study/study.ts";
import { commandTree, type CommandNode } from "../../support/commandTree.ts";
import { anchorsOf, codeBlocks, commandsOf, documentPaths, linksOf, readDocument, root, targetOf } from "../../support/documents.ts";

const documents = documentPaths().map((path) => ({ path, text: readDocument(path) }));

/** Targets that scripts make, which may be missing. */
const isGenerated = (file: string) => file.startsWith("docs/api");

describe("links", () => {
  it("lead to files and headings that are there", () => {
    const broken = documents.flatMap(({ path, text }) =>
      linksOf(text).flatMap((link) => {
        const target = targetOf(path, link);
        if (target === null || isGenerated(target.file)) return [];
        if (!existsSync(join(root, target.file))) return [`${path}: ${link}: there is no ${target.file}`];
        if (target.anchor === null || !target.file.endsWith(".md")) return [];
        return anchorsOf(included(target.file)).has(target.anchor) ? [] : [`${path}: ${link}: no heading has this anchor`];
      }),
    );
    expect(broken).toEqual([]);
  });

  it("of the site lead to its pages", () => {
    const broken = documents
      .filter(({ path }) => path.startsWith("docs/"))
      .flatMap(({ path, text }) =>
        linksOf(text).flatMap((link) => {
          const page = path.slice("docs/".length);
          const to = siteLink(page, link);
          if (to === null || !to.startsWith("/") || to === link) return [];
          const file = to.split("#")[0]!.slice(1);
          const source = file.endsWith("/index.md") && !existsSync(join(root, "docs", file)) ? file.replace(/index\.md$/, "README.md") : file;
          return existsSync(join(root, "docs", source)) || isGenerated(`docs/${source}`) ? [] : [`${path}: ${link} leads to ${to}`];
        }),
      );
    expect(broken).toEqual([]);
  });

  /** A page that includes a document has its headings. */
  function included(file: string): string {
    return readDocument(file).replace(/<!--@include: \.\.\/(\S+)-->/g, (_, name: string) => readDocument(name));
  }
});

describe("commands", () => {
  const program = commandTree();
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { scripts: Record<string, string> };

  it("of npm are scripts of package.json", () => {
    const unknown = documents.flatMap(({ path, text }) =>
      commandsOf(text).flatMap((line) =>
        [...line.matchAll(/\bnpm run (?:-s |--silent )?([\w:-]+)/g)].flatMap(([, name = ""]) => (name in scripts ? [] : [`${path}: npm run ${name}`])),
      ),
    );
    expect(unknown).toEqual([]);
  });

  it("of Hypertower exist, with their options and choices", () => {
    const problems = documents.flatMap(({ path, text }) =>
      commandsOf(text).flatMap((line) => [...line.matchAll(/(?<!cd )(?:^|(?<=[\s"(]))hypertower (?!-)([^"`)]*)/g)].flatMap(([, rest = ""]) => problemsOf(rest).map((problem) => `${path}: hypertower ${rest}: ${problem}`))),
    );
    expect(problems).toEqual([]);
  });

  /** What is wrong with the words after `hypertower`. */
  function problemsOf(rest: string): string[] {
    const words = rest.split(/ #| > | \| |;|&&/)[0]!.trim().split(/\s+/);
    let command: CommandNode = program;
    const known = [...program.options];
    while (words[0] !== undefined && command.commands.length > 0) {
      const next = command.commands.find(({ name }) => name === words[0]);
      if (!next) break;
      command = next;
      known.push(...next.options);
      words.shift();
    }
    known.push(...command.commands.filter(({ name }) => name === command.standard).flatMap(({ options }) => options));
    if (command === program && (words[0] === "help" || words[0] === "COMMAND")) return [];
    if (command === program) return [`there is no command ${words[0] ?? ""}`];
    return words.flatMap((word, i) => {
      const flag = /^\[?(--?[a-z][\w-]*)/.exec(word)?.[1];
      if (flag === undefined || ["--help", "-h"].includes(flag)) return [];
      const option = known.find(({ flags }) => flags.includes(flag));
      if (!option) return [`${command.name} has no option ${flag}`];
      const value = words[i + 1]?.replace(/[\],]+$/, "");
      if (!option.choices || value === undefined || /^[A-Z]/.test(value)) return [];
      return value.split("|").flatMap((choice) => (option.choices!.includes(choice) ? [] : [`${flag} does not take ${choice}`]));
    });
  }
});

describe("definitions in JSON", () => {
  const blocks = documents.filter(({ path }) => path !== "CHANGELOG.md").flatMap(({ path, text }) => codeBlocks(text).filter(({ language, code }) => language === "json" && !code.includes("…")).map(({ code }) => ({ path, code })));
  const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;

  it("are valid experiments, studies, towers or levels", () => {
    const problems = blocks.flatMap(({ path, code }) => {
      const value: unknown = JSON.parse(code);
      const said = (errors: readonly { path: string; message: string }[]) => errors.map((error) => `${path}: ${error.path}: ${error.message}`);
      if (Array.isArray(value) || (isObject(value) && "optimizer" in value)) {
        const checked = validateExperiment({ tower: Array.isArray(value) ? value : [value, { optimizer: "sgd" }] });
        // Groups name parameters of the document's own model.
        return checked.ok ? [] : said(checked.errors.filter(({ message }) => !message.includes("matches none")));
      }
      if (isObject(value) && ["axes", "stacks", "heights", "base"].some((key) => key in value)) {
        const checked = validateStudy(value);
        if (!checked.ok) return said(checked.errors);
        const expanded = expandStudy(checked.study);
        return expanded.ok ? [] : said(expanded.errors);
      }
      const checked = validateExperiment(value);
      return checked.ok ? [] : said(checked.errors);
    });
    expect(blocks.length).toBeGreaterThan(6);
    expect(problems).toEqual([]);
  });
});

describe("the reference", () => {
  it.each(Object.entries(referencePages))("%s is what the schemas say; otherwise run npm run docs:reference", (name, page) => {
    expect(readDocument(`docs/reference/${name}`)).toBe(page());
  });

  it("describes no field that does not exist", () => {
    const text = Object.keys(referencePages).map((name) => readDocument(`docs/reference/${name}`)).join("\n");
    const missing = [...Object.keys(experimentWords), ...Object.keys(studyWords)].filter((name) => !text.includes(`\`${name}\``));
    expect(missing).toEqual([]);
  });
});
