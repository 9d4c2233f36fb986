/** The symbols of a text: characters that occur in it, or bytes of UTF-8 or of anything else. */

/** What a symbol of a text is. */
export type TextUnit = "characters" | "bytes";

export interface Alphabet {
  /** Names of the symbols by code. */
  readonly symbols: readonly string[];
  /** Codes of a text. @throws Error naming characters that have none */
  codesOf(text: string): number[];
  /** The text of codes; bytes that are no UTF-8 become U+FFFD. */
  textOf(codes: Iterable<number>): string;
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
  };
}

/** Names of the 256 bytes: ASCII as it is, others as `\xe4`. */
export const byteVocabulary: readonly string[] = Array.from({ length: 256 }, (_, byte) => (byte < 128 ? String.fromCharCode(byte) : `\\x${byte.toString(16)}`));

const bytes: Alphabet = {
  symbols: byteVocabulary,
  codesOf: (text) => [...new TextEncoder().encode(text)],
  textOf: (codes) => new TextDecoder().decode(Uint8Array.from(codes)),
};

export const alphabetOf = ({ vocabulary, unit }: { readonly vocabulary: readonly string[]; readonly unit?: TextUnit | undefined }): Alphabet => (unit === "bytes" ? bytes : charactersOf(vocabulary));
