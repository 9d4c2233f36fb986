/** Power cuts: the pretended disk, what the shim records for it, and files that have to outlast one. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Disk, filesBelow } from "../../faults/powerloss/disk.ts";
import { readRecording, type Entry } from "../../faults/powerloss/recording.ts";
import { randomOf } from "../../faults/random.ts";
import { shimEnvironment, shimProblem } from "../../faults/shim/shim.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hypertower-power-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Decides that nothing that was not synced has reached the disk. */
const nothingMore = () => 0.2;
/** Decides that everything has. */
const everythingMore = () => 0.1;

const entry = (kind: Entry["kind"], path: string, rest: Partial<Entry> = {}): Entry => ({ kind, path: `/root/${path}`, inode: 1n, offset: 0, target: "", data: Buffer.alloc(0), ...rest });
const write = (path: string, text: string, offset = 0, inode = 1n) => entry("written", path, { data: Buffer.from(text), offset, inode });
const syncRoot: Entry = { ...entry("synced", ""), path: "/root" };

describe("a disk that loses power", () => {
  let cuts = 0;
  const after = (entries: readonly Entry[], random: () => number) => {
    const disk = new Disk("/root");
    for (const each of entries) disk.apply(each);
    const to = join(folder, String(cuts++));
    disk.writeCut(to, random);
    return Object.fromEntries([...filesBelow(to)].map(([name, content]) => [name, content?.toString() ?? null]));
  };

  it("keeps content that was synced under a name that was synced", () => {
    const entries = [entry("created", "a"), write("a", "hello"), entry("synced", "a"), syncRoot, write("a", "J")];
    expect(after(entries, nothingMore)).toEqual({ a: "hello" });
    expect(after(entries, everythingMore)).toEqual({ a: "Jello" });
  });

  it("loses a file whose folder was not synced, and the content of one that was not", () => {
    expect(after([entry("created", "a"), write("a", "hello"), entry("synced", "a")], nothingMore)).toEqual({});
    expect(after([entry("created", "a"), write("a", "hello"), syncRoot], nothingMore)).toEqual({ a: "" });
  });

  it("loses all below a folder whose name was not synced", () => {
    const inner: Entry = { ...entry("synced", "f"), path: "/root/f" };
    expect(after([entry("folder", "f"), entry("created", "f/a"), write("f/a", "x"), entry("synced", "f/a"), inner], nothingMore)).toEqual({});
  });

  it("has the old or the new file after a rename, never none", () => {
    const entries = [
      entry("created", "a"), write("a", "old"), entry("synced", "a"), syncRoot,
      entry("created", "b", { inode: 2n }), write("b", "new", 0, 2n), entry("synced", "b", { inode: 2n }), entry("renamed", "b", { target: "/root/a" }),
    ];
    const random = randomOf(1);
    const found = new Set(Array.from({ length: 60 }, () => after(entries, random)["a"]));
    expect([...found].sort()).toEqual(["new", "old"]);
  });

  it("tears writes at sectors only", () => {
    const random = randomOf(2);
    const entries = [entry("created", "a"), write("a", "a".repeat(2048)), entry("synced", "a"), syncRoot, write("a", "b".repeat(1200), 300)];
    const shapes = new Set(Array.from({ length: 80 }, () => after(entries, random)["a"]!.replace(/(.)\1*/g, (run) => `${run[0]}${run.length} `)));
    for (const shape of shapes) {
      let at = 0;
      for (const [, length] of shape.matchAll(/[ab](\d+)/g)) {
        at += Number(length);
        expect([300, 1500].includes(at) || at % 512 === 0).toBe(true);
      }
    }
    expect(shapes.size).toBeGreaterThan(3);
  });
});

describe.runIf(shimProblem() === null)("the shim", () => {
  it("records every change; what was reported as written outlasts a power cut right after it", () => {
    const root = join(folder, "root");
    const log = join(folder, "log");
    mkdirSync(root);
    execFileSync(process.execPath, [join(import.meta.dirname, "../../support/syncing.ts"), root], { env: { ...process.env, ...shimEnvironment({ root, log }) }, stdio: "pipe" });
    const disk = new Disk(root);
    for (const each of readRecording(log)) disk.apply(each);
    disk.writeLive(join(folder, "live"));
    expect(filesBelow(join(folder, "live"))).toEqual(filesBelow(root));
    disk.writeCut(join(folder, "cut"), nothingMore);
    const names = (of: string) => [...filesBelow(join(folder, of))].flatMap(([name, content]) => (content === null || name.startsWith("store/") ? [] : [name]));
    expect(names("cut")).toEqual(names("live"));
    for (const [name, content] of filesBelow(join(folder, "cut"))) if (!name.startsWith("store")) expect(content).toEqual(filesBelow(root).get(name));
    const folders = [...filesBelow(join(folder, "cut")).keys()];
    expect(folders).toContain("store/weights");
    expect(folders).toContain("store/hypertower.sqlite");
    expect(folders).not.toContain("unsynced");
  });
});
