/** Starts that cannot succeed: said in a dialog, nothing overwritten, exit code 1. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, it } from "vitest";
import { freshStore } from "../support/harness.ts";
import { startApp, type DesktopApp, type WindowHost } from "./app.ts";

let storeDir: string;
let remove: () => void;
let opened: boolean;

const noWindow: WindowHost = {
  load: () => {
    opened = true;
    return Promise.resolve();
  },
  receive: () => Promise.resolve(),
  reload: () => Promise.resolve(),
};

beforeEach(() => {
  ({ storeDir, remove } = freshStore());
  opened = false;
});
afterEach(() => remove());

async function fails(folder: string): Promise<DesktopApp> {
  const app = startApp(folder, noWindow);
  expect(await app.process.exited, app.process.output()).toBe(1);
  expect(opened).toBe(false);
  expect(app.process.output()).toContain("Hypertower cannot start");
  return app;
}

it("refuses a database of a newer version", async () => {
  const file = join(storeDir, "hypertower.sqlite");
  const database = new DatabaseSync(file);
  database.exec("PRAGMA user_version = 9999");
  database.close();
  const before = readFileSync(file);
  const { errorBoxes } = await fails(storeDir);
  expect(errorBoxes).toEqual([{ title: "Hypertower cannot start", content: expect.stringContaining(file) as string }]);
  expect(errorBoxes[0]?.content).toContain("9999");
  expect(readFileSync(file)).toEqual(before);
});

it("refuses a file that is no database", async () => {
  const file = join(storeDir, "hypertower.sqlite");
  writeFileSync(file, "These are the notes of a careful person.\n".repeat(200));
  const { errorBoxes } = await fails(storeDir);
  expect(errorBoxes[0]?.content).toContain(file);
  expect(readFileSync(file, "utf8")).toContain("careful person");
});

it("names a folder that cannot be created", async () => {
  const file = join(storeDir, "a-file");
  writeFileSync(file, "");
  const { errorBoxes } = await fails(join(file, "store"));
  expect(errorBoxes[0]?.content).toContain(join(file, "store"));
});

it("starts on an empty folder, answers what the store takes up, and keeps everything in the folder", async () => {
  const folder = join(storeDir, "deep", "store");
  mkdirSync(join(storeDir, "deep"));
  const app = startApp(folder, noWindow);
  await expect.poll(() => opened).toBe(true);
  const frame = { url: "app://hypertower/", origin: "app://hypertower", parent: null };
  expect(await app.call("invoke", { channel: "hypertower:request:storage.report", parameters: [{}], frame })).toMatchObject({ ok: true });
  // The process that counted ends by itself.
  await expect.poll(() => app.call("trainers")).toEqual([]);
  expect(await app.process.end(), app.process.output()).toBe(0);
  expect(app.errorBoxes).toEqual([]);
  expect(readdirSync(folder)).toContain("hypertower.sqlite");
});
