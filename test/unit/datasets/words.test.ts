/** Texts whose symbols are words: which words, which codes, which text is written of them. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WordEncoding } from "../../../src/core/datasets/formats/words.ts";
import { importText } from "../../../src/core/datasets/import.ts";
import { factsHere, listDatasets, loadTextOf } from "../../../src/core/datasets/index.ts";
import { alphabetOf } from "../../../src/shared/alphabet.ts";
import { importOrder } from "../../../src/shared/datasets.ts";
import { perSymbol, vocabularyRemark } from "../../../src/shared/texts.ts";
import { joinedWords, wordsIn } from "../../../src/shared/words.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "hypertower-words-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function file(name: string, text: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

const words = (text: string) => [...wordsIn(text)];

describe("words", () => {
  it("are runs of letters and digits, marks of punctuation, and line ends", () => {
    expect(words("Don’t go, Ann's cat_2!\r\nÄrger — “3.5”\n\n")).toEqual(["Don’t", "go", ",", "Ann's", "cat_2", "!", "\n", "Ärger", "—", "“", "3", ".", "5", "”", "\n", "\n"]);
    expect(words("an <unk> of 中文")).toEqual(["an", "<unk>", "of", "中文"]);
    expect(words(" \t ")).toEqual([]);
  });

  it("are written with spaces between them, but not before a comma or after a bracket", () => {
    const text = 'He said: "Go (now)!"\nThen, Ann\'s cat—no, dog—left.\n';
    expect(joinedWords(words(text))).toBe('He said: "Go (now)!"\nThen, Ann\'s cat — no, dog — left.\n');
  });

  it("are the same however the text is cut into pieces", () => {
    const bytes = Buffer.from("\uFEFFÄnne went\r\nhome, Änne's home; the naïve 中文 text. ".repeat(40));
    const encoded = (size: number) => {
      const encoding = new WordEncoding();
      encoding.beginPart("t");
      for (let at = 0; at < bytes.length; at += size) encoding.add(bytes.subarray(at, at + size));
      encoding.endPart();
      return encoding.finish(1, (counts) => counts);
    };
    const whole = encoded(bytes.length);
    expect(whole.vocabulary.slice(0, 3)).toEqual(["<unk>", "home", expect.any(String)]);
    for (const size of [1, 2, 3, 7]) expect(encoded(size)).toEqual(whole);
    expect(encoded(1).vocabulary).toContain("naïve");
  });
});

describe("a text of words", () => {
  const text = `${"the cat sat on the mat. ".repeat(30)}once${" the dog ran.".repeat(20)}`;

  it("has codes by frequency in the training text, and <unk> for the rest", async () => {
    const { id, version, unit, vocabulary, count, features } = await importText(await file("cats.txt", text), { title: "cats", folder, unit: "words" });
    expect({ version, unit, features }).toEqual({ version: 2, unit: "words", features: "uint8" });
    expect(count).toBe(30 * 7 + 1 + 20 * 4);
    expect(vocabulary.slice(0, 3)).toEqual(["<unk>", "the", "."]);
    expect(vocabulary).not.toContain("once");
    const loaded = await loadTextOf(id, folder);
    const alphabet = alphabetOf(loaded);
    expect(alphabet.textOf(loaded.train.subarray(0, 14))).toBe("the cat sat on the mat. the cat sat on the mat.");
    expect(loaded.train.includes(0)).toBe(true);
    expect(alphabet.codesOf("the zebra sat")).toEqual([vocabulary.indexOf("the"), 0, vocabulary.indexOf("sat")]);
    const codes = alphabet.codesOf("the cat . the mat");
    expect(alphabet.continuationOf(codes, 2)).toBe(". the mat");
    expect(alphabet.continuationOf(codes, 1)).toBe(" cat. the mat");
    const facts = await factsHere(id, folder);
    expect(facts).toMatchObject({ task: "text", symbols: vocabulary.length, unit: "words" });
    expect((await listDatasets(folder)).find(({ kind }) => kind === id)).toMatchObject({ unit: "words", classes: vocabulary.length });
  });

  it("does not learn words of its test text", async () => {
    const test = await file("test.txt", "the wolf sat. the wolf sat. ".repeat(3));
    const { vocabulary, testExamples } = await importText(await file("train.txt", text), { title: "t", folder, unit: "words", minCount: 1, parts: [{ path: test, split: "test" }] });
    expect(testExamples).toBe(24);
    expect(vocabulary).toContain("once");
    expect(vocabulary).not.toContain("wolf");
    // Of one file, the last tenth is for testing.
    const alone = await importText(await file("alone.txt", `${"a b c d e ".repeat(20)}${"end ".repeat(8)}`), { title: "a", folder, unit: "words", minCount: 1 });
    expect(alone.vocabulary).toEqual(["<unk>", "a", "b", "c", "d", "e"]);
  });

  it("has at most 65,536 symbols, and says which minimum count gives that", async () => {
    const distinct = Array.from({ length: 66_000 }, (_, i) => `w${i}`);
    const path = await file("many.txt", [...distinct, ...distinct.slice(0, 60_000), ...distinct.slice(0, 30_000)].join(" "));
    await expect(importText(path, { title: "m", folder, unit: "words", minCount: 1 })).rejects.toThrow(/many\.txt: \d+ different words occur at least 1 times; at most 65535 are allowed\. Raise the minimum count to 2/);
    const { vocabulary, features } = await importText(path, { title: "m", folder, unit: "words", minCount: 2 });
    expect(features).toBe("uint16");
    expect(vocabulary.length).toBeGreaterThan(40_000);
  });

  it("is refused by name where it is no text, empty, or has no frequent word", async () => {
    const order = { title: "t", folder, unit: "words" } as const;
    await expect(importText(await file("latin.txt", Buffer.from("the caf\xe9 was", "latin1")), order)).rejects.toThrow("latin.txt, line 1: byte 7 (0xe9) is not UTF-8");
    await expect(importText(await file("nul.txt", "the cat\0sat"), order)).rejects.toThrow("nul.txt: contains a NUL character at character 7");
    await expect(importText(await file("blank.txt", " \t  "), order)).rejects.toThrow("blank.txt: the text is empty");
    await expect(importText(await file("rare.txt", Array.from({ length: 30 }, (_, i) => `w${i}`).join(" ")), { ...order, minCount: 5 })).rejects.toThrow("rare.txt: no word occurs 5 times; lower the minimum count");
    expect(importOrder.safeParse({ form: "text", title: "t", path: "t.txt", unit: "words", minCount: 0 }).success).toBe(false);
  });
});

it("perplexities of words say so, and are not compared with those of other vocabularies", () => {
  const facts = (title: string, symbols: number, unit?: "words") => ({ kind: `own/${title}`, facts: { title, task: "text" as const, trainExamples: 90, testExamples: 10, exampleShape: [], classNames: [], symbols, ...(unit && { unit }) } });
  expect(perSymbol("test perplexity", facts("a", 900, "words"))).toBe("test perplexity per word");
  expect(perSymbol("validation bits per character", facts("a", 900, "words"))).toBe("validation bits per word");
  expect(perSymbol("test perplexity", facts("a", 90))).toBe("test perplexity");
  expect(vocabularyRemark([facts("a", 900, "words"), facts("a", 900, "words")])).toBeNull();
  expect(vocabularyRemark([facts("a", 90), facts("b", 80)])).toBeNull();
  expect(vocabularyRemark([facts("a", 9000, "words"), facts("b", 80)])).toBe("Losses and perplexities of different vocabularies are not comparable: a (9,000 different words) and b (80 different characters).");
  expect(vocabularyRemark([facts("a", 900, "words"), { kind: "tiny-shakespeare" }])).toMatch(/Shakespeare \(65 different characters\)/);
});
