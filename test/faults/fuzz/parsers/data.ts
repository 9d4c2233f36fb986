/** Files that datasets are made of. */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Digest, KeptFile } from "../../../../src/shared/catalog/entry.ts";
import { readCsv } from "../../../../src/core/datasets/formats/csv.ts";
import { readCifar } from "../../../../src/core/datasets/formats/cifar.ts";
import { imageSize, readImage } from "../../../../src/core/datasets/formats/images.ts";
import { labelledArrays } from "../../../../src/core/datasets/arrays.ts";
import { readOwn } from "../../../../src/core/datasets/own.ts";
import { previewImport } from "../../../../src/core/datasets/preview.ts";
import { unpack } from "../../../../src/core/datasets/unpack.ts";
import { corpusFolder } from "../run.ts";
import type { FuzzedInput, FuzzedParser } from "../parser.ts";

async function parseCsv({ path }: FuzzedInput): Promise<void> {
  const preview = await previewImport(path());
  if (preview.form !== "csv") throw new Error("it is not a table");
  const { delimiter, header, columns } = preview;
  const roles = columns.map(({ suggested }) => suggested);
  await readCsv(path(), { delimiter, header, roles, task: "classification", missing: "fill" });
}

/** The first array is the features, the last the targets. */
async function parseArrays({ path }: FuzzedInput): Promise<void> {
  const preview = await previewImport(path());
  if (preview.form !== "arrays") throw new Error("it holds no arrays");
  const names = preview.arrays.map(({ name }) => name);
  const [array, targets] = [names[0], names.at(-1)].map((name) => ({ path: path(), ...(name === undefined ? {} : { array: name }) }));
  // A single array has no targets: a number for each example is needed.
  if (preview.arrays.length > 1 || preview.arrays[0]?.shape.length === 1) await labelledArrays({ features: array!, targets: targets!, task: "regression" });
}

const kept = (name: string): KeptFile => {
  const bytes = readFileSync(join(corpusFolder, "unpacked", name));
  return { name, bytes: bytes.length, digest: `sha256:${createHash("sha256").update(bytes).digest("hex")}` as Digest };
};

async function parseArchive({ path, folder }: FuzzedInput): Promise<void> {
  const tar = path().endsWith(".tgz");
  const contents = tar ? [kept("a.txt"), kept("b.txt")] : [kept("a.txt")];
  await unpack([{ path: path(), archive: { ...contents[0]!, packed: tar ? "tar.gz" : "gzip", mirrors: [], contents } }], join(folder, "unpacked"));
}

/** The description of a dataset in the data folder, beside its values. */
async function parseOwn({ path, folder }: FuzzedInput): Promise<void> {
  const home = join(folder, "own", "flowers");
  mkdirSync(home, { recursive: true });
  renameSync(path(), join(home, "dataset.json"));
  for (const values of ["features.bin", "labels.bin"]) writeFileSync(join(home, values), "");
  await readOwn("own/flowers", folder);
}

export const dataParsers: readonly FuzzedParser[] = [
  { name: "csv", parse: parseCsv },
  { name: "npy", parse: parseArrays },
  { name: "npz", parse: parseArrays },
  { name: "idx", parse: ({ path }) => previewImport(path()) },
  {
    name: "images",
    parse: async ({ path }) => {
      await imageSize(path());
      await readImage(path(), { width: 8, height: 8, channels: 3 });
    },
  },
  { name: "text", parse: ({ path }) => previewImport(path()) },
  { name: "cifar", parse: ({ path }) => readCifar([path()]) },
  { name: "archives", parse: parseArchive },
  { name: "own", form: "json", parse: parseOwn },
];
