/** What a terminal would obey instead of show: names come from files and links of strangers. */

/** Control characters but tab and line feed, and what turns the direction of a text around. */
const unprintable = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** The text with such characters spelled out, as JSON does. */
export const printable = (text: string): string => text.replace(unprintable, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);

/** From now on the console prints printable texts alone. Files that go to standard output are written to it directly, and stay as they are. */
export function guardConsole(): void {
  for (const name of ["log", "warn", "error"] as const) {
    const print = console[name].bind(console);
    console[name] = (...said: unknown[]) => print(...said.map((part) => (typeof part === "string" ? printable(part) : part)));
  }
}
