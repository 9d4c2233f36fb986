/** The documentation's site: `npm run docs` builds it into out/guide, where the app finds it. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { defineConfig, type DefaultTheme } from "vitepress";
import { markdown } from "../../scripts/docs/markdown.ts";
import { dropInlineStyles, externalizeScripts, writeScripts } from "../../scripts/docs/scripts.ts";

const docs = join(import.meta.dirname, "..");
/** A published site lies under the repository's name; the app serves /guide/. */
const base = process.env["HYPERTOWER_DOCS_BASE"] ?? "/guide/";

type Entry = readonly [title: string, page: string];

const fileNames = (page: string) => (page.endsWith("/") ? [`${page}index.md`, `${page}README.md`] : [`${page}.md`]);

/** Leaves out pages that are not there: some are made by scripts. */
const existing = (entries: readonly Entry[]): DefaultTheme.SidebarItem[] =>
  entries.filter(([, page]) => fileNames(page).some((file) => existsSync(join(docs, file)))).map(([text, page]) => ({ text, link: `/${page}` }));

const section = (text: string, entries: readonly Entry[], collapsed = false): DefaultTheme.SidebarItem => ({ text, collapsed, items: existing(entries) });

export default defineConfig({
  title: "Hypertower",
  description: "A workbench for towers of hyperoptimizers: optimizers that learn their own hyperparameters by gradient descent.",
  lang: "en-US",
  base,
  outDir: join(docs, "../out/guide"),
  cacheDir: join(docs, "../node_modules/.cache/vitepress"),
  head: [["link", { rel: "icon", type: "image/svg+xml", href: `${base}icon.svg` }]],
  // READMEs of folders are the folders' pages on forges, and here.
  rewrites: { ":folder/README.md": ":folder/index.md" },
  // A separate file instead of an inline script, which the app's content security policy refuses.
  metaChunk: true,
  // It would add a style element for a moment, which the policy refuses too.
  appearance: { disableTransition: false },
  markdown,
  transformHtml: (html) => dropInlineStyles(externalizeScripts(html, base)),
  buildEnd: ({ outDir }) => writeScripts(outDir),
  themeConfig: {
    logo: "/icon.svg",
    search: { provider: "local", options: { detailedView: true } },
    outline: { level: [2, 3] },
    docFooter: { prev: "Previous", next: "Next" },
    nav: [
      { text: "Start", link: "/start" },
      { text: "Guide", link: "/guide" },
      { text: "The idea", link: "/idea" },
      { text: "Reference", link: "/reference/experiment" },
    ],
    sidebar: [
      section("Begin", [
        ["Start in two minutes", "start"],
        ["Guide in pictures", "guide"],
        ["The idea", "idea"],
      ]),
      section("How to", [
        ["Train on your own data", "howto/own-data"],
        ["Train your own network", "howto/own-network"],
        ["Run a study", "howto/studies"],
        ["Use several machines", "howto/clusters"],
        ["Share runs and studies", "howto/sharing"],
        ["Keep results safe", "howto/safety"],
      ]),
      section("Coming from", [
        ["PyTorch", "coming-from/pytorch"],
        ["gdtuo", "coming-from/gdtuo"],
        ["Weights & Biases", "coming-from/wandb"],
        ["Optuna", "coming-from/optuna"],
      ]),
      section("Reference", [
        ["Experiment fields", "reference/experiment"],
        ["Study fields", "reference/study"],
        ["On the command line", "command-line"],
        ["Commands and options", "cli"],
        ["Library", "library"],
        ["Library API", "api/"],
        ["Levels of a tower", "levels"],
        ["Models and layers", "models"],
        ["Networks from ONNX files", "networks-in"],
        ["Runs from elsewhere", "import-runs"],
        ["Datasets", "datasets"],
        ["Engines", "engines"],
        ["Exports", "exports"],
        ["Models out and in", "models-out"],
        ["Reports", "reports"],
        ["Training on a fleet", "fleets"],
        ["A queue in PostgreSQL", "queue"],
        ["When machines are lost", "fleet-failures"],
        ["Archives", "archives"],
        ["Dependencies", "dependencies"],
      ]),
      section("Results", [
        ["How results are computed", "results"],
        ["Studies", "studies"],
        ["Numbers of a study", "sensitivity"],
        ["Comparing methods", "methods"],
        ["Comparing runs", "comparing"],
        ["Evaluation", "evaluation"],
        ["Step sizes far too high", "too-high"],
        ["The guard", "guard"],
        ["Levels that need no tuning", "robust"],
      ]),
      section("Stores", [
        ["Backups, checks and space", "storage"],
        ["Damage", "damage"],
        ["When the store cannot be written", "store-trouble"],
        ["Large stores", "large-stores"],
        ["Logs", "logs"],
        ["Security", "security"],
      ]),
      section("Evidence", [
        ["Table 1 of the paper", "table1"],
        ["Figure 4a of the paper", "figure4a/"],
        ["Figure 4b of the paper", "figure4b/"],
        ["Figure 4c in small", "figure4c/"],
        ["Figure 4d in small", "figure4d/"],
        ["A small transformer", "transformer/"],
        ["Beside the authors’ library", "library-comparison"],
        ["Methods, measured", "methods/"],
        ["What an optimizer costs", "optimizer-speed"],
        ["An hour of training", "trainings/"],
      ]),
      section(
        "Project",
        [
          ["Packages and releases", "packages"],
          ["Architecture", "architecture"],
          ["Contributing", "contributing"],
          ["Changelog", "changelog"],
          ["Security policy", "security-policy"],
          ["Code of conduct", "code-of-conduct"],
        ],
        true,
      ),
    ],
  },
});
