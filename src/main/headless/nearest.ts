/** Suggestions for a mistyped word. */
import { distance } from "fastest-levenshtein";

const letters = (word: string) => [...word.toLowerCase()].sort().join("");

/** The words most like `typed`, at most `most`; none that are too different. */
export function closest(typed: string, words: readonly string[], most = 1): string[] {
  const lower = typed.toLowerCase();
  return [...new Set(words)]
    .map((word) => ({ word, away: word.length > 200 ? Infinity : distance(lower, word.toLowerCase()) }))
    .filter(({ word, away }) => away <= Math.max(1, Math.floor(Math.min(lower.length, word.length) * 0.4)) || (away <= 2 && letters(typed) === letters(word)))
    .sort((a, b) => a.away - b.away)
    .slice(0, most)
    .map(({ word }) => word);
}
