/** `hypertower rerun` and `export` on a run that was really trained. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseSafetensors } from "../../../src/core/weights/safetensors.ts";
import { jsonLines, runCommand, tiny } from "../../support/commandLine.ts";
import { everything } from "../../support/edition.ts";

let folder: string;
let run: string;
let final: Record<string, number>;
const hypertower = (...args: string[]) => runCommand(join(folder, "store"), args);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "hypertower-learned-"));
  const { code, stdout, stderr } = await hypertower("train", ...tiny, "--set", "budget.epochs=2", "--set", "seed=3", "--set", "name=first", "--json");
  expect(code, stderr).toBe(0);
  const last = jsonLines(stdout).at(-1)!;
  run = String(last["run"]);
  [final] = last["hyperparameters"] as [Record<string, number>];
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("hypertower rerun", () => {
  it("trains the plain optimizer from the learned values, with the same seed", async () => {
    expect(final["alpha"]).not.toBe(0.001);
    const { code, stdout, stderr } = await hypertower("rerun", run, "--json");
    expect(code, stderr).toBe(0);
    const lines = jsonLines(stdout);
    expect(lines.map((line) => line["type"])).toEqual(["started", "epoch", "epoch", "finished"]);
    expect(lines[0]).toMatchObject({
      name: "first, plain at the learned values",
      experiment: { seed: 3, batchSize: 64, tower: [{ optimizer: "adam", alpha: final["alpha"], beta1: final["beta1"], beta2: final["beta2"] }] },
    });
    expect(lines[0]).toHaveProperty("experiment.tower.length", 1);
    expect(lines.at(-1)).toMatchObject({ steps: 20, hyperparameters: [{ alpha: final["alpha"] }] });

    const again = await hypertower("rerun", String(lines[0]!["run"]));
    expect(again).toMatchObject({ code: 1, stdout: "" });
    expect(again.stderr).toContain("The run was plain already");
  });
});

describe("hypertower export", () => {
  it("writes to a file or to standard output, the same", async () => {
    for (const format of everything ? ["pytorch", "csv"] : ["csv"]) {
      const out = join(folder, `whole.${format}`);
      const written = await hypertower("export", run, "--format", format, "--out", out);
      expect(written, format).toEqual({ code: 0, stdout: "", stderr: `wrote ${out}\n` });
      if (format === "csv") expect((await hypertower("export", run, "--format", format)).stdout).toBe(readFileSync(out, "utf8"));
    }
    expect(readdirSync(folder).filter((name) => name.endsWith(".part"))).toEqual([]);
    const csv = readFileSync(join(folder, "whole.csv"), "utf8").split("\n").filter((line) => !line.startsWith("#"));
    expect(csv).toHaveLength(1 + 21 + 1);
    expect(csv[21]!.split(",")[3]).toBe(String(final["alpha"]));
    if (everything) expect(readFileSync(join(folder, "whole.pytorch"), "utf8")).toContain(`lr=${String(final["alpha"])}`);
  });

  it("writes weights and the model by the ending of the file", async () => {
    const [weights, model] = [join(folder, "w.safetensors"), join(folder, "m.onnx")];
    expect(await hypertower("export", run, "--out", weights)).toEqual({ code: 0, stdout: "", stderr: `wrote ${weights}\n` });
    expect(parseSafetensors(readFileSync(weights), weights).tensors.get("layer1.bias")!.shape).toHaveLength(1);
    const { code, stderr } = await hypertower("export", run, "--out", model, "--checkpoint", "last");
    expect({ code, stderr }).toEqual({ code: 0, stderr: `wrote ${model}\ninputs: features float32 [batch, 1, 28, 28]\noutputs: logits float32 [batch, 10]; probabilities float32 [batch, 10]\n` });
    const refused = await hypertower("export", run, "--out", join(folder, "no.npz"), "--steps", "3");
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toContain("--steps is for the format onnx; leave it out, or add --format onnx");
  });

  it.runIf(everything)("replaces a file only when asked", async () => {
    const out = join(folder, "kept.csv");
    writeFileSync(out, "mine");
    const { code, stderr } = await hypertower("export", run, "--format", "csv", "--out", out);
    expect(code).toBe(1);
    expect(stderr).toContain(`${out} already exists; to replace it, add --force`);
    expect(readFileSync(out, "utf8")).toBe("mine");
    expect((await hypertower("export", run, "--format", "csv", "--out", out, "--force")).code).toBe(0);
    expect(readFileSync(out, "utf8")).toContain("step,epoch,loss");
  });

  it.runIf(everything)("says what is wrong and writes nothing", async () => {
    const out = join(folder, "missing", "a.csv");
    const nowhere = await hypertower("export", run, "--format", "csv", "--out", out);
    expect(nowhere.code).toBe(1);
    expect(nowhere.stderr).toContain(`${out} cannot be written`);
    const unknown = await hypertower("export", run, "--format", "excel", "--out", join(folder, "a.xls"));
    expect(unknown.code).toBe(1);
    expect(unknown.stderr).toContain("Allowed choices are csv, json, pytorch, optax, keras, library, safetensors, npz, onnx");
    expect(existsSync(join(folder, "a.xls"))).toBe(false);
    expect((await hypertower("export", "nothing-like-it", "--format", "csv")).stderr).toContain("there is no run nothing-like-it");
  });
});
