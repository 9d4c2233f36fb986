/**
 * The architecture as a table: what each layer may import. Imports run one way;
 * a layer that is not listed for another is out of its reach.
 *
 * `layers`: other layers, beside itself. `modules`: npm packages and Node's own
 * modules (`node:*`); "*" is any of them except those kept to one place below.
 */
export const layers = {
  shared: { folder: "src/shared", layers: [], modules: ["zod", "fflate", "pure-rand"] },
  // Pictures as pure functions: drawn by the window, and without one by reports.
  charts: { folder: "src/charts", layers: ["shared"], modules: ["echarts", "echarts/*"] },
  program: { folder: "src/main/program", layers: ["shared"], modules: [] },
  hyperoptimizers: { folder: "src/main/hyperoptimizers", layers: ["program", "shared"], modules: [] },
  models: { folder: "src/main/models", layers: ["program", "shared"], modules: ["pure-rand"] },
  engines: { folder: "src/main/engines", layers: ["program", "shared"], modules: "*" },
  datasets: { folder: "src/main/datasets", layers: ["shared"], modules: "*" },
  store: { folder: "src/main/store", layers: ["shared"], modules: "*" },
  reports: { folder: "src/main/reports", layers: ["store", "charts", "shared"], modules: "*" },
  training: {
    folder: "src/main/training",
    layers: ["store", "datasets", "engines", "models", "hyperoptimizers", "program", "shared"],
    modules: "*",
  },
  // What a program imports as "hypertower": training without the workbench.
  library: {
    folder: "src/library",
    layers: ["training", "datasets", "engines", "models", "hyperoptimizers", "program", "shared"],
    modules: ["zod", "node:*"],
  },
  studies: { folder: "src/main/studies", layers: ["training", "store", "shared"], modules: "*" },
  services: { folder: "src/main/services", layers: ["studies", "training", "store", "datasets", "reports", "shared"], modules: "*" },
  // What a window needs from either host: static files, headers, content types.
  web: { folder: "src/main/web", layers: ["services", "shared"], modules: "*" },
  headless: { folder: "src/main/headless", layers: ["web", "services", "training", "shared"], modules: "*" },
  desktop: { folder: "src/main/desktop", layers: ["web", "services", "training", "shared"], modules: "*" },
  preload: { folder: "src/preload", layers: ["shared"], modules: ["electron"] },
  renderer: {
    folder: "src/renderer",
    layers: ["charts", "shared"],
    modules: [
      "vue",
      "vue-router",
      "vue-draggable-plus",
      "vue-echarts",
      "pinia",
      "@vueuse/*",
      "element-plus",
      "element-plus/**",
      "@element-plus/*",
      "echarts",
      "echarts/*",
      "date-fns",
      "date-fns/*",
      "jsonc-parser",
      "zod",
    ],
  },
};

/** Packages that only one or two layers may import, whatever the table above says. */
export const keptTo = {
  electron: ["desktop", "preload"],
  "better-sqlite3": ["store"],
  "onnxruntime-node": ["engines"],
  ws: ["headless"],
  commander: ["headless"],
};
