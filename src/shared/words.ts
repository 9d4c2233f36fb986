/** Words of a text: runs of letters, digits and underscores, with apostrophes inside; every other mark and every line end is one of its own. */

/** Stands for words that the vocabulary lacks. */
export const unknownWord = "<unk>";

/** Length in UTF-16 units beyond which a word is never in a vocabulary. */
export const maxWordLength = 100;

/** Times that a word must occur in the training text to be in the vocabulary, by default. */
export const defaultMinCount = 2;
export const maxMinCount = 1_000_000;

const pattern = /<unk>|\r\n?|\n|[\p{L}\p{M}\p{N}_]+(?:['’][\p{L}\p{M}\p{N}_]+)*|\S/gu;

export function* wordsIn(text: string): Generator<string> {
  for (const [found] of text.matchAll(pattern)) yield found.startsWith("\r") ? "\n" : found;
}

/** Marks without a space before them, or after them. */
const noSpaceBefore = /^[\n.,;:!?%)\]}’”»…]$|^['-]$/u;
const noSpaceAfter = /^[\n([{“‘«¿¡#$€£@-]$/u;

/** A readable text of the words: spaces between them, except around line ends and at marks. */
export function joinedWords(words: Iterable<string>): string {
  let text = "";
  let before: string | null = null;
  let quotes = 0;
  for (const word of words) {
    const closes = word === '"' && quotes % 2 === 1;
    const opened = before === '"' && quotes % 2 === 1;
    const tight = before === null || closes || opened || noSpaceBefore.test(word) || noSpaceAfter.test(before);
    text += tight ? word : ` ${word}`;
    if (word === '"') quotes++;
    if (word === "\n") quotes = 0;
    before = word;
  }
  return text;
}
