import { resolve } from "node:path";
import boundaries from "eslint-plugin-boundaries";
import vue from "eslint-plugin-vue";
import tseslint from "typescript-eslint";
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

export default tseslint.config(
  { ignores: ["out/", "coverage/", "test-results/", "node_modules/", "docs/"] },
  { linterOptions: { reportUnusedDisableDirectives: "error" } },

  ...tseslint.configs.strict,
  ...vue.configs["flat/recommended"],
  { files: ["**/*.vue"], languageOptions: { parserOptions: { parser: tseslint.parser } } },
  {
    rules: {
      eqeqeq: "error",
      "no-console": ["error", { allow: ["warn", "error"] }],
      "@typescript-eslint/ban-ts-comment": "error",
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_", ignoreRestSiblings: true }],
      // Indices into typed arrays are in range by construction; a check there would be dead code.
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/no-dynamic-delete": "off",
      "@typescript-eslint/no-extraneous-class": "off",
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
  { files: ["**/*.cjs"], rules: { "@typescript-eslint/no-require-imports": "off" } },
  {
    // Command line tools speak on standard output.
    files: ["scripts/**", "bin/**", "test/**", "src/main/headless/**"],
    rules: { "no-console": "off" },
  },

  {
    // A forgotten await loses errors: the rules that need types, where they are cheap.
    files: ["src/core/**/*.ts", "src/main/**/*.ts", "src/library/**/*.ts", "src/shared/**/*.ts", "src/charts/**/*.ts", "src/preload/**/*.ts"],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": "error",
      "@typescript-eslint/await-thenable": "error",
      "@typescript-eslint/only-throw-error": "error",
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "@typescript-eslint/no-unsafe-argument": "error",
      "@typescript-eslint/no-unsafe-assignment": "error",
      "@typescript-eslint/no-unsafe-return": "error",
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
);
