/** A user's own data from the command line: imported, trained on, judged by what fits its task. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterEach, beforeEach, expect, it } from "vitest";
import { npy } from "../../support/npy.ts";
import { jsonLines, runCommand } from "../../support/commandLine.ts";
import { everything } from "../../support/edition.ts";

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "hypertower-own-"))));
afterEach(() => rmSync(folder, { recursive: true }));

const hypertower = (...args: string[]) => runCommand(join(folder, "store"), args);
const write = (name: string, content: string | Uint8Array) => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const set = (...assignments: string[]) => assignments.flatMap((one) => ["--set", one]);

async function added(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await hypertower("datasets", "add", ...args, "--json");
  expect(stderr).toBe("");
  expect(code).toBe(0);
  return String(jsonLines(stdout)[0]!["kind"]);
}

/** The last line of a run. */
async function trained(kind: string, ...assignments: string[]): Promise<Record<string, unknown>> {
  const { stdout, stderr } = await hypertower("train", "--json", ...set(`dataset.kind=${kind}`, ...assignments));
  expect(stderr).toBe("");
  return jsonLines(stdout).at(-1)!;
}

/** A table with y = 40 a - 7 b + 1000, and a class by its sign beside the middle. */
const rows = Array.from({ length: 200 }, (_, i) => {
  const [a, b] = [Math.sin(i), Math.cos(3 * i)];
  return { a, b, y: 40 * a - 7 * b + 1000 };
}, 180_000);

it.runIf(everything)("a quantity in a table is predicted by linear regression, and judged in its own unit", async () => {
  const kind = await added(write("lin.csv", ["a,b,y", ...rows.map(({ a, b, y }) => `${a},${b},${y}`)].join("\n")), "--task", "regression");
  const last = await trained(kind, "model.kind=linear", "batchSize=20", "budget.epochs=30", "tower.0.alpha=0.05");
  expect(last).toMatchObject({ type: "finished", testError: null, result: { name: "testRmse" } });
  // The quantity deviates by about 29; a straight line holds all of it.
  expect((last["result"] as { value: number }).value).toBeLessThan(0.5);
  const shown = await hypertower("show", "last");
  expect(shown.stdout).toMatch(/test RMSE +0\./);
  expect(shown.stdout).toMatch(/epoch 30\/30 {2}training loss \d\.\d{4} {2}test RMSE/);
  // The weights say the same again, example by example.
  const evaluated = JSON.parse((await hypertower("evaluate", "last", "--checkpoint", "last", "--json")).stdout) as Record<string, number>;
  expect(evaluated).toMatchObject({ task: "regression", examples: 40 });
  expect(evaluated["rmse"]).toBeCloseTo((last["result"] as { value: number }).value, 3);
  expect(evaluated["r2"]).toBeGreaterThan(0.999);
  // The usual model of a quantity has no tanh at its end.
  const usual = await trained(kind, "batchSize=20", "budget.epochs=1", "dataset.validation=0.2");
  expect(usual).toMatchObject({ type: "finished", steps: 7 });
  const json = await hypertower("show", "last", "--json");
  expect(JSON.parse(json.stdout)).toMatchObject({
    experiment: { model: { kind: "mlp", outputActivation: "identity" }, dataset: { facts: { title: "lin.csv", task: "regression", exampleShape: [2] } } },
    evaluations: [{ validationRmse: expect.any(Number) as number, testRmse: expect.any(Number) as number, testMae: expect.any(Number) as number }],
  });
}, 180_000);

it.runIf(everything)("classes in a table and in arrays are told apart", async () => {
  const table = await added(write("cls.csv", ["a,b,kind", ...rows.map(({ a, b, y }) => `${a},${b},${y > 1000 ? "above" : "below"}`)].join("\n")));
  expect((await trained(table, "batchSize=20", "budget.epochs=20"))["testError"]).toBeLessThan(10);

  const features = write("x.npy", npy("<f4", [200, 2], rows.flatMap(({ a, b }) => [a, b])));
  const targets = write("y.npy", npy("<i4", [200], rows.map(({ y }) => (y > 1000 ? 1 : 0))));
  const arrays = await added(features, "--targets", targets, "--task", "classification");
  expect((await trained(arrays, "batchSize=20", "budget.epochs=20"))["testError"]).toBeLessThan(10);
}, 180_000);

it("a folder of images is learned by its folders' names", async () => {
  for (const [name, level] of [["dark", 40], ["light", 210]] as const) {
    mkdirSync(join(folder, "images", name), { recursive: true });
    for (let i = 0; i < 20; i++) {
      const raw = { width: 8, height: 8, channels: 3 } as const;
      const pixels = Uint8Array.from({ length: 192 }, (_, k) => level + ((k * 7 + i * 13) % 40));
      writeFileSync(join(folder, "images", name, `${i}.png`), await sharp(pixels, { raw }).png().toBuffer());
    }
  }
  const images = await added(join(folder, "images"));
  const last = await trained(images, "model.kind=cnn", "model.channels=[4]", "model.kernel=3", "batchSize=8", "budget.epochs=8", "tower.0.alpha=0.01");
  expect(last).toMatchObject({ type: "finished", testError: 0 });
}, 180_000);

