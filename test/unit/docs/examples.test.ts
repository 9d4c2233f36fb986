/** The TypeScript of the documents that are not in package.test.ts is run against the library's sources. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { everything } from "../../support/edition.ts";
import { codeBlocks, documentPaths, readDocument, root } from "../../support/documents.ts";

const library = pathToFileURL(join(root, "src/library/index.ts")).href;
/** Run by test/unit/library/package.test.ts. */
const elsewhere = ["README.md", "docs/library.md"];

const blocksOf = (path: string) => codeBlocks(readDocument(path)).filter(({ language }) => language === "ts").map(({ code }) => code);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "hypertower-examples-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function run(code: string): Promise<string> {
  const file = join(folder, "example.ts");
  writeFileSync(file, code.replace('from "hypertower"', `from ${JSON.stringify(library)}`));
  return (await promisify(execFile)(process.execPath, [file], { cwd: folder, env: { ...process.env, NO_COLOR: "1" } })).stdout;
}

it("are known: each document with TypeScript has its test", () => {
  const found = documentPaths().filter((path) => blocksOf(path).length > 0 && !elsewhere.includes(path));
  expect(found.sort()).toEqual(["docs/coming-from/gdtuo.md", "docs/coming-from/pytorch.md", "docs/howto/own-network.md"]);
});

it("coming from gdtuo: the README's example, which is run with it", () => {
  expect(blocksOf("docs/coming-from/gdtuo.md")).toEqual(blocksOf("README.md"));
});

it.runIf(everything)("coming from PyTorch: five epochs, each with less loss than the first", async () => {
  const losses = [...(await run(blocksOf("docs/coming-from/pytorch.md")[0]!)).matchAll(/^\d (\S+)$/gm)].map(([, loss]) => Number(loss));
  expect(losses).toHaveLength(5);
  expect(losses[4]).toBeLessThan(losses[0]! / 2);
});

it("own network: learns XOR", async () => {
  expect(Number(await run(blocksOf("docs/howto/own-network.md")[0]!))).toBeLessThan(0.05);
});
