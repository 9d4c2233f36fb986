/** The scenarios that every host of the workbench has to pass. */
import { afterEach, beforeEach, expect, it, onTestFailed } from "vitest";
import { everything } from "../../support/edition.ts";
import type { Harness, StartHarness } from "../support/harness.ts";
import { crash } from "./crash.ts";
import { invalidField } from "./invalidField.ts";
import { learned } from "./learned.ts";
import { liveRun } from "./liveRun.ts";
import { manyClasses } from "./manyClasses.ts";
import { ownData } from "./ownData.ts";
import { ownModel } from "./ownModel.ts";
import { ownNetwork } from "./ownNetwork.ts";
import { predictions } from "./predictions.ts";
import { storage } from "./storage.ts";
import { study } from "./study.ts";
import { twoRuns } from "./twoRuns.ts";

export type Scenario = (harness: Harness) => Promise<void>;

/** Files are typed by path in a browser, and chosen in a dialog in the desktop app. */
export const ofFiles: Readonly<Record<string, Scenario>> = { "a table of one's own becomes a dataset": ownData };

/** What the host has a part in: downloads, files, processes, restarts. */
export const ofTheHost: Readonly<Record<string, Scenario>> = {
  ...ofFiles,
  "a run is configured, watched live, paused, resumed, stopped, and found again": liveRun,
  "what a run learned is downloaded, and trained plain by one click": learned,
  "a run under way when the workbench is killed keeps what was seen of it": crash,
};

/** What the window does the same way in every host. */
export const ofTheWindow: Readonly<Record<string, Scenario>> = {
  // Slow.
  ...(everything && {
    // Tests of the services and of the page show most of it.
    "a backup is made, the bin erased, and the backup restored at the next start": storage,
    // The scenario of downloads overlays two runs, too.
    "two runs are trained to the end and overlaid": twoRuns,
  }),
  "a run keeps its best weights, and its predictions are looked at cell by cell": predictions,
  "a model of one's own is built layer by layer and trained": ownModel,
  "an ONNX file is imported, looked at box by box and trained": ownNetwork,
  "a table of 300 classes is imported and trained": manyClasses,
  "a study is composed, watched, pointed at, extended, and found again": study,
  "an invalid field is named and blocks training": invalidField,
};

/** Defines one test per scenario; each gets a workbench and a store of its own. */
export function defineScenarios(scenarios: Readonly<Record<string, Scenario>>, start: StartHarness): void {
  let harness: Harness;

  beforeEach(async () => {
    harness = await start();
  });
  afterEach(async () => {
    await harness.close();
  });

  for (const [name, scenario] of Object.entries(scenarios)) {
    it(name, async () => {
      onTestFailed(() => console.error(`--- what the workbench wrote\n${harness.log()}\n--- what its page complained about\n${harness.problems.join("\n")}`));
      try {
        await scenario(harness);
      } catch (error) {
        // Before the harness is closed.
        await harness.page.screenshot({ path: `test-results/failed/${name.replace(/[^a-z]+/gi, "-")}.png` }).catch(() => undefined);
        throw error;
      }
      expect(harness.problems).toEqual([]);
    });
  }
}
