/** Escapes characters that control a terminal: names may come from files and links of strangers. */

/** Control characters other than tab and line feed, and marks that change the direction of text. */
const unprintable = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** Replaces such characters by `\uXXXX`, as JSON does. */
export const printable = (text: string): string => text.replace(unprintable, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);

/** Makes the console escape its output. Exports write to standard output directly, without escapes. */
export function guardConsole(): void {
  for (const name of ["log", "warn", "error"] as const) {
    const print = console[name].bind(console);
    console[name] = (...said: unknown[]) => print(...said.map((part) => (typeof part === "string" ? printable(part) : part)));
  }
}
