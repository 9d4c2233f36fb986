/** Encodes plain text: one code per word, punctuation mark or line end. */
import { maxWordLength, unknownWord, wordsIn } from "../../../shared/words.ts";
import type { Codes } from "../dataset.ts";
import { Utf8Pieces } from "./utf8.ts";

export interface EncodedWords {
  /** `<unk>`, then the words from the most frequent one; a word's index is its code. */
  readonly vocabulary: readonly string[];
  /** Codes of all parts, one after the other. */
  readonly codes: Codes;
  /** Number of codes of each part. */
  readonly counts: readonly number[];
}

/** Codes have 16 bits. */
const maxVocabulary = 65_536;
/** Maximum number of different words in the files, rare ones included; they are held in memory. */
const maxDistinct = 4_000_000;
const unknown = 0;

/** Words of parts that are read piece by piece. */
export class WordEncoding {
  readonly #numbers = new Map<string, number>();
  readonly #pages: Uint32Array[] = [];
  readonly #counts: number[] = [];
  #source = "";
  #utf8 = new Utf8Pieces("");
  /** End of the last piece, which the next one may continue. */
  #rest = "";
  #count = 0;
  #characters = 0;

  beginPart(source: string): void {
    [this.#source, this.#utf8, this.#rest, this.#characters] = [source, new Utf8Pieces(source), "", 0];
    this.#counts.push(0);
  }

  /** @throws Error naming the line and byte that is not UTF-8 */
  add(piece: Uint8Array): void {
    const decoded = Buffer.from(this.#utf8.add(piece)).toString("utf8");
    const text = this.#rest + (this.#characters === 0 && decoded.startsWith("\uFEFF") ? decoded.slice(1) : decoded);
    const nul = decoded.indexOf("\0");
    if (nul >= 0) throw new Error(`${this.#source}: contains a NUL character at character ${this.#characters + nul}; it is not plain text`);
    this.#characters += decoded.length;
    // Everything after the last space or line feed may go on in the next piece.
    const end = Math.max(text.lastIndexOf(" "), text.lastIndexOf("\n")) + 1;
    this.#take(text.slice(0, end));
    this.#rest = text.slice(end);
    // A text without spaces is cut anywhere; its words are too long to be known anyway.
    if (this.#rest.length > 64 * maxWordLength) {
      this.#take(this.#rest);
      this.#rest = "";
    }
  }

  endPart(): void {
    this.#utf8.end();
    this.#take(this.#rest);
  }

  #take(text: string): void {
    for (const word of wordsIn(text)) {
      const known = word.length > maxWordLength ? unknownWord : word;
      let number = this.#numbers.get(known);
      if (number === undefined) {
        number = this.#numbers.size;
        if (number === maxDistinct) throw new Error(`${this.#source}: more than ${maxDistinct} different words; read it as characters or bytes instead`);
        this.#numbers.set(known, number);
      }
      const at = this.#count % pageLength;
      if (at === 0) this.#pages.push(new Uint32Array(pageLength));
      this.#pages.at(-1)![at] = number;
      this.#count++;
      this.#counts[this.#counts.length - 1]!++;
    }
  }

  /**
   * @param counting how many symbols of each part the vocabulary is counted over: those for training
   * @throws Error for an empty text, or one with too many frequent words
   */
  finish(minCount: number, counting: (counts: readonly number[]) => readonly number[]): EncodedWords {
    if (this.#count === 0) throw new Error(`${this.#source}: the text is empty`);
    const frequencies = this.#frequencies(counting(this.#counts));
    const words = [...this.#numbers.keys()];
    const isKnown = (word: string, number: number) => word !== unknownWord && frequencies[number]! >= minCount;
    const chosen = words.flatMap((word, number) => (isKnown(word, number) ? [{ word, number }] : []));
    if (chosen.length >= maxVocabulary) {
      const least = chosen.map(({ number }) => frequencies[number]!).sort((a, b) => b - a)[maxVocabulary - 1]! + 1;
      throw new Error(`${this.#source}: ${chosen.length} different words occur at least ${minCount} times; at most ${maxVocabulary - 1} are allowed. Raise the minimum count to ${least}`);
    }
    if (chosen.length === 0) throw new Error(`${this.#source}: no word occurs ${minCount} times; lower the minimum count`);
    chosen.sort((a, b) => frequencies[b.number]! - frequencies[a.number]! || (a.word < b.word ? -1 : 1));
    const codeOf = new Uint16Array(words.length).fill(unknown);
    chosen.forEach(({ number }, i) => (codeOf[number] = i + 1));
    const codes: Codes = chosen.length < 256 ? new Uint8Array(this.#count) : new Uint16Array(this.#count);
    for (let i = 0; i < this.#count; i++) codes[i] = codeOf[this.#numberAt(i)]!;
    return { vocabulary: [unknownWord, ...chosen.map(({ word }) => word)], codes, counts: this.#counts };
  }

  #numberAt(i: number): number {
    return this.#pages[Math.floor(i / pageLength)]![i % pageLength]!;
  }

  #frequencies(counted: readonly number[]): Uint32Array {
    const frequencies = new Uint32Array(this.#numbers.size);
    let begin = 0;
    this.#counts.forEach((count, part) => {
      for (let i = begin; i < begin + counted[part]!; i++) frequencies[this.#numberAt(i)]!++;
      begin += count;
    });
    return frequencies;
  }
}

const pageLength = 1 << 20;
