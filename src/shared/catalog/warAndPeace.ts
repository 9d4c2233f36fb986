import { plainFile, type DatasetEntry } from "./entry.ts";

const file = "war-and-peace.txt";

export const warAndPeace: DatasetEntry = {
  id: "war-and-peace",
  title: "War and Peace",
  task: "text",
  trainExamples: 2_876_591,
  testExamples: 319_621,
  exampleShape: [],
  classNames: [],
  symbols: 82,
  source: "https://www.gutenberg.org/ebooks/2600",
  licence: "public domain",
  // No mirror carries this very text, the paper's corpus without Gutenberg's header: it is imported.
  files: { from: "archives", archives: [plainFile({ name: file, bytes: 3_196_229, digest: "sha256:3fd42ce05cfe9464a4fffea4ecb9b0a7a5be6d85cfdb2e6df5a0eb82d915868e" }, [])] },
  reader: { format: "text", file },
};
