/** Runs are checked before they leave the store, and when a person asks. */
import { afterEach, expect, it, vi } from "vitest";
import { verify } from "../../../src/main/headless/commands/verify.ts";
import { nodeLauncher } from "../../../src/main/hosting/nodeLauncher.ts";
import { createServices } from "../../../src/main/services/createServices.ts";
import { UserError, type Services } from "../../../src/main/services/services.ts";
import { recordedLog } from "../../support/storeFixtures.ts";
import { everything } from "../../support/edition.ts";
import { runCommand } from "../../support/commandLine.ts";
import { editStore, storedRun } from "../../support/storedRun.ts";

let services: Services | undefined;
afterEach(async () => {
  await services?.close();
  services = undefined;
});

async function opened(folder: string): Promise<Services> {
  services = await createServices({ storeDir: folder, host: "browser", version: "0", launchTrainer: nodeLauncher(new URL("none", import.meta.url)) }, { log: recordedLog() });
  return services;
}

const oneValue = "UPDATE series_values SET value = 0.5 WHERE metric = 1 AND step = 300";

it("a sound run is verified and exported", async () => {
  const { folder, run } = storedRun();
  const { handlers } = await opened(folder);
  expect(await handlers["runs.verify"]({ run })).toMatchObject({ run, values: 2_000, findings: [], protectedFromStart: true });
  expect((await handlers["runs.export"]({ run, format: "csv", damagedAnyway: false })).text).toContain("step,epoch,loss");
});

it("a damaged run is not exported or reported unless a person chooses to", async () => {
  const { folder, file, run } = storedRun();
  editStore(file, oneValue);
  const { handlers, requireSound } = await opened(folder);
  await expect(handlers["runs.export"]({ run, format: "csv", damagedAnyway: false })).rejects.toThrow(/Nothing was exported: run .* is damaged\. loss, steps 256 to 511: they do not match their checksum/);
  await expect(requireSound({ run })).rejects.toBeInstanceOf(UserError);
  expect((await handlers["runs.export"]({ run, format: "csv", damagedAnyway: true })).text).toContain("step,epoch,loss");
  const { remarks } = await handlers["reports.describe"]({ of: { run }, settings: { theme: "light", metric: null, at: "final", band: "standardError", yLog: false, reference: null, width: null, height: null, scale: 2 } as never });
  expect(remarks[0]).toMatch(/^The log is damaged\. loss, steps 256 to 511/);
});

it("hypertower verify names what is damaged, what it means and what to do, and exits with 5", async () => {
  const { folder, file, run } = storedRun();
  const printed = vi.spyOn(console, "log").mockImplementation(() => undefined);
  expect(await verify([], { store: folder })).toBe(0);
  expect(printed.mock.lastCall?.[0]).toMatch(/1 run, 2,000 values compared with their checksums, no damage\.$/);
  editStore(file, oneValue);
  expect(await verify([], { store: folder })).toBe(5);
  expect(printed.mock.lastCall?.[0]).toContain(`DAMAGED  run ${run}, loss, steps 256 to 511: they do not match their checksum\n`);
  expect(printed.mock.lastCall?.[0]).toContain("hypertower salvage");
  expect(await verify([run.slice(0, 8)], { store: folder, json: true })).toBe(5);
  expect(JSON.parse(printed.mock.lastCall?.[0] as string)).toMatchObject({ findings: [{ part: "series", run }] });
  await expect(verify(["nothing"], { store: folder })).rejects.toThrow(/there is no run nothing/);
  await expect(verify([], { store: `${folder}/none` })).rejects.toBeInstanceOf(UserError);
});

it.runIf(everything)("hypertower export refuses a damaged run, and writes it with --damaged-anyway", async () => {
  const { folder, file } = storedRun();
  editStore(file, oneValue);
  const refused = await runCommand(folder, ["export", "last", "--format", "csv"]);
  expect(refused).toMatchObject({ code: 1, stdout: "" });
  expect(refused.stderr).toContain("--damaged-anyway");
  expect((await runCommand(folder, ["report", "last", "--run", "--out", `${folder}/report`])).stderr).toContain("Nothing was exported");
  expect((await runCommand(folder, ["export", "last", "--format", "csv", "--damaged-anyway"])).stdout).toContain("step,epoch,loss");
  expect((await runCommand(folder, ["verify"])).code).toBe(5);
});
