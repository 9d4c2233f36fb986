/** Formats Python source. */

/** A number that Python parses as a float: `torch.tensor(1)` would be an integer. */
export function float(value: number): string {
  if (!Number.isFinite(value)) throw new RangeError(`${value} has no Python literal`);
  const text = String(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

/** A string literal. */
export function string(text: string): string {
  // JSON's escapes are valid in Python; also escape characters that only JSON allows in a line.
  return JSON.stringify(text).replace(/[\u007f-\u009f\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Comment lines; control characters become spaces. */
export function comment(...lines: readonly string[]): string {
  const clean = (line: string) => line.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, " ").trimEnd();
  return lines.map((line) => (line === "" ? "#" : `# ${clean(line)}`)).join("\n");
}

/** `[(1, 0.001), ...]`, several pairs a line. */
export function pairs(entries: readonly (readonly [number, number])[]): string {
  const texts = entries.map(([update, value]) => `(${update}, ${float(Number(value.toPrecision(9)))}),`);
  const lines: string[] = [];
  for (let i = 0; i < texts.length; i += 4) lines.push(`    ${texts.slice(i, i + 4).join(" ")}`);
  return `[\n${lines.join("\n")}\n]`;
}
