import { resolve } from "node:path";
import boundaries from "eslint-plugin-boundaries";
import vue from "eslint-plugin-vue";
import parser from "@typescript-eslint/parser";
import { keptTo, layers } from "./scripts/lint/layers.mjs";

const allModules = { origin: ["external", "core"] };

/** The import-direction rule, made from the table of layers: whatever it does not allow is an error. */
function importPolicies() {
  const allowed = Object.entries(layers).flatMap(([layer, { layers: others, modules }]) => {
    const from = { element: { type: layer } };
    const to = [{ element: { types: { anyOf: [layer, ...others] } } }];
    if (modules === "*") to.push({ module: allModules });
    else if (modules.length > 0) to.push({ module: { ...allModules, source: modules } });
    return to.map((target) => ({ from, allow: { to: target } }));
  });
  const kept = Object.entries(keptTo).map(([name, owners]) => ({
    from: { element: { types: { noneOf: owners } } },
    disallow: { to: { module: { origin: "external", source: [name, `${name}/**`] } } },
    message: `only ${owners.join(" and ")} may import ${name}`,
  }));
  // The version is read from the manifest, by whoever records it.
  const manifest = { from: { element: { types: { noneOf: ["shared", "charts", "program", "renderer"] } } }, allow: { to: { file: { path: "package.json" } } } };
  return [...allowed, manifest, ...kept];
}

/** Components, and which part may import which. Oxlint (.oxlintrc.json) checks everything else, and it is quick. */
export default [
  { ignores: ["out/", "coverage/", "test-results/", "node_modules/", "docs/"] },
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  { files: ["**/*.ts"], languageOptions: { parser } },

  ...vue.configs["flat/recommended"],
  { files: ["**/*.vue"], languageOptions: { parserOptions: { parser } } },
  {
    rules: {
      // Text from elsewhere never becomes markup.
      "vue/no-v-html": "error",
      // Layout is not lint's business.
      "vue/max-attributes-per-line": "off",
      "vue/singleline-html-element-content-newline": "off",
      "vue/multiline-html-element-content-newline": "off",
      "vue/html-self-closing": "off",
      "vue/html-indent": "off",
      "vue/html-closing-bracket-newline": "off",
      "vue/first-attribute-linebreak": "off",
      "vue/attributes-order": "off",
      "vue/multi-word-component-names": "off",
      "vue/require-default-prop": "off",
    },
  },

  {
    files: ["src/**/*.ts", "src/**/*.vue"],
    plugins: { boundaries },
    settings: {
      "boundaries/root-path": import.meta.dirname,
      "boundaries/elements": Object.entries(layers).map(([type, { folder }]) => ({ type, pattern: folder, partialMatch: false })),
      "import/resolver": { [resolve(import.meta.dirname, "scripts/lint/resolver.cjs")]: {} },
    },
    rules: {
      "boundaries/dependencies": [
        "error",
        { default: "disallow", checkAllOrigins: true, checkUnknownLocals: true, policies: importPolicies() },
      ],
      "boundaries/no-unknown-files": "error",
    },
  },
];
