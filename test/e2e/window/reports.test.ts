/** Reports, pictures and links in the window, from real services over the real server. */
import { readFileSync } from "node:fs";
import { beforeEach, expect, it } from "vitest";
import { encodeLink, openPath, readShared } from "../../../src/shared/sharing.ts";
import { study } from "../../../src/shared/study/study.ts";
import { windowOfEachTest, type Window } from "./harness.ts";

const opened = windowOfEachTest();
let window: Window;
beforeEach(() => {
  window = opened();
});

const at = (testId: string) => window.page.getByTestId(testId);
const definition = study.parse({ name: "Little", base: { tower: [{ optimizer: "sgd" }] }, axes: [{ values: { kind: "grid", from: 1e-6, to: 1, points: 4 } }], heights: { values: [0, 1] }, seeds: [0, 1] });

async function saved(action: () => Promise<void>): Promise<{ name: string; content: Buffer }> {
  const [download] = await Promise.all([window.page.waitForEvent("download"), action()]);
  return { name: download.suggestedFilename(), content: readFileSync(await download.path()) };
}

async function openFinishedStudy(): Promise<string> {
  window.services.runsPerTick = 100;
  const { id } = await window.services.handlers["studies.start"]({ study: definition, workers: null });
  await expect.poll(async () => (await window.services.handlers["studies.get"]({ study: id })).status).toBe("finished");
  await window.page.evaluate((hash) => (location.hash = hash), `#/studies/${id}`);
  await at("study-export").waitFor();
  return id;
}

it("saves a study's report, tables and pictures", async () => {
  await openFinishedStudy();
  const choose = async (item: string) => {
    await at("study-export").click();
    await at(item).click();
  };
  const page = await saved(() => choose("report-html"));
  expect(page.name).toMatch(/^Little-.*-report\.html$/);
  expect(readShared(page.content.toString("utf8"))).toEqual({ ok: true, kind: "study", value: definition });
  const runs = await saved(() => choose("report-runs"));
  expect(runs.content.toString("utf8").trimEnd().split("\n")).toHaveLength(1 + 16);

  await choose("report-pictures");
  await at("picture-width").locator("input").fill("640");
  await at("picture-width").locator("input").press("Tab");
  await expect.poll(() => at("picture-preview").evaluate((image) => (image as HTMLImageElement).naturalWidth)).toBe(640);
  const picture = await saved(() => at("picture-save").click());
  expect(picture.name).toMatch(/-sensitivity\.png$/);
  expect(picture.content.readUInt32BE(16)).toBe(1280);
});

it("copies a study as a link, which opens the form filled", async () => {
  await window.page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await openFinishedStudy();
  await at("study-export").click();
  await at("report-link").click();
  let link = "";
  await expect.poll(async () => (link = await window.page.evaluate(() => navigator.clipboard.readText()))).toContain("#/open/study/");
  expect(readShared(link)).toEqual({ ok: true, kind: "study", value: definition });

  await window.page.evaluate((hash) => (location.hash = hash), `#${openPath({ kind: "study", value: { ...definition, name: "From a link" } })}`);
  await expect.poll(() => at("study-name").inputValue().catch(() => "")).toBe("From a link");
});

it("imports a link, a file or a report, and says what is wrong with anything else", async () => {
  await at("import-button").click();
  await at("import-text").fill("not a link");
  await at("import-confirm").click();
  await expect.poll(() => at("import-problem").innerText()).toContain("no link of Hypertower");
  await at("import-text").fill(encodeLink({ kind: "experiment", value: { seed: -1 } }));
  await at("import-confirm").click();
  await expect.poll(() => at("import-problem").innerText()).toContain("seed must be from 0 to 4294967295");
  await at("import-text").fill(encodeLink({ kind: "experiment", value: { name: "From a link" } }));
  await at("import-confirm").click();
  await expect.poll(() => at("experiment-name").inputValue()).toBe("From a link");

  await at("import-button").click();
  await at("import-file").setInputFiles({ name: "study.json", mimeType: "application/json", buffer: Buffer.from(JSON.stringify({ ...definition, name: "From a file" })) });
  await expect.poll(() => at("study-name").inputValue().catch(() => "")).toBe("From a file");
  await window.page.evaluate(() => (location.hash = "#/open/study/AAAA"));
  await expect.poll(() => at("empty-state").innerText()).toContain("damaged or incomplete");
});
