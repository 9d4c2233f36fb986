const core = ["resources", "durable", "folders", "extras", "program", "hyperoptimizers", "models", "engines", "graphs", "networks", "datasets", "tasks", "feeds", "checkpoint", "weights", "training", "prediction"];

/**
 * The architecture as a table: what each layer may import. Imports run one way, and
 * anything not listed is forbidden.
 *
 * `layers`: other layers, besides the layer itself. `modules`: npm packages and Node's
 * modules (`node:*`); "*" allows all but those restricted by `keptTo` below.
 */
export const layers = {
  shared: { folder: "src/shared", layers: [], modules: ["zod", "fflate", "pure-rand"] },
  // Charts as pure functions, for the window and for reports.
  charts: { folder: "src/charts", layers: ["shared"], modules: ["echarts", "echarts/*"] },

  // The method. `core` works without store, window or processes.
  resources: { folder: "src/core/resources", layers: [], modules: ["node:*"] },
  durable: { folder: "src/core/durable", layers: [], modules: ["node:*"] },
  folders: { folder: "src/core/folders", layers: ["durable"], modules: ["node:*", "env-paths"] },
  extras: { folder: "src/core/extras", layers: ["folders", "shared"], modules: ["node:*"] },
  program: { folder: "src/core/program", layers: ["shared"], modules: [] },
  hyperoptimizers: { folder: "src/core/hyperoptimizers", layers: ["program", "shared"], modules: [] },
  models: { folder: "src/core/models", layers: ["program", "shared"], modules: ["pure-rand"] },
  engines: { folder: "src/core/engines", layers: ["extras", "program", "shared"], modules: "*" },
  // Networks of ONNX files.
  graphs: { folder: "src/core/graphs", layers: ["engines", "models", "program", "shared"], modules: ["node:*"] },
  // Their files beside a store, and the model of an experiment.
  networks: { folder: "src/core/networks", layers: ["graphs", "models", "durable", "program", "shared"], modules: ["node:*"] },
  datasets: { folder: "src/core/datasets", layers: ["resources", "durable", "folders", "extras", "shared"], modules: "*" },
  tasks: { folder: "src/core/tasks", layers: ["models", "program", "shared"], modules: [] },
  feeds: { folder: "src/core/feeds", layers: ["tasks", "datasets", "engines", "models", "shared"], modules: ["node:*"] },
  checkpoint: { folder: "src/core/checkpoint", layers: ["engines", "shared"], modules: ["zod", "node:*"] },
  weights: { folder: "src/core/weights", layers: ["checkpoint", "shared"], modules: ["zod", "node:*"] },
  training: {
    folder: "src/core/training",
    layers: ["checkpoint", "weights", "feeds", "tasks", "engines", "networks", "models", "hyperoptimizers", "program", "shared"],
    modules: ["node:*"],
  },
  prediction: { folder: "src/core/prediction", layers: ["checkpoint", "weights", "tasks", "engines", "networks", "models", "program", "shared"], modules: ["zod", "node:*"] },

  // The package "hypertower": training without the workbench.
  library: { folder: "src/library", layers: [...core, "shared"], modules: ["zod", "fastest-levenshtein", "node:*"] },

  // The app.
  // What this process reports, on the console and in files without private things.
  logs: { folder: "src/main/logs", layers: ["shared"], modules: ["node:*", "fflate"] },
  store: { folder: "src/main/store", layers: ["logs", "durable", "shared"], modules: "*" },
  // The trainer process and its messages.
  trainer: { folder: "src/main/trainer", layers: [...core, "shared"], modules: "*" },
  // The process that reads files from elsewhere, and its messages.
  importing: { folder: "src/main/importing", layers: ["datasets", "graphs", "networks", "shared"], modules: ["node:*", "better-sqlite3"] },
  // Starts, watches and controls trainers and importers.
  hosting: { folder: "src/main/hosting", layers: ["trainer", "importing", "store", ...core, "shared"], modules: "*" },
  // Installs optional packages on demand.
  installing: { folder: "src/main/extras", layers: ["extras", "durable", "shared"], modules: ["node:*", "tar-stream"] },
  // Where units of work are trained.
  fleet: { folder: "src/main/fleet", layers: ["hosting", "trainer", "store", "logs", "checkpoint", "datasets", "networks", "durable", "folders", "extras", "shared"], modules: "*" },
  studies: { folder: "src/main/studies", layers: ["fleet", "hosting", "store", "training", "shared"], modules: "*" },
  // Runs and studies as files, and from store to store.
  archives: { folder: "src/main/archives", layers: ["hosting", "store", "folders", "datasets", "networks", "checkpoint", "weights", "durable", "shared"], modules: "*" },
  reports: { folder: "src/main/reports", layers: ["store", "charts", "resources", "durable", "shared"], modules: "*" },
  services: { folder: "src/main/services", layers: ["studies", "fleet", "installing", "reports", "resources", "archives", "hosting", "trainer", "importing", "store", "logs", "folders", "extras", "datasets", "networks", "checkpoint", "weights", "graphs", "shared"], modules: "*" },
  // For windows of both hosts: static files, headers, content types.
  web: { folder: "src/main/web", layers: ["services", "shared"], modules: "*" },
  headless: { folder: "src/main/headless", layers: ["web", "services", "fleet", "hosting", "durable", "logs", "shared"], modules: "*" },
  desktop: { folder: "src/main/desktop", layers: ["web", "services", "fleet", "hosting", "trainer", "logs", "shared"], modules: "*" },
  preload: { folder: "src/preload", layers: ["shared"], modules: ["electron"] },
  renderer: {
    folder: "src/renderer",
    layers: ["charts", "shared"],
    modules: [
      "vue",
      "vue-router",
      "vue-draggable-plus",
      "vue-echarts",
      "@dagrejs/dagre",
      "pinia",
      "@vueuse/*",
      "element-plus",
      "virtual:notices",
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

/** Packages that only the listed layers may import, whatever the table above allows. */
export const keptTo = {
  electron: ["desktop", "preload"],
  // Records of trackio are SQLite files.
  "better-sqlite3": ["store", "importing"],
  "onnxruntime-node": ["engines"],
  ws: ["headless"],
  commander: ["headless"],
};
