import { rmSync } from "node:fs";
import type { MessageBoxOptions } from "electron";
import { expect, it, vi } from "vitest";
import { createServices } from "../../../src/main/services/createServices.ts";
import { backUp } from "../../../src/main/services/doctor/index.ts";
import { filledStore, openStore, recordedLog } from "../../support/storeFixtures.ts";

const shown: MessageBoxOptions[] = [];
let answer: (buttons: readonly string[]) => number = () => 0;
vi.mock("electron", () => ({
  dialog: {
    showMessageBox: (options: MessageBoxOptions) => {
      shown.push(options);
      return Promise.resolve({ response: answer(options.buttons ?? []) });
    },
  },
}));
const { offerRescue } = await import("../../../src/main/desktop/rescue.ts");

async function failure(storeDir: string): Promise<unknown> {
  return createServices({ storeDir, host: "desktop", version: "0", launchTrainer: () => { throw new Error("no trainer"); } }, { log: recordedLog() }).then(
    () => undefined,
    (error: unknown) => error,
  );
}

it("offers the latest backup for a store that cannot be opened, and the app starts again with it", async () => {
  const { folder, file } = filledStore();
  await backUp(folder);
  rmSync(file);
  const error = await failure(folder);
  answer = (buttons) => buttons.findIndex((label) => label.startsWith("Restore the backup of"));
  expect(await offerRescue(folder, error)).toBe(true);
  expect(shown[0]!.detail).toContain("is missing, but beside it lies");
  expect(shown[0]!.buttons).toEqual([expect.stringContaining("Restore the backup of"), "Repair", "Quit"]);
  expect(shown[1]!.detail).toContain("Restored the backup");
  expect(openStore(folder).listRuns()).toHaveLength(1);
});

it("leaves the store as it is when the person quits, and other failures alone", async () => {
  const { folder, file } = filledStore();
  rmSync(file);
  const error = await failure(folder);
  answer = (buttons) => buttons.length - 1;
  expect(await offerRescue(folder, error)).toBe(false);
  const count = shown.length;
  expect(await offerRescue(folder, new Error("no window"))).toBe(false);
  expect(shown).toHaveLength(count);
});
