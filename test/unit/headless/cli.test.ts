/** The command line as people run it. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readNumpy } from "../../../src/core/datasets/formats/npy.ts";
import { storeFileName } from "../../../src/main/store/database.ts";
import { everything } from "../../support/edition.ts";
import { jsonLines, runCommand, tiny } from "../../support/commandLine.ts";

let folder: string;
let store: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hypertower-cli-"));
  store = join(folder, "store");
});
afterEach(() => rmSync(folder, { recursive: true }));

const hypertower = (args: readonly string[], onOutput?: Parameters<typeof runCommand>[2]) => runCommand(store, args, onOutput);

describe("hypertower train", () => {
  it("trains, reports each epoch, and leaves a run that runs and show find, and resume refuses", async () => {
    const trained = await hypertower(["train", ...tiny, "--set", "budget.epochs=2", "--set", "name=first", "--json"]);
    expect(trained.stderr).toBe("");
    expect(trained.code).toBe(0);
    const lines = jsonLines(trained.stdout);
    expect(lines.map((line) => line["type"])).toEqual(["started", "epoch", "epoch", "finished"]);
    const last = lines.at(-1)!;
    expect(last).toMatchObject({ steps: 20, epoch: 2, hyperparameters: [{ optimizer: "adam" }, { optimizer: "sgd", alpha: 1e-5 }] });
    expect(last["testError"]).toBe(lines[2]!["testError"]);
    expect(last["testError"]).toBeGreaterThan(0);
    expect(last["testError"]).toBeLessThanOrEqual(100);

    const id = String(last["run"]);
    const listed = await hypertower(["runs", "--json"]);
    expect(jsonLines(listed.stdout)).toMatchObject([{ id, name: "first", status: "finished", testError: last["testError"] }]);
    const shown = await hypertower(["show", "last"]);
    expect(shown.stdout).toContain(id);
    expect(shown.stdout).toMatch(/epoch 2\/2 {2}training loss \d\.\d{4} {2}test error/);
    expect(shown.stdout).toContain("level 1  SGD     α 1e-5");
    const missing = await hypertower(["show", "nothing-like-it"]);
    expect(missing).toMatchObject({ code: 1, stdout: "" });
    expect(missing.stderr).toContain("there is no run nothing-like-it");

    const resumed = await hypertower(["resume", id]);
    expect(resumed).toMatchObject({ code: 1, stdout: "" });
    expect(resumed.stderr).toContain(`run ${id} is finished; only a run that is stopped, failed or interrupted can be resumed`);
    expect((await hypertower(["resume", "nothing-like-it"])).stderr).toContain("there is no run nothing-like-it");
  });

  it.runIf(everything)("gives the identical trajectory for the same seed", async () => {
    const once = async () => {
      const { stdout } = await hypertower(["train", ...tiny, "--set", "budget.epochs=1", "--set", "seed=11", "--json"]);
      const { run: _, ...last } = jsonLines(stdout).at(-1)!;
      return last;
    };
    expect(await once()).toEqual(await once());
  });

  it("ends a diverging run with exit code 3 and the reason", async () => {
    const wild = ["--set", 'tower=[{"optimizer":"sgd","alpha":1e12},{"optimizer":"sgd","alpha":1e12}]', "--set", "model.outputActivation=identity"];
    const { code, stdout } = await hypertower(["train", ...tiny, ...wild, "--set", "model.activation=relu", "--json"]);
    expect(code).toBe(3);
    const last = jsonLines(stdout).at(-1)!;
    expect(last).toMatchObject({ type: "diverged" });
    expect(last["reason"]).toEqual(expect.stringMatching(/\w/));
  });

  it.skipIf(process.platform === "win32")("stops at Ctrl+C, which reaches the trainer too, and keeps the run as stopped", async () => {
    const long = [...tiny, "--set", "budget.epochs=100000", "--json"];
    let interrupted = false;
    const { code, stdout } = await hypertower(["train", ...long], (text, interrupt) => {
      if (interrupted || !text.includes('"type":"epoch"')) return;
      interrupted = true;
      interrupt();
    });
    expect(code).toBe(130);
    expect(jsonLines(stdout).at(-1)).toMatchObject({ type: "stopped" });
    const [run] = jsonLines((await hypertower(["runs", "--json"])).stdout);
    expect(run).toMatchObject({ status: "stopped" });
    expect(run!["steps"]).toBeGreaterThanOrEqual(10);

    // Resumed, and stopped as `timeout` and schedulers do: the command and its whole group get the signal.
    let stopped = false;
    const resumed = await hypertower(["resume", "last", "--json"], (text, interrupt) => {
      if (stopped || !text.includes('"type":"epoch"')) return;
      stopped = true;
      interrupt("SIGTERM");
      interrupt("SIGTERM");
      interrupt("SIGHUP");
    });
    expect(resumed.code).toBe(130);
    expect(resumed.stderr).toContain(`to resume: hypertower resume ${String(run!["id"])}`);
    const last = jsonLines(resumed.stdout).at(-1)!;
    expect(last).toMatchObject({ type: "stopped", run: run!["id"] });
    expect(last["steps"]).toBeGreaterThan(run!["steps"] as number);
  });

  it.skipIf(process.platform === "win32")("stops its run when nobody reads its output any more", async () => {
    const { code, stderr } = await hypertower(["train", ...tiny, "--set", "budget.epochs=100000", "--json"], (_, __, closeOutput) => closeOutput());
    expect(code, stderr).toBe(130);
    const [run] = jsonLines((await hypertower(["runs", "--json"])).stdout);
    expect(run).toMatchObject({ status: "stopped" });
  });

  const refusals: [args: string[], message: string][] = [
    [["missing.json"], "the file does not exist"],
    [["--set", "tower.7.alpha=1"], "allowed: 0 to 1"],
    [["--preset", "nope"], "known presets: seed-example"],
    [["--set", "tower=[]"], "tower has no levels"],
    [["--set", "tower.0.beta1=1"], "strictly between 0 and 1"],
    [["--set", "tower.0.alpha=-1"], "0 or more"],
    [["--robust", "--set", "tower.0.alpha=0"], "--robust: tower.0.alpha: Adam alpha is 0; in log space it must be greater than 0"],
  ];
  it.each(everything ? refusals : refusals.slice(0, 2))("%j: says what is wrong and writes nothing", async (args, message) => {
    const { code, stdout, stderr } = await hypertower(["train", ...args]);
    expect(code).toBe(1);
    expect(stdout).toBe("");
    expect(stderr).toContain(message);
    expect(existsSync(store)).toBe(false);
  });

  it("with --json, tells an error as the one line of standard output too", async () => {
    const { code, stdout } = await hypertower(["train", "--preset", "nope", "--json"]);
    expect(code).toBe(1);
    expect(jsonLines(stdout)).toMatchObject([{ type: "error", message: expect.stringContaining("known presets") as string }]);
  });

  it("refuses a store that is not a database, and leaves it alone", async () => {
    const other = join(folder, "other");
    mkdirSync(other);
    writeFileSync(join(other, storeFileName), "not a database, not at all");
    const { code, stderr } = await hypertower(["train", ...tiny, "--store", other]);
    expect(code).toBe(1);
    expect(stderr).toContain("is not a SQLite database");
    expect(readFileSync(join(other, storeFileName), "utf8")).toBe("not a database, not at all");
  });
});

describe("hypertower runs", () => {
  it("creates no store by looking for one", async () => {
    const { code, stderr } = await hypertower(["runs"]);
    expect(code).toBe(1);
    expect(stderr).toContain(`there is no store in ${store}`);
    expect(existsSync(store)).toBe(false);
  });
});

describe("hypertower train with a guard", () => {
  const wild = ["--set", 'tower=[{"optimizer":"sgd","alpha":0.05},{"optimizer":"sgd","alpha":1e6}]', "--set", "model.outputActivation=identity", "--set", "model.activation=relu", "--set", "budget.epochs=2"];

  it("tells each time it went back, keeps it in the log, and finishes", async () => {
    const { code, stdout } = await hypertower(["train", ...tiny, ...wild, "--set", "guard.on=true", "--json"]);
    expect(code).toBe(0);
    const told = jsonLines(stdout).filter((line) => line["type"] === "guard");
    expect(told.length).toBeGreaterThan(0);
    expect(told[0]).toMatchObject({ step: expect.any(Number) as number, message: expect.stringContaining("so L1.alpha goes from 1e6 to") as string });
    const shown = jsonLines((await hypertower(["show", "last", "--json"])).stdout)[0]!;
    const noted = (shown["events"] as { kind: string; step: number; message: string }[]).filter(({ kind }) => kind === "guard");
    expect(noted.map(({ step, message }) => ({ step, message }))).toEqual(told.map(({ step, message }) => ({ step, message })));
  });

  it("is never called upon where the tower is safe", async () => {
    const { code, stdout } = await hypertower(["train", ...tiny, ...wild, "--safe", "--json"]);
    expect(code).toBe(0);
    expect(jsonLines(stdout).some((line) => line["type"] === "guard")).toBe(false);
    expect(jsonLines(stdout)[0]!["stack"]).toBe("SGD(0.05) / SGD(1e6, change 0.03)");
  });
});

describe("hypertower evaluate, generate and export --format npz", () => {
  it.runIf(everything)("say what a run's kept weights do, and hand them out", async () => {
    const trained = await hypertower(["train", ...tiny, "--set", "evaluation.every=5", "--set", "budget.epochs=1", "--json"]);
    const lines = jsonLines(trained.stdout);
    expect(lines.map(({ type, step }) => [type, step])).toEqual([["started", undefined], ["epoch", 5], ["epoch", 10], ["finished", undefined]]);

    const evaluated = await hypertower(["evaluate", "last", "--checkpoint", "last", "--json"]);
    expect(evaluated.stderr).toBe("");
    const report = jsonLines(evaluated.stdout)[0]!;
    expect(report).toMatchObject({ type: "evaluation", task: "classification", examples: 200, kept: { name: "last", evaluation: { step: 10 } } });
    expect(report["error"]).toBeCloseTo(lines[2]!["testError"] as number, 6);
    const words = await hypertower(["evaluate", "last"]);
    expect(words.stdout).toMatch(/checkpoint +best, after (5|10) steps \(epoch (0\.5|1)\), chosen on the test set, for want of validation data\n/);
    expect(words.stdout.trimEnd().split("\n")).toHaveLength(18);

    const [npz, wrong] = [join(folder, "weights.npz"), await hypertower(["evaluate", "last", "--checkpoint", "middle"])];
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining("best, last") as string });
    expect(await hypertower(["export", "last", "--format", "npz", "--checkpoint", "last", "--out", npz])).toMatchObject({ code: 0 });
    expect(Object.fromEntries(Object.entries(await readNumpy(npz)).map(([name, { shape }]) => [name, shape]))).toEqual({ "layer1.weight": [8, 784], "layer1.bias": [8], "layer2.weight": [10, 8], "layer2.bias": [10] });
    const text = await hypertower(["generate", "last", "--prime", "Who", "--length", "3"]);
    expect(text).toMatchObject({ code: 1, stdout: "" });
    expect(text.stderr).toMatch(/trained on MNIST, which is not a text/);
    expect((await hypertower(["generate", "last", "--prime", "Who", "--length", "x"])).stderr).toMatch(/length must be a whole number from 1 to 10000/);
  }, 120_000);
});

describe("hypertower summary", () => {
  const own = { dataset: { kind: "digits" }, model: { kind: "sequential", layers: [{ kind: "conv2d", channels: 3, name: "first" }, { kind: "flatten" }, { kind: "linear" }] } };
  const write = (experiment: object) => {
    const file = join(folder, "architecture.json");
    writeFileSync(file, JSON.stringify(experiment));
    return file;
  };

  it.runIf(everything)("shows an own architecture, measured, which train then takes", async () => {
    const file = write(own);
    const { code, stdout, stderr } = await hypertower(["summary", file]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("first     conv2d 3 × 3  3 × 8 × 8  30          1.77 MFLOP");
    expect(stdout).toMatch(/parameters {2}1,960\n/);
    expect(stdout).toMatch(/time {8}\S+ m?s a step, measured/);
    const trained = await hypertower(["train", file, "--set", "budget.epochs=1", "--json"]);
    expect(jsonLines(trained.stdout).at(-1)).toMatchObject({ type: "finished" });
  });

  it("names what does not fit, and does not measure what it is not asked to", async () => {
    const wrong = await hypertower(["summary", write({ ...own, model: { ...own.model, layers: own.model.layers.toReversed() } })]);
    expect(wrong).toMatchObject({ code: 1, stdout: "" });
    expect(wrong.stderr).toContain("model.layers.0: linear needs vectors or sequences (a flatten layer makes vectors); it gets 1 × 8 × 8");
    const [facts] = jsonLines((await hypertower(["summary", "--preset", "resnet-20", "--no-measure", "--json"])).stdout);
    expect(facts).toMatchObject({ parameters: 269_722, stepTime: null });
    expect(existsSync(store)).toBe(false);
  });
});
