/** The symbols of a text: characters that occur in it, bytes of UTF-8 or of anything else, or words. */
import { joinedWords, unknownWord, wordsIn } from "./words.ts";

/** What a symbol of a text is. */
export const textUnits = ["characters", "bytes", "words"] as const;
export type TextUnit = (typeof textUnits)[number];

export interface Alphabet {
  /** Names of the symbols by code. */
  readonly symbols: readonly string[];
  /** Codes of a text; words without one are read as `<unk>`. @throws Error naming characters that have none */
  codesOf(text: string): number[];
  /** The text of codes; bytes that are no UTF-8 become U+FFFD. */
  textOf(codes: Iterable<number>): string;
  /** The text of the codes from an index on, as it follows the text of those before. */
  continuationOf(codes: readonly number[], from: number): string;
}

/** Maximum number of characters that an error message lists. */
const maxNamed = 100;

function charactersOf(vocabulary: readonly string[]): Alphabet {
  const codes = new Map(vocabulary.map((character, code) => [character, code]));
  return {
    symbols: vocabulary,
    codesOf(text) {
      const given = Array.from(text);
      const unknown = [...new Set(given.filter((character) => !codes.has(character)))];
      if (unknown.length > 0) throw new Error(`the training text does not contain ${unknown.slice(0, 10).map((character) => JSON.stringify(character)).join(", ")}; allowed: ${JSON.stringify(vocabulary.slice(0, maxNamed).join(""))}${vocabulary.length > maxNamed ? " and more" : ""}`);
      return given.map((character) => codes.get(character)!);
    },
    textOf: (written) => Array.from(written, (code) => vocabulary[code]).join(""),
    continuationOf: (written, from) => written.slice(from).map((code) => vocabulary[code]).join(""),
  };
}

/** Names of the 256 bytes: ASCII as it is, others as `\xe4`. */
export const byteVocabulary: readonly string[] = Array.from({ length: 256 }, (_, byte) => (byte < 128 ? String.fromCharCode(byte) : `\\x${byte.toString(16)}`));

const bytes: Alphabet = {
  symbols: byteVocabulary,
  codesOf: (text) => [...new TextEncoder().encode(text)],
  textOf: (codes) => new TextDecoder().decode(Uint8Array.from(codes)),
  continuationOf: (codes, from) => new TextDecoder().decode(Uint8Array.from(codes.slice(from))),
};

function wordsOf(vocabulary: readonly string[]): Alphabet {
  const codes = new Map(vocabulary.map((word, code) => [word, code]));
  const unknown = codes.get(unknownWord)!;
  const textOf = (written: Iterable<number>) => joinedWords(Array.from(written, (code) => vocabulary[code]!));
  return {
    symbols: vocabulary,
    codesOf: (text) => Array.from(wordsIn(text), (word) => codes.get(word) ?? unknown),
    textOf,
    continuationOf: (written, from) => textOf(written).slice(textOf(written.slice(0, from)).length),
  };
}

export const alphabetOf = ({ vocabulary, unit }: { readonly vocabulary: readonly string[]; readonly unit?: TextUnit | undefined }): Alphabet => (unit === "bytes" ? bytes : unit === "words" ? wordsOf(vocabulary) : charactersOf(vocabulary));
