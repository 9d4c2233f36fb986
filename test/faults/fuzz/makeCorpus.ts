/** Writes the corpus that the parsers' files are mutated from: `node test/faults/fuzz/makeCorpus.ts`. The files are committed. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { zipSync } from "fflate";
import sharp from "sharp";
import { pack } from "tar-stream";
import { encodeCheckpoint } from "../../../src/core/checkpoint/file.ts";
import { encodeWeights } from "../../../src/core/weights/file.ts";
import { newExperiment, presets } from "../../../src/shared/presets.ts";
import { encodeLink, openPath } from "../../../src/shared/sharing.ts";
import { studyPresets } from "../../../src/shared/study/presets.ts";
import { npy } from "../../support/npy.ts";
import { corpusFolder } from "./run.ts";

function write(parser: string, name: string, bytes: Uint8Array | string): void {
  mkdirSync(join(corpusFolder, parser), { recursive: true });
  writeFileSync(join(corpusFolder, parser, name), bytes);
}
const count = (length: number) => Array.from({ length }, (_, i) => i);

write("csv", "plain.csv", "length,width,kind\n1.5,2,a\n2.5,3,b\n3.5,NA,a\n4,4,b\n");
write("csv", "excel.csv", '\ufeffa;"b;c";d\r\n1;2;"r;s"\r\n3;4;t\r\n5;;r\r\n');
write("csv", "pandas.csv", ',x,"say ""hi""",kind\n0,1.5,red,"a, b"\n1,2.5,green,c\n2,1e3,red,"line\nbreak"\n');
write("csv", "tabs.tsv", "1\t2\t0\n3\t4\t1\n5\t6\t0\n");
write("csv", "utf16.csv", Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from("a,b\n1,x\n2,y\n", "utf16le")]));
write("csv", "pipes.data", "5.1|3.5|Iris-setosa\n4.9|3.0|Iris-setosa\n7.0|3.2|Iris-versicolor\n");

write("npy", "floats.npy", npy("<f4", [4, 3], count(12)));
write("npy", "doubles.npy", npy("<f8", [5], count(5)));
write("npy", "bytes.npy", npy("|u1", [2, 4, 4], count(32)));
write("npy", "integers.npy", npy("<i4", [6], count(6)));
const pair = { "x.npy": npy("<f4", [4, 3], count(12)), "y.npy": npy("<i4", [4], [0, 1, 0, 1]) };
write("npz", "stored.npz", zipSync(pair, { level: 0 }));
write("npz", "packed.npz", zipSync(pair, { level: 9 }));

const idx = (shape: readonly number[], size: number) => {
  const bytes = Buffer.alloc(4 + 4 * shape.length + size, 3);
  bytes.writeUInt32BE(0x0800 + shape.length);
  shape.forEach((n, i) => bytes.writeUInt32BE(n, 4 + 4 * i));
  return bytes;
};
write("idx", "images.idx", idx([3, 4, 4], 48));
write("idx", "labels-idx1-ubyte", idx([5], 5));
write("idx", "labels-idx1-ubyte.gz", gzipSync(idx([5], 5)));

const picture = sharp(Buffer.from(count(16 * 12 * 3).map((i) => (i * 37) % 256)), { raw: { width: 16, height: 12, channels: 3 } });
for (const format of ["png", "jpeg", "webp", "gif", "tiff", "avif"] as const) write("images", `picture.${format}`, await picture.clone().toFormat(format).toBuffer());
write("text", "verse.txt", "Tyger Tyger, burning bright,\r\nIn the forests of the night;\n\ufeffé ü 漢字 🙂 €\n".repeat(2));
const record = (label: number) => Buffer.concat([Buffer.of(label), Buffer.alloc(3072, label)]);
write("cifar", "batch.bin", Buffer.concat([record(0), record(9)]));

const [a, b] = ["The first file.\n".repeat(20), "The second, other file.\n".repeat(10)];
write("unpacked", "a.txt", a);
write("unpacked", "b.txt", b);
write("archives", "a.gz", gzipSync(a));
const tar = pack();
tar.entry({ name: "folder/a.txt" }, a);
tar.entry({ name: "folder/unrelated" }, "x");
tar.entry({ name: "folder/b.txt" }, b);
tar.finalize();
const chunks: Buffer[] = [];
for await (const chunk of tar) chunks.push(chunk as Buffer);
write("archives", "both.tgz", gzipSync(Buffer.concat(chunks)));

const own = { version: 1, id: "own/flowers", title: "Flowers", task: "classification", source: "flowers.csv", createdAt: 1, count: 0, exampleShape: [2], classNames: ["a", "b"], featureNames: ["x", "y"], features: "float32", vocabulary: [] };
write("own", "table.json", JSON.stringify(own));
write("own", "text.json", JSON.stringify({ ...own, task: "text", exampleShape: [], classNames: [], featureNames: [], features: "uint8", vocabulary: ["a", "b"] }));

write("experiment", "new.json", JSON.stringify(newExperiment));
for (const { name, experiment } of presets.slice(0, 6)) write("experiment", `${name}.json`, JSON.stringify(experiment));
write("experiment", "groups.json", JSON.stringify({ dataset: { kind: "digits", validation: 0.2 }, model: { kind: "cnn" }, tower: [{ optimizer: "adam", groups: [{ name: "biases", match: ["*.bias"], alpha: 0.1 }] }, { optimizer: "sgd", alpha: 1e-3 }], budget: { epochs: 2 } }));
for (const { name, study } of studyPresets.slice(0, 5)) write("study", `${name}.json`, JSON.stringify(study));
const study = { name: "s", base: { dataset: { trainExamples: 320, testExamples: 100 }, budget: { epochs: 1 } }, axes: [{ values: { kind: "list", values: [0.1, 0.2] } }], heights: { values: [0, 1] }, seeds: [0, 1] };
write("study", "small.json", JSON.stringify(study));
write("links", "study.txt", encodeLink({ kind: "study", value: study }));
write("links", "experiment.txt", `See http://127.0.0.1:1234/#${openPath({ kind: "experiment", value: newExperiment })} for it`);
write("links", "study.json", JSON.stringify(study));
write("links", "report.html", `<!doctype html><title>r</title><script type="application/json" id="hypertower-experiment">${JSON.stringify(newExperiment)}</script>`);
write("links", "sidecar.json", JSON.stringify({ format: "hypertower-report", study: { definition: study } }));

const at = "2026-01-01T00:00:00.000Z";
write("report", "report.json", JSON.stringify({
  format: "hypertower-report", formatVersion: 1, program: { name: "hypertower", version: "0.1.0" }, remarks: ["one"],
  study: { id: "s", name: "s", status: "finished", createdAt: at, finishedAt: null, runs: { finished: 2 }, definition: study },
  tables: [{ file: "runs.csv", description: "d", columns: [{ name: "a", unit: "", description: "b" }] }],
  figures: [{ name: "f", title: "t", caption: "c", files: ["f.svg"], width: 10, height: 10 }],
  numbers: { metric: "m", confidence: 0.95, resamples: 10, definitions: { width: { title: "t", unit: "", definition: "d" } }, values: [{ curve: "a", height: 0, stack: null, runs: 1, diverged: 0, numbers: { width: { value: 1, interval: [0, 2] }, none: null } }], verdict: { headline: "h", remarks: [] } },
  environments: [],
}));
write("set", "values.txt", 'tower.0.alpha=1e-3\nmodel.hidden=[16]\ntower.0.optimizer=sgd\ndataset.kind="digits"\nmodel.kind=cnn\nbudget.epochs=3\nname="x"');

const state = { weights: Float64Array.of(0.5, -0, NaN, Infinity), slots: Float64Array.of(0.1, 1e-300), none: new Float64Array(0) };
const common = { run: "a-run", experiment: { seed: 3 }, savedAt: 12 };
const position = { step: 7, begun: true, epoch: 2, lossSum: 0.3, examples: 64, evaluated: 5, shuffling: [1, -2, 3, 4] };
write("checkpoint", "plain.checkpoint", encodeCheckpoint({ ...common, engine: "onnx-cpu", position, guard: null, state }));
write("checkpoint", "guarded.checkpoint", encodeCheckpoint({ ...common, engine: "onnx-cpu", position, state, guard: { rollbacks: 2, first: 2.3, losses: [[5, 0.1]], since: 6, values: [0.1], snapshots: [{ step: 5, begun: true, used: true, state: { weights: Float64Array.of(1) } }] } }));
write("weights", "two.weights", encodeWeights({ ...common, evaluation: { step: 1, epoch: 1, trainLoss: null, testLoss: 1, testError: 1 }, arrays: [{ name: "layer1.weight", shape: [2, 3], values: Float64Array.of(1, 2, 3, 4, 5, 6.5) }, { name: "layer1.bias", shape: [1], values: Float64Array.of(0.5) }] }));
