/** `syncing FOLDER`: writes files in every way that has to be durable when it returns. Runs with the shim of test/faults. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { createFolderSync } from "../../src/core/durable/folders.ts";
import { writeOwn } from "../../src/core/datasets/own.ts";
import { RunFiles } from "../../src/main/hosting/runFiles.ts";
import { writeWhole } from "../../src/main/headless/writeWhole.ts";
import { writeReport } from "../../src/main/reports/report/write.ts";
import { Store } from "../../src/main/store/store.ts";

const folder = process.argv[2]!;
const pieces = () => [new TextEncoder().encode("some text")];
const meta = { version: 1 as const, id: "own/mine-000000", title: "mine", task: "classification" as const, source: "x.csv", createdAt: 1, count: 2, exampleShape: [2], classNames: ["a", "b"], featureNames: ["x", "y"], features: "float32" as const, vocabulary: [] };
await writeOwn(meta, { features: Float32Array.from([1, 2, 3, 4]), labels: Uint8Array.from([0, 1]) }, join(folder, "data"));
await writeReport(join(folder, "report"), [{ name: "figures/a.txt", mediaType: "text/plain", pieces }, { name: "b.txt", mediaType: "text/plain", pieces }], { force: false });
createFolderSync(join(folder, "deep", "out"));
await writeWhole(join(folder, "deep", "out", "run.csv"), { pieces: pieces() }, false);
await writeWhole(join(folder, "deep", "out", "run.csv"), { pieces: pieces() }, true);
new Store(join(folder, "store")).close();
new RunFiles(join(folder, "store"), "weights").prepare();
// Not durable: the test has to see the difference.
mkdirSync(join(folder, "unsynced"));
