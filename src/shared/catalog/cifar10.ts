import type { DatasetEntry, KeptFile } from "./entry.ts";

const batch = (name: string, md5: string): KeptFile => ({ name, bytes: 30_730_000, digest: `md5:${md5}` });

export const cifar10: DatasetEntry = {
  id: "cifar10",
  title: "CIFAR-10",
  task: "classification",
  trainExamples: 50_000,
  testExamples: 10_000,
  exampleShape: [3, 32, 32],
  classNames: ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"],
  source: "https://www.cs.toronto.edu/~kriz/cifar.html",
  licence: "free for research (Krizhevsky 2009)",
  files: {
    from: "archives",
    archives: [
      {
        name: "cifar-10-binary.tar.gz",
        bytes: 170_052_171,
        digest: "sha256:c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
        packed: "tar.gz",
        mirrors: ["https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"],
        contents: [
          batch("data_batch_1.bin", "5dd7e06a14cb22eb9f671a540d1b7c25"),
          batch("data_batch_2.bin", "5ea93a67294ea407fff1d09f752e9692"),
          batch("data_batch_3.bin", "942cd6a4bcdd0dd3c604fbe906cb4421"),
          batch("data_batch_4.bin", "ae636b3ba5c66a11e91e8cb52e771fcb"),
          batch("data_batch_5.bin", "53f37980c15c3d472c316c40844f3f0d"),
          batch("test_batch.bin", "803d5f7f4d78ea53de84dbe85f74fb6d"),
        ],
      },
    ],
  },
  reader: {
    format: "cifar",
    train: ["data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"],
    test: ["test_batch.bin"],
  },
};
