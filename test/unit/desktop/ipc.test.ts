/** Requests of the desktop app's window: who may send them, and which files they may name. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, it, vi } from "vitest";
import { droppedChannel, requestChannel } from "../../../src/shared/channels.ts";
import type { Reply, RequestName } from "../../../src/shared/contract.ts";
import { connectWindow } from "../../../src/main/desktop/ipc.ts";
import { windowUrl } from "../../../src/main/desktop/location.ts";
import { fakeServices, type FakeServices } from "../../support/fakeServices.ts";
import { freshFolder } from "../../support/storeFixtures.ts";

type Handle = (event: unknown, input: unknown) => unknown;
const electron = vi.hoisted(() => ({ handlers: new Map<string, Handle>(), chosen: [] as string[], asked: [] as unknown[] }));
vi.mock("electron", () => ({
  ipcMain: { handle: (channel: string, handle: Handle) => electron.handlers.set(channel, handle) },
  dialog: {
    showOpenDialog: (options: unknown) => {
      electron.asked.push(options);
      return Promise.resolve({ canceled: electron.chosen.length === 0, filePaths: electron.chosen });
    },
  },
}));

let services: FakeServices;
let folder = "";
/** Windows by name. */
const windows = { first: {}, second: {} };
beforeEach(() => {
  [windows.first, windows.second] = [{}, {}];
  [electron.chosen, electron.asked] = [[], []];
  folder = freshFolder();
  mkdirSync(join(folder, "images"));
  for (const name of ["a.csv", "b.csv", "images/1.txt"]) writeFileSync(join(folder, name), "1,2\n");
  services = fakeServices();
  connectWindow(services, () => null);
});

const send = async (channel: string, input: unknown, window: keyof typeof windows = "first", url = windowUrl) => electron.handlers.get(channel)!({ sender: windows[window], senderFrame: { url, origin: url.replace(/\/$/, ""), parent: null } }, input);
const ask = (name: RequestName, input: unknown, window?: keyof typeof windows) => send(requestChannel(name), input, window) as Promise<Reply<RequestName>>;
const preview = (name: string, window?: keyof typeof windows) => ask("datasets.preview", { path: join(folder, name) }, window);
const refused = { ok: false, error: { message: expect.stringContaining("may not be read from this window; choose it in the dialog, or drop it on the window") as string } };

it("read files only that the person chose, in this window", async () => {
  expect(await preview("a.csv")).toEqual(refused);
  expect(services.calls).toEqual([]);
  electron.chosen = [join(folder, "a.csv")];
  expect(await ask("datasets.choose", { what: "file" })).toEqual({ ok: true, value: join(folder, "a.csv") });
  expect(await preview("a.csv")).toMatchObject({ ok: true });
  expect(await preview("b.csv")).toEqual(refused);
  expect(await preview("a.csv", "second")).toEqual(refused);
  electron.chosen = [join(folder, "images")];
  await ask("datasets.choose", { what: "folder" });
  expect(await preview("images/1.txt")).toMatchObject({ ok: true });
  expect(electron.asked).toEqual([{ properties: ["openFile"] }, { properties: ["openDirectory"] }]);
});

it("choose nothing by a dialog that is cancelled, or that cannot be asked for", async () => {
  expect(await ask("datasets.choose", { what: "file" })).toEqual({ ok: true, value: null });
  expect(await ask("datasets.choose", { what: "everything" })).toMatchObject({ ok: false });
  electron.chosen = [join(folder, "vanished")];
  expect(await ask("datasets.choose", { what: "file" })).toMatchObject({ ok: false, error: { message: expect.stringContaining("cannot be opened") as string } });
});

it("read files that were dropped on this window", async () => {
  expect(await send(droppedChannel, join(folder, "b.csv"))).toBe(join(folder, "b.csv"));
  expect(await preview("b.csv")).toMatchObject({ ok: true });
  expect(await preview("b.csv", "second")).toEqual(refused);
  expect(await send(droppedChannel, join(folder, "vanished"))).toBeNull();
  expect(await send(droppedChannel, 3)).toBeNull();
});

it("come from the window's own page alone", async () => {
  for (const channel of [requestChannel("runs.list"), droppedChannel]) await expect(send(channel, {}, "first", "https://elsewhere.invalid/")).rejects.toThrow("this page may not send requests");
  expect(services.calls).toEqual([]);
});
