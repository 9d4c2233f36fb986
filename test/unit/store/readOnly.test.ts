/** Stores that can only be read: on a read-only file system, and where the account may not write. */
import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { closeConnections, openConnections, storeFileName } from "../../../src/main/store/database.ts";
import { migrations } from "../../../src/main/store/migrations.ts";
import { everything } from "../../support/edition.ts";
import { anEnvironment, aRun, freshFolder, openStore, rowsOf } from "../../support/storeFixtures.ts";
import { processFile } from "../../support/processes.ts";

const program = processFile("readOnlyStores");
const commandLine = fileURLToPath(new URL("../../../src/main/headless/entry.ts", import.meta.url));
const isRoot = process.getuid?.() === 0;
const canMount = process.platform === "linux" && spawnSync("unshare", ["-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]).status === 0;

interface Found {
  readonly readOnly: string | null;
  readonly name: string;
  readonly steps: number;
  readonly refused: string;
}

/** A store with a run of 3 steps, 2 of them in the log of recent writes. */
function store(folder: string): void {
  const open = openStore(folder);
  const run = aRun({ name: "kept" });
  open.createRun(run);
  open.beginSeries(run.id, ["loss"], anEnvironment);
  open.appendRows(run.id, rowsOf([[1, 2, 3]]));
  open.saveRun({ ...run, status: "finished", steps: 3 });
  open.flush();
  const crashed = `${folder}-crashed`;
  mkdirSync(crashed);
  for (const part of ["", "-wal"]) copyFileSync(join(folder, `${storeFileName}${part}`), join(crashed, `${storeFileName}${part}`));
  open.closeNow();
}

/** Stores in a fresh folder: closed in order, and as after a crash. */
function stores() {
  const folder = freshFolder();
  chmodSync(folder, 0o755);
  store(join(folder, "closed"));
  const folders = [join(folder, "closed"), join(folder, "closed-crashed")];
  for (const path of folders) {
    // Only read by others, as an administrator would set it up.
    chmodSync(path, 0o555);
    for (const name of readdirSync(path)) if (name.startsWith(storeFileName)) chmodSync(join(path, name), 0o444);
  }
  return { folder, folders };
}

const copies = () => readdirSync(tmpdir()).filter((name) => name.startsWith("hypertower-reading-"));

const read = (stdout: string, stderr: string): Found[] => {
  expect(stderr.replace(/.*ExperimentalWarning.*\n.*\n/, "")).toBe("");
  return stdout.trim().split("\n").map((line) => JSON.parse(line) as Found);
};

describe.runIf(process.platform !== "win32")("a store in a folder that this account may not write", () => {
  it("is read, closed in order or not, and refuses changes in plain words", () => {
    const { folder, folders } = stores();
    const before = copies();
    const { stdout, stderr } = spawnSync(process.execPath, [program, isRoot ? "65534" : "0", ...folders], { encoding: "utf8", cwd: "/" });
    for (const path of folders) chmodSync(path, 0o755);
    for (const [index, found] of read(stdout, stderr).entries()) {
      expect(found).toMatchObject({ readOnly: `this account may not write to ${folders[index]}`, name: "kept", steps: 3 });
      expect(found.refused).toContain(`${join(folders[index]!, storeFileName)} can only be read: this account may not write to`);
    }
    expect(readdirSync(folder).sort()).toEqual(["closed", "closed-crashed"]);
    expect(copies()).toEqual(before);
  });
});

describe.runIf(canMount)("a store on a read-only file system", () => {
  const mounted = (folder: string, command: readonly string[]) =>
    spawnSync("unshare", ["-rm", "sh", "-c", 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"', folder, ...command], { encoding: "utf8" });

  it("is read, closed in order or not, also one of an earlier version", () => {
    const { folder, folders } = stores();
    for (const path of folders) chmodSync(path, 0o755);
    const earlier = join(folder, "earlier");
    closeConnections(openConnections(earlier, migrations.slice(0, -1)));
    const { stdout, stderr } = mounted(folder, [process.execPath, program, "0", ...folders]);
    for (const [index, found] of read(stdout, stderr).entries()) {
      expect(found).toMatchObject({ readOnly: `${folders[index]} lies on a read-only file system`, name: "kept", steps: 3 });
      expect(found.refused).toContain("can only be read");
    }
    const old = mounted(folder, [process.execPath, commandLine, "runs", "--store", earlier]);
    expect(old).toMatchObject({ status: 0, stderr: "" });
  });

  it.runIf(everything)("can be shown, listed and exported; training is refused", () => {
    const { folder, folders: [closed] } = stores();
    chmodSync(closed!, 0o755);
    const run = (...command: string[]) => mounted(folder, [process.execPath, commandLine, ...command, "--store", closed!]);
    expect(run("runs").stdout).toContain("kept");
    expect(run("show", "last").stdout).toContain("kept");
    expect(run("export", "last", "--format", "csv").stdout.trim().split("\n").length).toBeGreaterThan(3);
    const report = join(freshFolder(), "report");
    expect(run("report", "last", "--run", "--out", report)).toMatchObject({ status: 0 });
    expect(readdirSync(report)).toContain("report.html");
    const trained = run("train", "--engine", "reference");
    expect(trained.status).toBe(1);
    expect(trained.stderr).toContain("can only be read");
  });
});

describe.runIf(process.platform !== "win32")("what a new store creates", () => {
  it("is for its owner alone, and the folder above stays as it is", () => {
    const above = freshFolder();
    chmodSync(above, 0o755);
    const folder = join(above, "store");
    const before = process.umask(0o022);
    try {
      const open = openStore(folder);
      open.createRun(aRun());
      const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);
      expect([above, folder, join(folder, "hosts")].map(mode)).toEqual(["755", "700", "700"]);
      for (const name of readdirSync(folder)) if (name !== "hosts") expect([name, mode(join(folder, name))]).toEqual([name, "600"]);
      open.closeNow();
    } finally {
      process.umask(before);
    }
    rmSync(folder, { recursive: true });
  });
});
