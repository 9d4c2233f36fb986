import { tenDigits, withProgram, type DatasetEntry } from "./entry.ts";

/** Optical recognition of handwritten digits (Alpaydin and Kaynak 1998), the UCI repository's test file. */
export const digits: DatasetEntry = {
  id: "digits",
  title: "UCI digits",
  task: "classification",
  trainExamples: 1_437,
  testExamples: 360,
  exampleShape: [1, 8, 8],
  classNames: tenDigits,
  source: withProgram,
  licence: "CC BY 4.0",
  files: {
    from: "program",
    files: [{ name: "digits.csv.gz", bytes: 57512, digest: "sha256:46abec6b12486ad9e51943373abcf22bbea1b5a51a1619b361570d8893f1464a" }],
  },
  reader: { format: "pixelRows", file: "digits.csv.gz", white: 16 },
};