it.runIf(everything)("any text is learned by its usual model, and judged by its perplexity", async () => {
  const kind = await added(write("abc.txt", "the cat sat on the mat; ".repeat(400)));
  const last = await trained(kind, "model.layers=1", "model.hidden=32", "model.embedding=0", "model.steps=12", "batchSize=16", "budget.epochs=12", "tower.0.alpha=0.02");
  expect(last).toMatchObject({ type: "finished", result: { name: "testPerplexity" } });
  expect((last["result"] as { value: number }).value).toBeLessThan(1.5);
}, 180_000);

it("texts of words are imported by a minimum count, and options that do not fit are named", async () => {
  const path = write("cats.txt", `${"the cat sat on the mat. ".repeat(60)}once`);
  expect((await hypertower("datasets", "add", path, "--min-count", "3")).stderr).toContain("--min-count needs --symbols words");
  expect((await hypertower("datasets", "add", path, "--symbols", "words", "--bytes")).stderr).toContain("--bytes and --symbols words: choose one");
  expect((await hypertower("datasets", "add", write("t.csv", "a,b\n1,2\n"), "--symbols", "words")).stderr).toContain("is not a text; of a table, name the column with the text by --column");
  expect((await hypertower("datasets", "add", path, "--symbols", "words", "--min-count", "1000")).stderr).toContain("no word occurs 1000 times; lower the minimum count");
  const taken = await hypertower("datasets", "add", path, "--symbols", "words", "--json");
  expect(JSON.parse(taken.stdout)).toMatchObject({ task: "text", unit: "words", classes: 7, trainExamples: 379, testExamples: 42 });
}, 60_000);

it.runIf(everything)("a text of words is learned and continued, judged by its perplexity per word", async () => {
  const kind = await added(write("cats.txt", "the cat sat on the mat. ".repeat(600)), "--symbols", "words");
  const plain = await hypertower("train", ...set(`dataset.kind=${kind}`, "model.layers=1", "model.hidden=32", "model.embedding=0", "model.steps=12", "batchSize=16", "budget.epochs=12", "tower.0.alpha=0.02"));
  expect(plain.stdout).toMatch(/test perplexity per word 1\.\d+/);
  expect((await hypertower("evaluate", "last")).stdout).toMatch(/perplexity per word +1\.\d+\nbits per word/);
  expect((await hypertower("generate", "last", "--prime", "the cat", "--length", "5", "--temperature", "0")).stdout).toBe("the cat sat on the mat.\n");
}, 180_000);

it.runIf(everything)("what is not here, or is other data now, is refused by name, and nothing is trained", async () => {
  const missing = await hypertower("train", ...set("dataset.kind=own/nothing-000000"));
  expect(missing.code).toBe(1);
  expect(missing.stderr).toContain("dataset.kind: there is no dataset own/nothing-000000 here: import it first");

  const kind = await added(write("lin.csv", ["a,b,y", ...rows.map(({ a, b, y }) => `${a},${b},${y}`)].join("\n")), "--task", "regression");
  const large = await hypertower("train", ...set(`dataset.kind=${kind}`, "batchSize=161"));
  expect(large.stderr).toContain("batchSize: batchSize is 161, which is larger than dataset.trainExamples, 160");
  const held = await hypertower("train", ...set(`dataset.kind=${kind}`, "dataset.validation=0.5", "batchSize=100"));
  expect(held.stderr).toContain("batchSize is 100; dataset.validation holds out 80 of 160 examples, which leaves 80 to train on");
  expect((await hypertower("runs", "--json")).stdout).toBe("");
}, 180_000);

it("a table's columns are told as they were taken, and a slip is named", async () => {
  const lines = Array.from({ length: 60 }, (_, i) => `p${i % 3},${i === 40 ? "oops" : i},${1000 + i % 4},${i % 2 ? "odd" : "even"}`);
  const path = write("t.csv", ["place,n,code,parity", ...lines].join("\n"));
  const refused = await hypertower("datasets", "add", path);
  expect(refused).toMatchObject({ code: 1, stdout: "" });
  expect(refused.stderr).toContain(`${path}, line 42, column n: "oops" is not a number`);
  const taken = await hypertower("datasets", "add", path, "--ignore", "n", "--category", "code");
  expect(taken.code).toBe(0);
  expect(taken.stderr.trim()).toBe("the first row names the columns; categories: place (3 different values), code (4 different values); target: parity; ignored: n (60 different values)\ntesting: a fifth of the rows, drawn");
  expect(taken.stdout).toMatch(/own\/t-csv-\w+ +classification +48 \+ 12 +7 +2 +ready/);
}, 60_000);

it("what comes with the program need not be fetched, and says so", async () => {
  expect((await hypertower("datasets", "import", "iris", "somewhere")).stderr).toContain("Iris comes with the program; it needs no download.");
  expect((await hypertower("datasets", "download", "cifar")).stderr).toContain("cifar is not a published dataset; allowed: fashion-mnist, cifar10,");
}, 60_000);
