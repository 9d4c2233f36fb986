/** The import-direction rule bites: forbidden imports are errors, allowed ones are not. */
import { join } from "node:path";
import { ESLint } from "eslint";
import { beforeAll, describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "../../..");
const rule = "boundaries/dependencies";
let eslint: ESLint;

beforeAll(() => {
  // Rules that need types would need the file on disk; the direction of imports does not.
  eslint = new ESLint({
    cwd: root,
    ruleFilter: ({ ruleId }) => ruleId.startsWith("boundaries/"),
    overrideConfig: { languageOptions: { parserOptions: { projectService: false } } },
  });
});

/** Lints one import as if it stood in `file`; returns the rules it breaks. */
async function broken(file: string, source: string): Promise<string[]> {
  const code = `import * as imported from "${source}";\nexport default imported;\n`;
  const text = file.endsWith(".vue") ? `<script setup lang="ts">\nimport * as imported from "${source}";\n</script>\n` : code;
  const [result] = await eslint.lintText(text, { filePath: join(root, file) });
  if (!result) throw new Error(`nothing was linted for ${file}`);
  const fatal = result.messages.find((message) => message.fatal);
  if (fatal) throw new Error(fatal.message);
  return result.messages.map((message) => message.ruleId ?? "");
}

describe("import direction", () => {
  it.each([
    ["src/shared/experiment.ts", "../main/store/store.ts"],
    ["src/shared/experiment.ts", "node:fs"],
    ["src/shared/experiment.ts", "vue"],
    ["src/shared/experiment.ts", "../charts/theme.ts"],
    ["src/charts/headline.ts", "../renderer/src/main.ts"],
    ["src/charts/headline.ts", "../main/reports/index.ts"],
    ["src/charts/headline.ts", "node:fs"],
    ["src/charts/headline.ts", "vue"],
    ["src/core/training/loop.ts", "../../charts/theme.ts"],
    ["src/core/program/nodes.ts", "../engines/engine.ts"],
    ["src/core/program/nodes.ts", "../hyperoptimizers/sgd.ts"],
    ["src/core/program/nodes.ts", "node:fs"],
    ["src/core/hyperoptimizers/sgd.ts", "../engines/engine.ts"],
    ["src/core/models/mlp.ts", "../hyperoptimizers/sgd.ts"],
    ["src/core/engines/onnx/step.ts", "../../training/loop.ts"],
    ["src/main/store/store.ts", "../hosting/supervisor.ts"],
    ["src/main/store/store.ts", "../../core/training/run.ts"],
    ["src/core/training/loop.ts", "../../main/services/services.ts"],
    ["src/core/training/loop.ts", "../../main/store/store.ts"],
    ["src/core/training/loop.ts", "../../main/trainer/messages.ts"],
    ["src/core/checkpoint/file.ts", "../training/run.ts"],
    ["src/core/tasks/task.ts", "../feeds/feed.ts"],
    ["src/core/training/loop.ts", "better-sqlite3"],
    ["src/core/training/loop.ts", "electron"],
    ["src/core/training/loop.ts", "../../main/studies/studies.ts"],
    ["src/main/studies/studies.ts", "../services/services.ts"],
    ["src/main/studies/studies.ts", "../../core/engines/engine.ts"],
    ["src/main/services/createServices.ts", "../desktop/window.ts"],
    ["src/main/services/createServices.ts", "../../core/engines/engine.ts"],
    ["src/main/headless/index.ts", "../desktop/window.ts"],
    ["src/main/headless/index.ts", "electron"],
    ["src/main/desktop/index.ts", "../headless/index.ts"],
    ["src/main/desktop/index.ts", "../store/store.ts"],
    ["src/library/index.ts", "electron"],
    ["src/library/index.ts", "vue"],
    ["src/library/index.ts", "../main/store/store.ts"],
    ["src/library/index.ts", "../main/services/services.ts"],
    ["src/core/training/loop.ts", "../../library/index.ts"],
    ["src/preload/index.ts", "../main/services/services.ts"],
    ["src/preload/index.ts", "node:fs"],
    ["src/renderer/src/main.ts", "../../main/services/services.ts"],
    ["src/renderer/src/main.ts", "@/../../main/services/services.ts"],
    ["src/renderer/src/App.vue", "../../main/services/services.ts"],
    ["src/core/training/loop.ts", "../../../electron.vite.config.ts"],
    ["src/shared/experiment.ts", "../../package.json"],
    ["src/renderer/src/main.ts", "electron"],
    ["src/renderer/src/main.ts", "node:fs"],
    ["src/renderer/src/main.ts", "better-sqlite3"],
  ])("%s may not import %s", async (file, source) => {
    expect(await broken(file, source)).toContain(rule);
  });

  it.each([
    ["src/shared/experiment.ts", "zod"],
    ["src/shared/study/bootstrap.ts", "pure-rand"],
    ["src/shared/experiment.ts", "./tower.ts"],
    ["src/charts/headline.ts", "echarts/core"],
    ["src/charts/headline.ts", "../shared/tower.ts"],
    ["src/main/reports/index.ts", "../../charts/theme.ts"],
    ["src/renderer/src/main.ts", "@charts/theme.ts"],
    ["src/core/program/nodes.ts", "../../shared/tower.ts"],
    ["src/core/hyperoptimizers/sgd.ts", "../program/nodes.ts"],
    ["src/core/models/init.ts", "pure-rand"],
    ["src/core/engines/onnx/step.ts", "onnxruntime-node"],
    ["src/core/engines/onnx/step.ts", "../../program/nodes.ts"],
    ["src/main/store/store.ts", "better-sqlite3"],
    ["src/main/store/store.ts", "node:fs"],
    ["src/core/training/loop.ts", "../engines/engine.ts"],
    ["src/main/hosting/supervisor.ts", "node:child_process"],
    ["src/main/hosting/supervisor.ts", "../../core/training/loop.ts"],
    ["src/main/hosting/supervisor.ts", "../../../package.json"],
    ["src/main/services/createServices.ts", "../store/store.ts"],
    ["src/library/index.ts", "../core/training/trainingProcedures.ts"],
    ["src/library/index.ts", "../shared/tower.ts"],
    ["src/main/headless/index.ts", "../services/services.ts"],
    ["src/main/headless/index.ts", "commander"],
    ["src/main/desktop/index.ts", "electron"],
    ["src/preload/index.ts", "electron"],
    ["src/preload/index.ts", "../shared/contract.ts"],
    ["src/renderer/src/main.ts", "vue"],
    ["src/renderer/src/main.ts", "@shared/experiment.ts"],
    ["src/renderer/src/main.ts", "@/stores/runs.ts"],
    ["src/renderer/src/App.vue", "./stores/runs.ts"],
    ["src/renderer/src/charts.ts", "echarts/core"],
  ])("%s may import %s", async (file, source) => {
    expect(await broken(file, source)).toEqual([]);
  });

  it("refuses a file outside the layers", async () => {
    expect(await broken("src/main/elsewhere/file.ts", "./other.ts")).toContain("boundaries/no-unknown-files");
  });
});
