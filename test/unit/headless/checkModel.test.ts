/** `hypertower import-model --check` as people run it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zipSync } from "fflate";
import { afterAll, describe, expect, it } from "vitest";
import { runCommand } from "../../support/commandLine.ts";
import { npy } from "../../support/npy.ts";

const folder = mkdtempSync(join(tmpdir(), "hypertower-check-"));
afterAll(() => rmSync(folder, { recursive: true }));
const fixture = (name: string) => new URL(`../../onnx/fixtures/${name}`, import.meta.url).pathname;
const check = (file: string, batch: string, ...more: readonly string[]) => runCommand(join(folder, "store"), ["import-model", file, "--check", batch, ...more]);

describe("hypertower import-model --check", () => {
  it("says how closely the loss and every gradient agree", async () => {
    const { code, stdout, stderr } = await check(fixture("cnn.whole.onnx"), fixture("cnn.npz"), "--engine", "reference", "--json");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const result = JSON.parse(stdout) as Record<string, unknown>;
    expect(result).toMatchObject({ type: "modelCheck", engine: "reference", agrees: true, missing: [], warnings: [] });
    expect(result["largestRelativeDifference"]).toBeLessThan(1e-12);
    expect(Object.keys(result["gradients"] as object)).toContain("10.weight");
  });

  it("exits with 1 above the tolerance, and names the gradient", async () => {
    const close = await check(fixture("autoencoder.old.onnx"), fixture("autoencoder.npz"), "--tolerance", "1e-12");
    expect(close.code).toBe(1);
    expect(close.stdout).toMatch(/Does not agree: the largest relative difference is \d\.\de-\d+ \(onnx-cpu; at most 1e-12 is allowed\)/);
    const loss = join(folder, "loss-only.npz");
    writeFileSync(loss, zipSync({ "x.npy": npy("<f8", [1, 20], Array.from({ length: 20 }, (_, i) => i / 20)), "y.npy": npy("<i4", [1], [3]), "loss.npy": npy("<f8", [], [2]) }));
    const other = await check(fixture("autoencoder.old.onnx"), loss, "--engine", "reference");
    expect(other.code).toBe(1);
    expect(other.stdout).toContain("given 2: relative difference");
  });

  it("explains files that cannot be checked", async () => {
    const broken = join(folder, "broken.onnx");
    writeFileSync(broken, readFileSync(fixture("mlp.old.onnx")).subarray(0, 500));
    const damaged = await check(broken, fixture("mlp.npz"));
    expect(damaged).toMatchObject({ code: 1, stdout: "" });
    expect(damaged.stderr).toContain("a field is longer than the file");
    const missing = await check(join(folder, "nothing.onnx"), fixture("mlp.npz"));
    expect(missing.stderr).toContain("cannot be read");
  });
});
