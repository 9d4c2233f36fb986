/** A real full disk: a small file system in memory, mounted in a namespace of its own where the system lets us. */
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { freshFolder } from "../../support/storeFixtures.ts";
import { processFile } from "../../support/processes.ts";

const program = processFile("fullDisk");
const canMount = process.platform === "linux" && spawnSync("unshare", ["-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]).status === 0;

describe.runIf(canMount)("a full disk", () => {
  it("costs no step: rows are kept and written when there is space, or spilled to another disk at the end", () => {
    const folder = freshFolder();
    const [disk, state] = [join(folder, "disk"), join(folder, "state")];
    for (const made of [disk, state]) mkdirSync(made);
    const script = 'mount -t tmpfs -o size=4m tmpfs "$1" && exec "$2" "$3" "$1/store" "$4"';
    const { stdout, stderr } = spawnSync("unshare", ["-rm", "sh", "-c", script, "sh", disk, process.execPath, program, state], { encoding: "utf8" });
    const found = JSON.parse(stdout || `"${stderr.slice(0, 500).replaceAll('"', "'").replaceAll("\n", " ")}"`) as Record<string, unknown>;
    expect(found).toMatchObject({ failed: true, same: true, left: [], spilled: [expect.stringMatching(/\.spill$/)] });
    expect(found["told"]).toEqual([expect.stringContaining("the disk is full"), "recovered", expect.stringContaining("the disk is full")]);
    expect(found["message"]).toContain(` is in ${state}/`);
    expect(found["kept"]).toBe(found["logged"]);
  });
});
