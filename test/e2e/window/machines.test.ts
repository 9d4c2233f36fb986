/** The page of machines: workers and units, live, in a wide and a narrow window; and where a study trains. */
import { expect, it } from "vitest";
import type { FleetInfo } from "../../../src/shared/fleet/requests.ts";
import { windowOfEachTest } from "./harness.ts";

const opened = windowOfEachTest();

const fleet: FleetInfo = {
  name: "slurm:gpu", kind: "slurm", problem: null, atOnce: 40,
  workers: [{ id: "node7-1", machine: { host: "node7", platform: "linux x64", processor: "A processor", cores: 16, memory: 64e9, engines: [{ kind: "onnx-cpu", device: "A processor", memory: null }], versions: { hypertower: "0.1.0", node: "24" } }, startedAt: 1, seenAt: 1, load: 7, units: ["u1"], draining: false }],
  units: [{ id: "u1", study: "s1", studyName: "Step sizes", state: "running", reason: null, job: "12_0", place: "node7", attempts: 1, submittedAt: 1, estimate: null, runs: 8, heldUpBy: null }],
};

it("shows machines as they change, cancels after a question, and offers the fleet to a study", async () => {
  const { page, services } = opened();
  const at = (testId: string) => page.getByTestId(testId);
  let units = fleet.units;
  Object.assign(services.handlers, {
    "fleets.list": () => ({ fleets: [{ ...fleet, units }], now: 1 }),
    "fleets.cancel": () => {
      units = [];
      return null;
    },
  });
  await at("nav-machines").click();
  await at("worker-node7-1").waitFor();
  expect(await at("unit-u1").innerText()).toContain("job 12_0");
  await page.setViewportSize({ width: 600, height: 800 });
  await expect.poll(() => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBeLessThanOrEqual(0);
  await page.setViewportSize({ width: 1280, height: 800 });
  await at("cancel-unit").click();
  await page.getByRole("button", { name: "Cancel units" }).click();
  await at("unit-u1").waitFor({ state: "detached" });
  await page.goto(page.url().replace(/#.*/, "#/studies/new"));
  await at("where-slurm:gpu").click();
  await expect.poll(() => at("where-slurm:gpu").locator("input").isChecked()).toBe(true);
});
