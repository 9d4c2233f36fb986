import { plainFile, type DatasetEntry } from "./entry.ts";

const file = "tiny-shakespeare.txt";
const mirrors = ["https://raw.githubusercontent.com/karpathy/char-rnn/6f9487a6fe5b420b7ca9afb0d7c078e37c1d1b4e/data/tinyshakespeare/input.txt"];

export const tinyShakespeare: DatasetEntry = {
  id: "tiny-shakespeare",
  title: "Tiny Shakespeare",
  task: "text",
  trainExamples: 1_003_855,
  testExamples: 111_539,
  exampleShape: [],
  classNames: [],
  symbols: 65,
  source: "https://github.com/karpathy/char-rnn",
  licence: "public domain",
  files: { from: "archives", archives: [plainFile({ name: file, bytes: 1_115_394, digest: "sha256:86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed" }, mirrors)] },
  reader: { format: "text", file },
};
