/** The published datasets: where their files come from, and how each file is told to be the right one. */
import type { DatasetId } from "../../shared/datasets.ts";

/** `sha256:…` or, where only that was ever published, `md5:…`. */
export type Digest = `${"sha256" | "md5"}:${string}`;

/** A file as it is kept and read. */
export interface KeptFile {
  readonly name: string;
  readonly bytes: number;
  readonly digest: Digest;
}

/** A file as it is downloaded. */
export interface Archive extends KeptFile {
  readonly mirrors: readonly string[];
  /** `gzip` holds one file, `tar.gz` several, which are found by their base names; null: kept as it is. */
  readonly packed: "gzip" | "tar.gz" | null;
  readonly contents: readonly KeptFile[];
}

export interface CatalogEntry {
  readonly id: DatasetId;
  /** Home page of the dataset. */
  readonly source: string;
  readonly licence: string;
  readonly archives: readonly Archive[];
}

const kept = (name: string, bytes: number, digest: Digest): KeptFile => ({ name, bytes, digest });

/** One idx file behind several mirrors, compressed; `packed` is the published .gz. */
function idx(mirrors: readonly string[], raw: KeptFile, packedBytes: number, packedDigest: Digest): Archive {
  const name = `${raw.name}.gz`;
  return { name, bytes: packedBytes, digest: packedDigest, packed: "gzip", mirrors: mirrors.map((base) => `${base}${name}`), contents: [raw] };
}

const fashionMirrors = [
  "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
  "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
];

const cifarBatch = (name: string, md5: string) => kept(name, 30_730_000, `md5:${md5}`);

export const catalog: readonly CatalogEntry[] = [
  {
    id: "fashion-mnist",
    source: "https://github.com/zalandoresearch/fashion-mnist",
    licence: "MIT",
    archives: [
      idx(fashionMirrors, kept("train-images-idx3-ubyte", 47_040_016, "sha256:c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"), 26_421_880, "sha256:3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
      idx(fashionMirrors, kept("train-labels-idx1-ubyte", 60_008, "sha256:bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"), 29_515, "sha256:a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
      idx(fashionMirrors, kept("t10k-images-idx3-ubyte", 7_840_016, "sha256:5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"), 4_422_102, "sha256:346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
      idx(fashionMirrors, kept("t10k-labels-idx1-ubyte", 10_008, "sha256:0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"), 5_148, "sha256:67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
    ],
  },
  {
    id: "cifar10",
    source: "https://www.cs.toronto.edu/~kriz/cifar.html",
    licence: "free for research (Krizhevsky 2009)",
    archives: [
      {
        name: "cifar-10-binary.tar.gz",
        bytes: 170_052_171,
        digest: "sha256:c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
        packed: "tar.gz",
        mirrors: ["https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"],
        contents: [
          cifarBatch("data_batch_1.bin", "5dd7e06a14cb22eb9f671a540d1b7c25"),
          cifarBatch("data_batch_2.bin", "5ea93a67294ea407fff1d09f752e9692"),
          cifarBatch("data_batch_3.bin", "942cd6a4bcdd0dd3c604fbe906cb4421"),
          cifarBatch("data_batch_4.bin", "ae636b3ba5c66a11e91e8cb52e771fcb"),
          cifarBatch("data_batch_5.bin", "53f37980c15c3d472c316c40844f3f0d"),
          cifarBatch("test_batch.bin", "803d5f7f4d78ea53de84dbe85f74fb6d"),
        ],
      },
    ],
  },
  {
    id: "tiny-shakespeare",
    source: "https://github.com/karpathy/char-rnn",
    licence: "public domain",
    archives: [
      text("tiny-shakespeare.txt", 1_115_394, "sha256:86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed", [
        "https://raw.githubusercontent.com/karpathy/char-rnn/6f9487a6fe5b420b7ca9afb0d7c078e37c1d1b4e/data/tinyshakespeare/input.txt",
      ]),
    ],
  },
  {
    id: "war-and-peace",
    source: "https://www.gutenberg.org/ebooks/2600",
    licence: "public domain",
    // No mirror carries this very text, the paper's corpus without Gutenberg's header: it is imported.
    archives: [text("war-and-peace.txt", 3_196_229, "sha256:3fd42ce05cfe9464a4fffea4ecb9b0a7a5be6d85cfdb2e6df5a0eb82d915868e", [])],
  },
];

function text(name: string, bytes: number, digest: Digest, mirrors: readonly string[]): Archive {
  return { name, bytes, digest, packed: null, mirrors, contents: [kept(name, bytes, digest)] };
}

export function catalogEntry(id: string): CatalogEntry | undefined {
  return catalog.find((entry) => entry.id === id);
}
