/** Taking in and moving stores from the window. */
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { createServices } from "../../../src/main/services/createServices.ts";
import { movedAtStart, storeDirAt } from "../../../src/main/services/paths.ts";
import { aRun, filledStore, freshFolder, openStore, recordedLog } from "../../support/storeFixtures.ts";

async function opened(folder: string) {
  const services = await createServices(
    { storeDir: folder, host: "browser", version: "0", launchTrainer: () => { throw new Error("no trainer"); } },
    { log: recordedLog() },
  );
  onTestFinished(() => services.close());
  return services;
}

it("takes in another store while this one is open, and shows its runs", async () => {
  const { folder: other } = filledStore();
  const folder = freshFolder();
  const services = await opened(folder);
  const { handlers } = services;
  const listed: string[] = [];
  services.on("runs.listed", (runs) => listed.push(...runs.map(({ name }) => name)));
  expect(await handlers["storage.merge"]({ path: other })).toEqual({ remarks: ["Imported 1 run."] });
  await expect.poll(() => listed).toEqual(["kept"]);
  expect(await handlers["storage.merge"]({ path: other })).toEqual({ remarks: ["1 run was here already and was skipped."] });
});

it("says what keeps a store from being taken in", async () => {
  const { folder: other } = filledStore();
  const store = openStore(other);
  store.createRun(aRun({ name: "trained there" }));
  const { handlers } = await opened(freshFolder());
  expect((await handlers["storage.merge"]({ path: other })).remarks.join()).toMatch(/Imported 1 run.*is queued in .*; it was left out/);
  await expect(handlers["storage.merge"]({ path: join(other, "none") })).rejects.toThrow(/There is no store in/);
  await expect(handlers["storage.merge"]({ path: "store" })).rejects.toThrow(/not a whole path/);
  const links = freshFolder();
  symlinkSync(join(other, "hypertower.sqlite"), join(links, "hypertower.sqlite"));
  await expect(handlers["storage.merge"]({ path: links })).rejects.toThrow(/is a link/);
});

it("moves the store at the next start, and not while a process uses it", async () => {
  const { folder } = filledStore();
  const target = join(freshFolder(), "moved");
  const services = await opened(folder);
  const { handlers } = services;
  const told: unknown[] = [];
  services.on("storage.noticed", ({ move }) => told.push(move));
  await handlers["storage.move"]({ path: target, removeOld: false });
  await handlers["storage.move"]({ path: null, removeOld: false });
  expect(await handlers["storage.move"]({ path: target, removeOld: false })).toMatchObject({ move: { folder: target, problem: null } });
  expect(told).toEqual([{ folder: target, problem: null }, null, { folder: target, problem: null }]);
  // It has written, so it is known as a host.
  await handlers["runs.rename"]({ run: (await handlers["runs.find"]({}))[0]!, name: "renamed" });
  expect(movedAtStart(folder)).toBe(folder);
  expect(existsSync(target)).toBe(false);
  await services.close();
  expect(movedAtStart(folder)).toBe(target);
  expect(storeDirAt(folder)).toBe(target);
  expect(JSON.parse(readFileSync(join(folder, "moved.json"), "utf8"))).toEqual({ folder: target });
  const there = await opened(target);
  expect((await there.handlers["runs.list"]({ deleted: false })).map(({ name }) => name)).toEqual(["renamed"]);
  expect(await there.handlers["storage.notices"]({})).toMatchObject({ move: null });
});

it("keeps the store where it is, and says why, when it cannot be moved", async () => {
  const { folder } = filledStore();
  const full = freshFolder();
  const services = await opened(folder);
  const { handlers } = services;
  await expect(handlers["storage.move"]({ path: folder, removeOld: false })).rejects.toThrow(/is in .* already/);
  await expect(handlers["storage.move"]({ path: join(folder, "inside"), removeOld: false })).rejects.toThrow(/lie within each other/);
  const target = join(full, "target");
  await handlers["storage.move"]({ path: target, removeOld: true });
  await services.close();
  mkdirSync(target);
  writeFileSync(join(target, "a-file"), "");
  expect(movedAtStart(folder)).toBe(folder);
  const again = await opened(folder);
  expect(await again.handlers["storage.notices"]({})).toMatchObject({ move: { folder: target, problem: `${target} is not an empty folder; choose another one.` } });
  expect(await again.handlers["runs.list"]({ deleted: false })).toHaveLength(1);
  await again.handlers["storage.move"]({ path: null, removeOld: false });
  expect(await again.handlers["storage.notices"]({})).toMatchObject({ move: null });
});
