/**
 * Inputs over IPC are structured clones, which can hold more than JSON does: cycles, maps, big integers, buffers. What the
 * server's socket could not carry is refused here, too.
 */

/** As large as a message to the server may be, in characters and values. */
const maxSize = 1024 * 1024;
const maxDepth = 200;

/** Why a value is no JSON value of a bounded size; null when it is. */
export function inputProblem(input: unknown): string | null {
  // Breadth first, with a list instead of recursion: the input may be nested deeper than the stack.
  let level: unknown[] = [input];
  let size = 0;
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > maxDepth) return `the input is nested more than ${maxDepth} levels deep, or contains itself`;
    const next: unknown[] = [];
    for (const value of level) {
      if (typeof value === "string") size += value.length;
      else if (typeof value === "object" && value !== null) {
        if (Array.isArray(value)) size += value.length;
        else if (!isPlain(value)) return "the input must be JSON: objects, lists, texts, numbers, true, false and null";
        if (size > maxSize) break;
        for (const [key, part] of Object.entries(value)) {
          size += Array.isArray(value) ? 0 : key.length + 1;
          next.push(part);
        }
      } else if (typeof value === "bigint") return "the input must be JSON: objects, lists, texts, numbers, true, false and null";
    }
    if (size > maxSize) return `the input is larger than ${maxSize} characters and values`;
    level = next;
  }
  return null;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype as object) === null;
}
