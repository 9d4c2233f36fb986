/** Resolves imports for the import-direction rule: paths as written, and the renderer's aliases. */
const { existsSync, statSync } = require("node:fs");
const { isBuiltin, createRequire } = require("node:module");
const { dirname, join, resolve } = require("node:path");

const root = resolve(__dirname, "../..");
const aliases = { "@/": "src/renderer/src/", "@shared/": "src/shared/", "@charts/": "src/charts/" };
const endings = ["", ".ts", ".vue", ".mjs", ".js", "/index.ts"];

exports.interfaceVersion = 2;

exports.resolve = (source, from) => {
  if (isBuiltin(source)) return { found: true, path: null };
  const alias = Object.keys(aliases).find((prefix) => source.startsWith(prefix));
  if (alias || source.startsWith(".") || source.startsWith("/")) {
    const base = alias ? join(root, aliases[alias], source.slice(alias.length)) : resolve(dirname(from), source);
    const path = endings.map((ending) => base + ending).find((candidate) => existsSync(candidate) && statSync(candidate).isFile());
    // A missing file still resolves to a path, which determines its layer.
    return { found: true, path: path ?? base };
  }
  try {
    return { found: true, path: createRequire(from).resolve(source) };
  } catch {
    const [scope, name] = source.split("/");
    return { found: true, path: join(root, "node_modules", source.startsWith("@") ? `${scope}/${name}` : scope, "package.json") };
  }
};
