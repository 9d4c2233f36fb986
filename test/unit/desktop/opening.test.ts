/** Files that the system hands to the app are told by their content, and the window may read no others. */
import { mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, it, vi } from "vitest";
import { openedChannel, requestChannel } from "../../../src/shared/channels.ts";
import { connectWindow } from "../../../src/main/desktop/ipc.ts";
import { windowUrl } from "../../../src/main/desktop/location.ts";
import { itemsIn, OpeningQueue, readItem } from "../../../src/main/desktop/opening.ts";
import { fakeServices } from "../../support/fakeServices.ts";
import { freshFolder } from "../../support/storeFixtures.ts";

type Handle = (event: unknown, input: unknown) => unknown;
const electron = vi.hoisted(() => ({ handlers: new Map<string, Handle>() }));
vi.mock("electron", () => ({ ipcMain: { handle: (channel: string, handle: Handle) => electron.handlers.set(channel, handle) }, dialog: {} }));

let folder = "";
beforeEach(() => {
  folder = freshFolder();
});

function put(name: string, content: string | Uint8Array): string {
  writeFileSync(join(folder, name), content);
  return name;
}

function tar(): Buffer {
  const head = Buffer.alloc(1024);
  head.write("hypertower.json", 0);
  head.write("ustar", 257);
  return head;
}

it("finds files and links among the arguments of a start", () => {
  expect(itemsIn(["--no-sandbox", "/opt/app", "a.hypertower", "B.HYPERTOWER", "hypertower://runs", "--x=a.hypertower", "notes.txt", 7, null])).toEqual(["a.hypertower", "B.HYPERTOWER", "hypertower://runs"]);
  expect(itemsIn(Array.from({ length: 100 }, (_, i) => `${i}.hypertower`))).toHaveLength(20);
});

it("tells files by their content", async () => {
  expect(await readItem(put("run.hypertower", tar()), folder)).toEqual({ kind: "archive", name: "run.hypertower", path: join(folder, "run.hypertower") });
  const text = '\uFEFF\n { "dataset": { "kind": "digits" } }';
  expect(await readItem(put("experiment.hypertower", text), folder)).toEqual({ kind: "definition", name: "experiment.hypertower", text });
  expect(await readItem("hypertower://runs", folder)).toEqual({ kind: "page", path: "/runs" });
});

it("says what cannot be opened, and why", async () => {
  mkdirSync(join(folder, "folder.hypertower"));
  const problems = await Promise.all(["missing.hypertower", "folder.hypertower", put("empty.hypertower", ""), put("text.hypertower", "Dear diary"), put("half.hypertower", tar().subarray(0, 300))].map((item) => readItem(item, folder)));
  expect(problems.map((one) => one.kind)).toEqual(Array(5).fill("problem"));
  expect(problems.map((one) => (one.kind === "problem" ? one.message : ""))).toEqual([
    expect.stringContaining("cannot be opened: ENOENT"),
    expect.stringContaining("is not a file"),
    ...Array<unknown>(3).fill(expect.stringContaining("neither an archive of Hypertower nor an experiment or study as JSON")),
  ]);
  put("huge.hypertower", "{");
  truncateSync(join(folder, "huge.hypertower"), 2 ** 30);
  expect(await readItem("huge.hypertower", folder)).toMatchObject({ kind: "problem", message: expect.stringContaining("has 1073741824 bytes") as string });
});

it("hands the window what waits, once, with the right to read archives alone", async () => {
  const services = fakeServices();
  const sent: unknown[] = [];
  const sender = { send: (channel: string) => sent.push(channel) };
  const queue = new OpeningQueue();
  connectWindow(services, () => sender as never, queue);
  const ask = (channel: string, input?: unknown, url = windowUrl) => electron.handlers.get(channel)!({ sender, senderFrame: { url, origin: url.replace(/\/$/, ""), parent: null } }, input);
  put("run.hypertower", tar());
  put("other.hypertower", tar());
  await queue.add(["run.hypertower", "hypertower://runs"], folder);
  expect(sent).toEqual(["hypertower:opening"]);
  const path = join(folder, "run.hypertower");
  expect(await ask(requestChannel("archives.import"), { path })).toMatchObject({ ok: false });
  expect(() => ask(openedChannel, undefined, "https://example.com/")).toThrow("may not send requests");
  expect(ask(openedChannel)).toEqual([{ kind: "archive", name: "run.hypertower", path }, { kind: "page", path: "/runs" }]);
  expect(ask(openedChannel)).toEqual([]);
  expect(services.calls).toEqual([]);
  await ask(requestChannel("archives.import"), { path });
  expect(services.calls).toHaveLength(1);
  expect(await ask(requestChannel("archives.import"), { path: join(folder, "other.hypertower") })).toMatchObject({ ok: false });
});
