/** Datasets that a file's tests import lie in a folder of their own: another file may import one of the same name meanwhile. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "hypertower-data-"));
process.env["HYPERTOWER_DATA"] = folder;
afterAll(() => rmSync(folder, { recursive: true, force: true }));
